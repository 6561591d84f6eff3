package import OCI

/// The answer to `--call=subrequests.describe`: the questions that can be asked of a Dockerfile.
package struct CallList: Sendable {
    private struct Entry: Sendable {
        /// Without the prefix `frontend.`, which programs see.
        let name: String
        let description: String
        var options: [(name: String, description: String)] = []
    }

    // The names and versions are BuildKit's; `check` is not among them there either.
    private static let version = "1.0.0"
    private static let entries = [
        Entry(
            name: "outline", description: "What can be given to the build of a target",
            options: [("target", "The stage to build")]),
        Entry(name: "targets", description: "The stages of the Dockerfile"),
        Entry(name: "subrequests.describe", description: "The questions that can be asked"),
    ]

    package init() {}

    /// For people: names, versions and descriptions.
    package var lines: [String] {
        TextColumns(
            gap: 1,
            rows: [["NAME", "VERSION", "DESCRIPTION"]] + Self.entries.map { [$0.name, Self.version, $0.description] }
        ).lines
    }

    /// For programs, in BuildKit's form.
    package var json: JSON {
        .array(
            Self.entries.map { entry in
                let options = entry.options.map { option -> JSON in
                    .object(("name", .string(option.name)), ("description", .string(option.description)))
                }
                let results = ["result.json", "result.txt"].map { JSON.object(("name", .string($0))) }
                return .object(
                    ("name", .string("frontend." + entry.name)), ("version", .string(Self.version)),
                    ("type", .string("rpc")), ("description", .string(entry.description)),
                    ("opts", options.isEmpty ? nil : .array(options)), ("metadata", .array(results)))
            })
    }
}
