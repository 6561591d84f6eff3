import DockerfileSyntax

extension LintRule {
    static let stageNameCasing = LintRule(
        "StageNameCasing", "A stage is looked up in lower case, so its name is best written that way")
    static let fromAsCasing = LintRule("FromAsCasing", "FROM and AS of one line are best written in the same case")
    static let consistentInstructionCasing = LintRule(
        "ConsistentInstructionCasing", "Keywords in one case throughout make a file easier to read")
}

extension Linter {
    func checkCasing(ofStage stage: Stage) {
        let header = stage.header
        checkCasing(stage.from.keyword, name: stage.originalName, header.asKeyword) { report($0, $1, at: stage.from) }
    }

    /// The same for a FROM that cannot be parsed, by the places of its words.
    func checkCasing(ofFrom words: [String], _ from: String, report: (LintRule, String) -> Void) {
        checkCasing(from, name: words.count == 3 ? words[2] : nil, words.count >= 3 ? words[1] : nil, report: report)
    }

    private func checkCasing(
        _ from: String, name: String?, _ keyword: String?, report: (LintRule, String) -> Void
    ) {
        if let name, name != name.lowercased() {
            report(.stageNameCasing, "Stage name '\(name)' should be lowercase")
        }
        guard let keyword else { return }
        let isMismatch =
            (from == from.lowercased() && keyword != keyword.lowercased())
            || (from == from.uppercased() && keyword != keyword.uppercased())
        if isMismatch { report(.fromAsCasing, "'\(keyword)' and '\(from)' keywords' casing do not match") }
    }

    /// The majority decides; upper case wins a tie, and mixed case is never right.
    func checkKeywordCasing(_ dockerfile: Dockerfile) {
        let instructions = dockerfile.stages.flatMap { [$0.from] + $0.instructions }
        let lower = instructions.count { $0.keyword == $0.keyword.lowercased() }
        let upper = instructions.count { $0.keyword == $0.keyword.uppercased() }
        let majority = lower > upper ? "lowercase" : "uppercase"
        for instruction in instructions {
            let keyword = instruction.keyword
            let wanted = lower > upper ? keyword.lowercased() : keyword.uppercased()
            guard keyword != wanted else { continue }
            report(
                .consistentInstructionCasing,
                "Command '\(keyword)' should match the case of the command majority (\(majority))", at: instruction)
        }
    }
}
