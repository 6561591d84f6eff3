import ArgumentParser
import Console
import Engine
import OCI
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
            case .text: explanation.show(on: .standardOutput)
            case .json: say(explanation.json.text(.pretty(2)))
            }
        }
    }
}

/// For whom a report is written.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text
    case json
}

extension Explanation {
    /// Writes the explanation as text: with marks and colours on a terminal.
    func show(on output: OutputTerminal) {
        let useColours = OutputTerminal.wantsColours(environment: OutputTerminal.environment)
        let terminal = output.isTerminal ? (output.size?.columns ?? 80, useColours) : nil
        for line in ExplanationText(explanation: self, terminal: terminal, now: WallClock.now()).lines() {
            output.write(line + "\n")
        }
    }
}
