package import DockerfileSyntax
package import OCI

/// The answer to `--call=targets`: the stages of a Dockerfile.
package struct TargetList: Sendable {
    private let stages: [Stage]
    private let source: DockerfileSource

    package init(_ dockerfile: Dockerfile, source: DockerfileSource) {
        stages = dockerfile.stages
        self.source = source
    }

    /// For people: names and descriptions.
    package var lines: [String] {
        var table = TextColumns(gap: 3, rows: [["TARGET", "DESCRIPTION"]])
        for stage in stages {
            let words = [stage.name, isDefault(stage) ? "(default)" : nil].compactMap(\.self)
            table.rows.append([words.joined(separator: " "), stage.description ?? ""])
        }
        return table.lines
    }

    /// For programs, in BuildKit's form.
    package var json: JSON {
        .object(
            (
                "targets",
                .array(
                    stages.map { stage in
                        .object(
                            ("name", stage.name.map { .string($0) }), ("default", isDefault(stage) ? .bool(true) : nil),
                            ("description", stage.description.map { .string($0) }), ("base", .string(stage.base)),
                            ("platform", stage.platform.flatMap { $0.isEmpty ? nil : .string($0) }),
                            ("location", .location(stage.from.range.lines)))
                    })
            ),
            ("sources", .array([.string(source.base64)])))
    }

    private func isDefault(_ stage: Stage) -> Bool { stage.index == stages.count - 1 }
}

extension Stage {
    /// The description of the stage in the comment above the FROM.
    var description: String? { name.flatMap { from.description(of: $0) } }
}

extension Instruction {
    /// The rest of the comment above that begins with `name`.
    func description(of name: String) -> String? {
        comments.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }
}
