import ArgumentParser
import Console
import GoCompat
import Images
import OCI
import Transports

struct IndexInspectCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show the manifests of an index.",
        discussion: "A plain name is an index of the store, or if there is none, one in its registry.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @OptionGroup var document: DocumentOptions

    @Flag(help: "Print the index as it is.")
    var raw = false

    @Argument(help: ArgumentHelp("The index.", valueName: "index"))
    var name: String

    func run() async throws {
        try await global.run {
            let location = try ImageLocation(parsing: name)
            let (name, wanted) = (name, wanted)
            let (root, contents) = try await global.withIndexes(registries, login, for: location) { places in
                let reader = try await places.source(name)
                let root = try await reader.root()
                let contents = try IndexContents(root, reader)
                // Each is fetched only where the template has it: buildx, too, asks the registry for all of them.
                return (
                    root,
                    (
                        image: wanted.image ? try await contents.image() : nil,
                        provenance: wanted.provenance ? try await contents.provenance() : nil,
                        sbom: wanted.sbom ? try await contents.sbom() : nil
                    )
                )
            }
            guard !raw else { return CommandResult.write(root.bytes) }
            let entries = root.isIndex ? try IndexDocument(parsing: root.bytes).entries : []
            // With buildx, a template that is nothing but the manifest means the text for people.
            guard !document.isDocument || document.format == "{{.Manifest}}" else {
                return try document.show(
                    ("name", .string("\(location)")), ("mediaType", .string(root.descriptor.mediaType.rawValue)),
                    ("digest", .string(root.descriptor.digest.description)),
                    ("manifests", .array(entries.map(\.descriptor.json))),
                    ("manifest", Self.manifest(root.descriptor, entries)), ("image", contents.image),
                    ("provenance", contents.provenance), ("sbom", contents.sbom))
            }
            for line in Self.lines(location, root.descriptor, entries) { say(TerminalText.line(line)) }
        }
    }

    /// The documents that the format mentions.
    private var wanted: (image: Bool, provenance: Bool, sbom: Bool) {
        guard let format = document.format, !raw else { return (false, false, false) }
        let isWhole = ["json", "{{json .}}", "{{ json . }}"].contains(format)
        let words = format.lowercased()
        return (isWhole || words.contains(".image"), words.contains(".provenance"), words.contains(".sbom"))
    }

    /// The document that buildx's templates know as `.Manifest`.
    private static func manifest(_ root: Descriptor, _ entries: [IndexDocument.Entry]) -> JSON {
        .object(
            ("schemaVersion", .integer(2)), ("mediaType", .string(root.mediaType.rawValue)),
            ("digest", .string(root.digest.description)), ("size", .integer(root.size)),
            ("manifests", entries.isEmpty ? nil : .array(entries.map(\.descriptor.json))))
    }

    private static func lines(
        _ location: ImageLocation, _ root: Descriptor, _ entries: [IndexDocument.Entry]
    ) -> [String] {
        var lines = ["Name:      \(location)", "MediaType: \(root.mediaType.rawValue)", "Digest:    \(root.digest)"]
        guard !entries.isEmpty else { return lines }
        lines += ["", "Manifests:"]
        for entry in entries {
            let descriptor = entry.descriptor
            lines += [
                "  Name:        \(location)@\(descriptor.digest)", "  Digest:      \(descriptor.digest)",
                "  MediaType:   \(descriptor.mediaType.rawValue)",
                "  Platform:    \(descriptor.platform.map(\.description) ?? "none")",
            ]
            if let subject = entry.subject { lines.append("  About:       \(subject)") }
            for (key, value) in descriptor.annotations.sorted(by: { $0.key < $1.key }) {
                lines.append("  Annotation:  \(key)=\(value)")
            }
            lines.append("")
        }
        return Array(lines.dropLast())
    }
}
