import ArgumentParser
import Engine
import OCI
import Store
import Synchronization

/// What `lamina build` tells about itself when it has ended.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Say why each step ran or was answered by the cache; --explain=json for programs.")
    var explain = false

    @Option(
        name: .customLong("explain-format"),
        help: ArgumentHelp("text, or json on the standard output: what --explain=FORMAT means.", valueName: "format"))
    var explainFormat: ReportFormat?

    /// Whether a document goes to the standard output, which then has nothing else.
    var printsDocument: Bool { explainFormat == .json }

    /// Shows the reports about a build that has ended, whatever its end. One that was not recorded has none.
    func show(_ reference: String?, in store: StoreRoot) throws {
        guard let reference, explain || explainFormat != nil else { return }
        let history = BuildHistory(store: store)
        guard try store.builds.build(reference) != nil else { return }
        let explanation = try history.explain(try history.build(reference))
        if explainFormat == .json {
            say(explanation.json.text(.pretty(2)))
        } else {
            explanation.show(on: .standardError)
        }
    }

    /// `--explain=FORMAT` as `--explain-format=FORMAT`: a flag cannot have a value that may be left out.
    static func separatingFormats(_ arguments: [String]) -> [String] {
        arguments.map { $0.hasPrefix("--explain=") ? "--explain-format=" + $0.dropFirst(10) : $0 }
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
