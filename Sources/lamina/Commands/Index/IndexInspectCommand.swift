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
            let root = try await global.withIndexes(registries, login, for: location) {
                try await $0.source(name).root()
            }
            guard !raw else { return CommandResult.write(root.bytes) }
            let entries = root.isIndex ? try IndexDocument(parsing: root.bytes).entries : []
            guard !document.isDocument else {
                return try document.show(
                    ("name", .string("\(location)")), ("mediaType", .string(root.descriptor.mediaType.rawValue)),
                    ("digest", .string(root.descriptor.digest.description)),
                    ("manifests", .array(entries.map(\.descriptor.json))),
                    ("manifest", Self.manifest(root.descriptor, entries)))
            }
            for line in Self.lines(location, root.descriptor, entries) { say(TerminalText.line(line)) }
        }
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
                "  Digest:      \(descriptor.digest)", "  MediaType:   \(descriptor.mediaType.rawValue)",
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
