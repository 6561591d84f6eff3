import ArgumentParser
import Diagnostics
import Engine
import Requests
import Store

/// How a build shares the machine and the store.
struct HousekeepingOptions: ParsableArguments {
    @Option(
        name: [.customShort("j"), .long],
        help: ArgumentHelp(
            "How many steps run at once (default: as many COPY and ADD as there are cores, and more RUN).",
            valueName: "n"))
    var jobs: Int?

    @Option(
        help: ArgumentHelp(
            "How far to clean up the store afterwards: off, or max-used=100GB,reserved=10GB,min-free=20% (LAMINA_GC).",
            valueName: "policy"))
    var gc: String?

    func request() throws -> HousekeepingRequest {
        var request = HousekeepingRequest()
        if let jobs {
            guard jobs > 0 else { throw RequestsError(.badOption, "--jobs must be 1 or more, not \(jobs)") }
            request.jobs = jobs
        }
        if let text = gc ?? GlobalOptions.environment["LAMINA_GC"], !text.isEmpty {
            request.collection = try CollectionPolicy(parsing: text)
        }
        return request
    }
}
