import ArgumentParser
import Console
import Engine
import Linux
import OCI
import Solver
import Store
import Synchronization
import SystemPackage

/// What `lamina build` tells about itself when it has ended.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Say why each step ran or was answered by the cache; --explain=json for programs.")
    var explain = false

    @Option(
        name: .customLong("explain-format"),
        help: ArgumentHelp("text, or json on the standard output: what --explain=FORMAT means.", valueName: "format"))
    var explainFormat: ReportFormat?

    @Flag(help: "Say where the time went: per step, with the critical path.")
    var timings = false

    @Option(
        name: .customLong("trace"),
        help: ArgumentHelp("Write the build's timeline for chrome://tracing and Perfetto.", valueName: "file"))
    var trace: String?

    /// A trace that cannot be written is noticed before the build and not after it.
    func validate() throws {
        guard let trace else { return }
        do {
            let file = try OwnedDescriptor.open(
                FilePath(trace), .writeOnly, options: [.create, .truncate],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            _ = consume file
        } catch {
            throw ValidationError("cannot write '\(trace)': \(describe(error))")
        }
    }

    /// Whether a document goes to the standard output, which then has nothing else.
    var printsDocument: Bool { explainFormat == .json }

    /// Shows the reports about a build that has ended, whatever its end. One that was not recorded has none.
    func show(_ reference: String?, in store: StoreRoot) throws {
        guard let reference, explain || timings || explainFormat != nil || trace != nil,
            try store.builds.build(reference) != nil
        else { return }
        let history = BuildHistory(store: store)
        let build = try history.build(reference)
        if let trace { try ChromeTrace(build: build).write(to: trace) }
        if timings { for line in TimingsText(build: build).lines() { OutputTerminal.standardError.write(line + "\n") } }
        guard explain || explainFormat != nil else { return }
        let explanation = try history.explain(build)
        if explainFormat == .json {
            say(explanation.json.text(.pretty(2)))
        } else {
            if timings { OutputTerminal.standardError.write("\n") }
            for line in explanation.lines(on: .standardError) { OutputTerminal.standardError.write(line + "\n") }
        }
    }
}

/// The reference of the build that a command runs, for those that ask after it has ended.
final class BuildReference: Sendable {
    private let value = Mutex<String?>(nil)

    var current: String? {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
