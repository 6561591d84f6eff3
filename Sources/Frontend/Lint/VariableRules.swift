import DockerfileSyntax

extension LintRule {
    static let undefinedVariable = LintRule(
        "UndefinedVar", "A variable that is not set is empty, and is often a slip of the pen")
    static let secretsUsed = LintRule(
        "SecretsUsedInArgOrEnv", "Values of ARG and ENV stay readable in the image; use a secret mount")
    static let legacyKeyValueFormat = LintRule(
        "LegacyKeyValueFormat", "The form without an equals sign takes the rest of the line for the value")
}

extension Linter {
    /// `declared` are the names of the ARGs of the stage, which may be without a value.
    func checkVariables(
        _ unmatched: [String], environment: Environment, declared: [String], at instruction: Instruction
    ) {
        for name in unmatched where !declared.contains(name) {
            let known = environment.names + declared
            let closest = Suggestions.closest(to: name, among: known, matchingCase: true)
            let suggestion = closest.map { " (did you mean $\($0)?)" } ?? ""
            report(.undefinedVariable, "Usage of undefined variable '$\(name)'\(suggestion)", at: instruction)
        }
    }

    func checkSecret(name: String, at instruction: Instruction) {
        guard VariableName.suggestsSecret(name) else { return }
        report(
            .secretsUsed,
            "Do not use ARG or ENV instructions for sensitive data (\(instruction.kind.name) \"\(name)\")",
            at: instruction)
    }

    func checkLegacyFormat(_ assignments: Assignments, at instruction: Instruction) {
        guard assignments.isLegacy else { return }
        let name = instruction.kind.name
        report(
            .legacyKeyValueFormat,
            "\"\(name) key=value\" should be used instead of legacy \"\(name) key value\" format", at: instruction)
    }
}
