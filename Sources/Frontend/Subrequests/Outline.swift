package import OCI

/// The answer to `--call=outline`: what can be given to the build of a target.
package struct Outline: Hashable, Sendable {
    /// A build argument that the target or a stage it needs declares.
    struct Argument: Hashable, Sendable {
        let name: String
        /// The value that the build would use; empty if none is given and there is no default.
        let value: String
        let description: String?
        let line: Int
        let lastLine: Int
    }

    /// A secret or an agent socket that a RUN mounts.
    struct Mount: Hashable, Sendable {
        let id: String
        var isRequired: Bool
        let line: Int
        let lastLine: Int
    }

    /// The target, empty if it has no name.
    var name = ""
    var description: String?
    var arguments: [Argument] = []
    var secrets: [Mount] = []
    var sockets: [Mount] = []
    /// The text of the Dockerfile.
    private let source: JSON

    init(source: DockerfileSource) { self.source = .string(source.base64) }

    /// For people: a table of each kind.
    package var lines: [String] {
        var lines: [String] = []
        if !name.isEmpty || description != nil {
            var header = TextColumns(gap: 1, rows: [["TARGET:", name.isEmpty ? "(default)" : name]])
            if let description { header.rows.append(["DESCRIPTION:", description]) }
            lines += header.lines + [""]
        }
        if !arguments.isEmpty {
            let rows = arguments.map { [$0.name, $0.value, $0.description ?? ""] }
            lines += TextColumns(gap: 3, rows: [["BUILD ARG", "VALUE", "DESCRIPTION"]] + rows).lines + [""]
        }
        for (title, mounts) in [("SECRET", secrets), ("SSH", sockets)] where !mounts.isEmpty {
            let rows = mounts.map { [$0.id, $0.isRequired ? "true" : ""] }
            lines += TextColumns(gap: 3, rows: [[title, "REQUIRED"]] + rows).lines + [""]
        }
        return lines
    }

    /// For programs, in BuildKit's form.
    package var json: JSON {
        func list(_ items: [JSON]) -> JSON? { items.isEmpty ? nil : .array(items) }
        return .object(
            ("name", name.isEmpty ? nil : .string(name)), ("description", description.map { .string($0) }),
            (
                "args",
                list(
                    arguments.map { argument in
                        .object(
                            ("name", .string(argument.name)),
                            ("description", argument.description.map { .string($0) }),
                            ("value", argument.value.isEmpty ? nil : .string(argument.value)),
                            ("location", .location(argument.line...argument.lastLine)))
                    })
            ),
            ("secrets", list(secrets.map(Self.json))), ("ssh", list(sockets.map(Self.json))),
            ("sources", .array([source])))
    }

    private static func json(_ mount: Mount) -> JSON {
        .object(
            ("name", .string(mount.id)), ("required", mount.isRequired ? .bool(true) : nil),
            ("location", .location(mount.line...mount.lastLine)))
    }
}
