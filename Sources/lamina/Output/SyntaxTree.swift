import DockerfileSyntax
import OCI

extension JSON {
    /// The document that `lamina parse` prints; `docs/parse.md` describes it. Keys may be added, but none changes.
    static func syntaxTree(_ file: Dockerfile) -> JSON {
        .object(
            (
                "directives",
                .array(
                    file.directives.map { directive in
                        .object(
                            ("name", .string(directive.name.rawValue)), ("value", .string(directive.value)),
                            ("line", .integer(directive.line)))
                    })
            ),
            ("escape", .string(file.escape == .backslash ? "\\" : "`")),
            ("globalArguments", .array(file.globalArguments.map(instruction))),
            ("stages", .array(file.stages.map(stage))),
            (
                "warnings",
                .array(
                    file.warnings.map { .object(("message", .string($0.message)), ("line", .integer($0.line))) })
            ))
    }

    private static func stage(_ stage: Stage) -> JSON {
        .object(
            ("index", .integer(stage.index)), ("name", optional(stage.name)), ("base", .string(stage.base)),
            ("platform", optional(stage.platform)), ("startLine", .integer(stage.range.start.line)),
            ("endLine", .integer(stage.range.end.line)),
            ("instructions", .array(([stage.from] + stage.instructions).map(instruction))))
    }

    private static func instruction(_ instruction: Instruction) -> JSON {
        let range = instruction.range
        return .object(
            ("keyword", .string(instruction.kind.name)), ("written", .string(instruction.keyword)),
            ("flags", .array(instruction.flags.map(JSON.string))),
            ("arguments", .array(instruction.words.map(JSON.string))), ("json", .bool(instruction.isJSON)),
            ("pairs", pairs(of: instruction)), ("trigger", trigger(of: instruction)),
            ("heredocs", .array(instruction.heredocs.map(heredoc))),
            ("comments", .array(instruction.comments.map(JSON.string))),
            ("text", .string(instruction.originalText)), ("startLine", .integer(range.start.line)),
            ("startColumn", .integer(range.start.column)), ("endLine", .integer(range.end.line)),
            ("endColumn", .integer(range.end.column)))
    }

    /// The names and values of ARG, ENV and LABEL.
    private static func pairs(of instruction: Instruction) -> JSON? {
        switch instruction.kind {
        case .env(let assignments), .label(let assignments):
            .array(assignments.pairs.map { .object(("key", .string($0.key)), ("value", .string($0.value))) })
        case .arg(let declarations):
            .array(
                declarations.map { .object(("key", .string($0.name)), ("value", optional($0.defaultValue))) })
        default: nil
        }
    }

    /// The instruction inside an ONBUILD; null if it is none, which matters only when it fires.
    private static func trigger(of instruction: Instruction) -> JSON? {
        guard case .onbuild(let onbuild) = instruction.kind else { return nil }
        let inner = try? Instruction.parseTrigger(onbuild.trigger, at: instruction.range)
        return inner.map(self.instruction) ?? .null
    }

    private static func heredoc(_ heredoc: Heredoc) -> JSON {
        .object(
            ("name", .string(heredoc.name)), ("content", .string(heredoc.content)), ("expand", .bool(heredoc.expand)),
            ("chomp", .bool(heredoc.chomp)), ("fileDescriptor", .integer(heredoc.fileDescriptor)))
    }

    private static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
}
