import ArgumentParser
import Console
import DockerfileSyntax
import OCI

struct ExpandCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expand", abstract: "Expand a word as an instruction of a Dockerfile would.",
        discussion: "Only the variables given with --env are set. Write -- before a word that begins with a dash.")

    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case word
        case display
        case heredoc

        var syntaxMode: WordExpander.Mode {
            switch self {
            case .word: .word
            case .display: .display
            case .heredoc: .heredocBody
            }
        }
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable; K alone takes the value from the environment.", valueName: "K[=V]"))
    var env: [String] = []

    @Flag(help: "Split the result into words, one a line.")
    var split = false

    @Option(help: ArgumentHelp("The escape character, \\ or `.", valueName: "character"))
    var escape = "\\"

    @Option(
        help: ArgumentHelp(
            "word, display (as in the names of steps) or heredoc (as in the body of a here-document).",
            valueName: "mode"))
    var mode = Mode.word

    @Option(help: ArgumentHelp("text or json.", valueName: "format"))
    var format = Format.text

    @Flag(help: "Name the variables that are not set on the standard error.")
    var unset = false

    @Argument(help: "The text to expand.")
    var word: String

    func validate() throws {
        if escape.utf8.count != 1 || escape != "\\" && escape != "`" {
            throw ValidationError("invalid escape character '\(escape)': use \\ or `")
        }
        if split, mode != .word { throw ValidationError("--split and --mode=\(mode.rawValue) contradict each other") }
    }

    func run() async throws {
        try await global.run {
            let variables = variables()
            let expander = WordExpander(escape: escape == "`" ? .backtick : .backslash)
            let lines: [String]
            let unmatched: [String]
            if split {
                let result = try expander.words(word) { variables[Array($0.utf8)] }
                (lines, unmatched) = (result.words, result.unmatched)
            } else {
                let result = try expander.expand(word, mode: mode.syntaxMode) { variables[Array($0.utf8)] }
                (lines, unmatched) = ([result.text], result.unmatched)
            }
            report(lines, unmatched)
        }
    }

    private func report(_ lines: [String], _ unmatched: [String]) {
        switch format {
        case .text: for line in lines { say(line) }
        case .json:
            let result = split ? ("words", JSON.array(lines.map(JSON.string))) : ("text", JSON.string(lines[0]))
            say(
                JSON.object(
                    JSONObject([("schema", .integer(1)), result, ("unset", .array(unmatched.map(JSON.string)))])
                ).text())
        }
        guard unset else { return }
        for name in unmatched { tell("not set: \(TerminalText.line(name))") }
    }

    /// By the bytes of their names; the last value given counts, and a name without any is not set.
    private func variables() -> [[UInt8]: String] {
        var variables: [[UInt8]: String] = [:]
        for text in env {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            variables[Array(parts[0].utf8)] = parts.count > 1 ? parts[1] : GlobalOptions.environment[parts[0]]
        }
        return variables
    }
}
