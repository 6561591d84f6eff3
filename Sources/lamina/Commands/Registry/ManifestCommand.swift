import ArgumentParser
import Images
import Logins
import OCI
import Registry

struct ManifestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest", abstract: "Look at manifests and indexes in registries.",
        subcommands: [ManifestInspectCommand.self])
}

struct ManifestInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print the manifest or index that a name stands for in its registry.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Flag(name: .shortAndLong, help: "Print descriptors and platforms as well, of an index for every manifest.")
    var verbose = false

    @Argument(help: ArgumentHelp("The manifest or index.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        try await global.run {
            let reference = try await registries.reference(for: RemoteName.image(name), login)
            let text = try await registries.access(login, for: reference) { registry in
                let (descriptor, bytes) = try await registry.client.fetchManifest(reference)
                guard verbose else { return try JSON(parsing: bytes).text(.tabs) }
                return try await details(reference, descriptor, bytes, registry).text(.tabs)
            }
            say(text)
        }
    }

    /// The document that `docker manifest inspect -v` prints: one object, or an array for an index.
    private func details(
        _ reference: ImageReference, _ descriptor: Descriptor, _ bytes: [UInt8], _ registry: RegistryAccess
    ) async throws -> JSON {
        guard descriptor.mediaType.isIndex else {
            let manifest = try Manifest(parsing: bytes, declared: descriptor.mediaType)
            let config = try? ImageConfig(parsing: try await registry.client.blob(manifest.config, of: reference))
            return Self.entry(reference.description, descriptor, config?.platform, bytes)
        }
        var entries: [JSON] = []
        for entry in try Index(parsing: bytes, declared: descriptor.mediaType).manifests {
            let child = reference.with(tag: nil, digest: entry.digest)
            let (_, bytes) = try await registry.client.fetchManifest(child)
            let name = "\(reference.with(tag: reference.tag, digest: nil))@\(entry.digest)"
            entries.append(Self.entry(name, entry, entry.platform, bytes))
        }
        return .array(entries)
    }

    private static func entry(
        _ name: String, _ descriptor: Descriptor, _ platform: Platform?, _ bytes: [UInt8]
    ) -> JSON {
        let isDocker = descriptor.mediaType == .dockerManifest
        let found = Descriptor(
            mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size, platform: platform)
        return .object(
            ("Ref", .string(name)), ("Descriptor", found.json), ("Raw", .string(bytes.base64Encoded)),
            (isDocker ? "SchemaV2Manifest" : "OCIManifest", try? JSON(parsing: bytes)))
    }
}
