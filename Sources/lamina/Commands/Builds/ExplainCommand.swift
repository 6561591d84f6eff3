import ArgumentParser
import Console
import Engine
import OCI
import Records
import Store

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why each step of a build ran or was answered by the cache.",
        discussion: "The build is compared with the nearest one before it of the same Dockerfile and target.")

    @OptionGroup var global: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("text or json.", valueName: "format"))
    var format = ReportFormat.text

    @Argument(
        help: ArgumentHelp(
            "The build: its ID, ^N for the one N before the newest, or a name of its image (default: the newest).",
            valueName: "build"))
    var build: String?

    func run() async throws {
        try await global.run {
            let history = BuildHistory(store: try global.store(.readOnly))
            let explanation = try history.explain(try history.build(build))
            switch format {
            case .text: explanation.lines(on: .standardOutput).forEach(say)
            case .json: say(explanation.json.text(.pretty(2)))
            }
        }
    }
}

/// The form of a report: text for people or JSON for programs.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text
    case json
}

extension Explanation {
    /// The explanation as text for `output`: with marks and colours on a terminal.
    func lines(on output: OutputTerminal) -> [String] {
        let useColours = OutputTerminal.wantsColours(environment: OutputTerminal.environment)
        let terminal = output.isTerminal ? (output.size?.columns ?? 80, useColours) : nil
        return ExplanationText(explanation: self, terminal: terminal, now: WallClock.now()).lines()
    }
}
