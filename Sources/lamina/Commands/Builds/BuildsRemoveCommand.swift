import ArgumentParser
import Diagnostics
import Engine
import Records
import Store

struct BuildsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Forget builds that have ended; images and the cache stay.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Forget all builds that do not run.")
    var all = false

    @Argument(help: ArgumentHelp("The builds.", valueName: "build"))
    var builds: [String] = []

    func validate() throws {
        guard all != !builds.isEmpty else { throw ValidationError("name builds, or give --all") }
    }

    func run() async throws {
        try await global.run {
            let history = BuildHistory(store: try global.store())
            if all { return try history.store.builds.removeAll() }
            // All are looked up first: after the first removal ^1 would be another one.
            let records = try builds.map { try history.record($0) }
            if let running = records.first(where: { $0.status == .running }) {
                throw CommandError(
                    .storeInUse, "the build '\(running.id)' is running and cannot be forgotten",
                    hint: "Wait until it has ended, or stop it.")
            }
            for record in records { try history.store.builds.remove(record.id) }
        }
    }
}
