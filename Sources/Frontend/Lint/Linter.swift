import Diagnostics
import DockerfileSyntax

/// Collects the warnings of one file, as far as its checks are switched on.
struct Linter: Sendable {
    private let file: String
    private let configuration: LintConfiguration
    private let log: WarningLog
    /// Whether all of our own rules run, and not only those for builds.
    let givesAdvice: Bool
    /// The comments above each instruction, by its first line: for what is found when only lines are known.
    private var comments: [Int: [String]] = [:]

    init(file: String, configuration: LintConfiguration, log: WarningLog = WarningLog(), givesAdvice: Bool = false) {
        self.file = file
        self.configuration = configuration
        self.log = log
        self.givesAdvice = givesAdvice
    }

    var warnings: [Warning] { log.warnings }

    /// Learns which comments stand above which instruction.
    mutating func note(_ dockerfile: Dockerfile) {
        for instruction in dockerfile.stages.flatMap(\.instructions) where !instruction.comments.isEmpty {
            comments[instruction.range.lines.lowerBound] = instruction.comments
        }
    }

    /// Notes that the instruction on these lines breaks a rule.
    func report(_ rule: LintRule, _ message: String, instructionAt lines: ClosedRange<Int>) {
        report(rule, message, lines: lines, comments: comments[lines.lowerBound] ?? [])
    }

    /// Notes that `instruction` breaks a rule, unless a comment above it says not to.
    func report(_ rule: LintRule, _ message: String, at instruction: Instruction) {
        report(rule, message, lines: instruction.range.lines, comments: instruction.comments)
    }

    func report(_ rule: LintRule, _ message: String, lines: ClosedRange<Int>, comments: [String] = []) {
        let local = LintConfiguration(comments: comments).map(configuration.merged(with:)) ?? configuration
        guard local.allows(rule), rule.advice != .inChecks || givesAdvice else { return }
        log.append(
            Warning(
                rule: rule.name, message: message, location: Diagnostics.SourceRange(file: file, lines: lines),
                url: rule.url, detail: rule.description, page: rule.page))
    }

    /// Throws if the file wants its warnings to be errors and there are any but advice of our own.
    ///
    /// A file that BuildKit builds must not fail here.
    func enforce() throws {
        let violations = warnings.filter { !$0.isAdvice }
        guard configuration.isError, let first = violations.first else { return }
        let rules = Set(violations.map(\.rule)).sorted()
        throw FrontendError(
            .lint, "lint violation found for rules: \(rules.joined(separator: ", "))", at: first.location)
    }
}
