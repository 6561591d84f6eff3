import ArgumentParser
import Console
import Engine
import Linux
import OCI
import Records
import Solver
import Store
import Synchronization
import SystemPackage

/// The reports on itself that `lamina build` shows at its end.
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

    /// Opens the file for the trace once, so that a build does not run in vain if it cannot be written.
    func openTrace() throws -> SharedDescriptor? {
        guard let trace else { return nil }
        do { return SharedDescriptor(try ChromeTrace.create(trace)) } catch {
            throw ValidationError("cannot write '\(trace)': \(describe(error))")
        }
    }

    /// Whether the standard output gets a JSON document and nothing else.
    var printsDocument: Bool { explainFormat == .json }

    /// Shows the reports on a build that has ended, however it ended; a build without a record has none.
    func show(_ reference: String?, _ trace: SharedDescriptor?, in store: StoreRoot) throws {
        guard let reference, explain || timings || explainFormat != nil || trace != nil,
            try store.builds.build(reference) != nil
        else { return }
        let history = BuildHistory(store: store)
        let build = try history.build(reference)
        if let trace { try ChromeTrace(build: build).write(to: trace.descriptor) }
        if timings { for line in TimingsText(build: build).lines() { tell(line) } }
        guard explain || explainFormat != nil else { return }
        let explanation = try history.explain(build)
        if explainFormat == .json {
            say(explanation.json.text(.pretty(2)))
        } else {
            if timings { tell("") }
            for line in explanation.lines(on: .standardError) { tell(line) }
        }
    }
}

/// The reference of the build that a command runs, kept for its reports.
final class BuildReference: Sendable {
    private let value = Mutex<String?>(nil)

    var current: String? {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
