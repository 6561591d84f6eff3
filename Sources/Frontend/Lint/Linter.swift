import Diagnostics
import DockerfileSyntax

/// Collects the warnings of one file, as far as its checks are switched on.
struct Linter: Sendable {
    private let file: String
    private let configuration: LintConfiguration
    private(set) var warnings: [Warning] = []

    init(file: String, configuration: LintConfiguration) {
        self.file = file
        self.configuration = configuration
    }

    /// Notes that `instruction` breaks a rule, unless a comment above it says not to.
    mutating func report(_ rule: LintRule, _ message: String, at instruction: Instruction) {
        report(rule, message, lines: instruction.range.lines, comments: instruction.comments)
    }

    mutating func report(_ rule: LintRule, _ message: String, lines: ClosedRange<Int>, comments: [String] = []) {
        let local = LintConfiguration(comments: comments).map(configuration.merged(with:)) ?? configuration
        guard local.allows(rule) else { return }
        warnings.append(
            Warning(
                rule: rule.name, message: message, location: Diagnostics.SourceRange(file: file, lines: lines),
                url: rule.url, detail: rule.description))
    }

    /// Throws if the file wants its warnings to be errors and there are any.
    func enforce() throws {
        guard configuration.isError, let first = warnings.first else { return }
        let rules = Set(warnings.map(\.rule)).sorted()
        throw FrontendError(
            .lint, "lint violation found for rules: \(rules.joined(separator: ", "))", at: first.location)
    }
}
