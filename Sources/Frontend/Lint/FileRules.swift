import DockerfileSyntax

extension LintRule {
    static let noEmptyContinuation = LintRule(
        "NoEmptyContinuation", "A blank line does not end a continued instruction, which surprises readers")
    static let maintainerDeprecated = LintRule(
        "MaintainerDeprecated",
        "The label org.opencontainers.image.authors has replaced MAINTAINER")
    static let invalidDefinitionDescription = LintRule(
        "InvalidDefinitionDescription",
        "A comment above an argument or stage describes it if it begins with its name",
        isExperimental: true)
}

extension Linter {
    /// The rules that need nothing but the text, for the whole file.
    func checkFile(_ dockerfile: Dockerfile) {
        checkInstructions(dockerfile)
        checkNames(of: dockerfile.stages)
        checkKeywordCasing(dockerfile)
    }

    /// The rules about one instruction as it is written: they hold for the beginning of a file that cannot be parsed, too.
    func checkInstructions(_ dockerfile: Dockerfile) {
        for warning in dockerfile.warnings {
            switch warning.kind {
            case .emptyContinuationLine:
                report(.noEmptyContinuation, "Empty continuation line", lines: warning.line...warning.line)
            }
        }
        dockerfile.globalArguments.forEach { checkDescription($0) }
        for stage in dockerfile.stages {
            checkCasing(ofStage: stage)
            checkDescription(stage.from)
            for instruction in stage.instructions {
                checkDescription(instruction)
                guard case .maintainer = instruction.kind else { continue }
                report(.maintainerDeprecated, Self.deprecation, at: instruction)
            }
        }
        if let malformed = dockerfile.malformed { check(malformed) }
    }

    private static let deprecation = "Maintainer instruction is deprecated in favor of using label"

    /// The rules that BuildKit looks at before it parses an instruction.
    private func check(_ malformed: MalformedInstruction) {
        let report = { (rule: LintRule, message: String) in
            self.report(rule, message, lines: malformed.range.lines, comments: malformed.comments)
        }
        switch malformed.keyword.lowercased() {
        case "maintainer": report(.maintainerDeprecated, Self.deprecation)
        case "from": checkCasing(ofFrom: malformed.words, malformed.keyword, report: report)
        default: break
        }
    }

    /// A comment above an ARG or a named stage is its description, if it starts with its name.
    private func checkDescription(_ instruction: Instruction) {
        let names: [String]
        switch instruction.kind {
        case .arg(let declarations): names = declarations.map(\.name)
        case .from(let header): names = header.name.map { [$0] } ?? []
        default: return
        }
        guard let name = names.first, let comment = instruction.comments.last,
            !names.contains(String(comment.prefix { $0 != " " }))
        else { return }
        let example = names.count > 1 ? "<arg_key>" : name
        report(
            .invalidDefinitionDescription,
            "Comment for \(instruction.kind.name) should follow the format: `# \(example) <description>`",
            at: instruction)
    }
}
