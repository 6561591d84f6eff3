import ArgumentParser
import Console
import Engine
import OCI
import Pages
import Records
import Store

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why each step of a build ran or was answered by the cache.",
        discussion: "The build is compared with the nearest one before it of the same Dockerfile and target.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    /// The forms of an explanation.
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text
        case json
        case html
    }

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("text, json, or html for a page with a time line.", valueName: "format"))
    var format = Format.text

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write to this file in place of the standard output.", valueName: "file"))
    var output: String?

    @Argument(
        help: ArgumentHelp(
            "The build: its ID, ^N for the one N before the newest, or a name of its image (default: the newest).",
            valueName: "build"))
    var build: String?

    func run() async throws {
        try await global.run {
            let history = BuildHistory(store: try global.store(.readOnly))
            let build = try history.build(build)
            let explanation = try history.explain(build)
            let result = ReportOutput(path: output)
            switch format {
            case .text: try result.write(explanation.lines(on: output == nil ? .standardOutput : nil))
            case .json: try result.write([explanation.json.text(.pretty(2))])
            case .html: try result.write(explanation.page(of: build).encoded())
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
    /// The explanation as text for `output`: with marks and colours on a terminal, or where colours are forced. Without
    /// an output it is for a file.
    func lines(on output: OutputTerminal?) -> [String] {
        let terminal = output.flatMap { output -> (columns: Int, useColours: Bool)? in
            let useColours = output.showsColours(environment: OutputTerminal.environment)
            return output.isTerminal || useColours ? (output.size?.columns ?? 80, useColours) : nil
        }
        return ExplanationText(explanation: self, terminal: terminal, now: Timestamp.now).lines()
    }
}
