import Diagnostics
import Images
import OCI
import Registry
import Transports

/// An image outside of the store, as skopeo shows it, without its layers being fetched.
struct RemoteInspection {
    let location: ImageLocation
    let registry: RegistryAccess
    let platform: Platform
    let listsTags: Bool

    private func reader() throws -> any ImageReader {
        try ImageTransports.reader(location, registry) {
            throw TransportsError(
                .badName, "'\(location)' is an image of the store", hint: "Leave --raw and --config out.")
        }
    }

    /// The bytes of the manifest or index that the name stands for.
    func rawManifest() async throws -> [UInt8] { try await reader().root().bytes }

    /// The bytes of the image's config.
    func config() async throws -> [UInt8] {
        let reader = try reader()
        return try await config(of: image(below: reader.root(), reader), reader)
    }

    /// The manifest for the platform below a document.
    private func image(below root: ImageDocument, _ reader: any ImageReader) async throws -> Manifest {
        var current = root
        for _ in 0..<4 where current.isIndex {
            let index = try Index(parsing: current.bytes, declared: current.descriptor.mediaType)
            current = try await reader.document(try index.manifest(for: platform))
        }
        guard !current.isIndex else {
            throw TransportsError(.unsupported, "the indexes of '\(location)' are nested more than 4 deep")
        }
        return try current.manifest()
    }

    private func config(of manifest: Manifest, _ reader: any ImageReader) async throws -> [UInt8] {
        let sink = MemorySink(limit: BlobTree.documentLimit)
        try await reader.copy(manifest.config, into: sink) { _ in }
        return sink.bytes
    }

    /// The document that `skopeo inspect` prints.
    func document() async throws -> JSON {
        let reader = try reader()
        let root = try await reader.root()
        let manifest = try await image(below: root, reader)
        let config = try JSON(parsing: try await config(of: manifest, reader))
        let tags = try await tags()
        let labels = config["config"]?["Labels"]
        let variant = config["variant"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        return .object(
            ("Name", name.map(JSON.string)), ("Digest", .string(root.descriptor.digest.description)),
            ("RepoTags", .array(tags.map(JSON.string))), ("Created", config["created"] ?? .null),
            ("DockerVersion", config["docker_version"] ?? .string("")),
            ("Labels", labels?.object?.isEmpty == false ? labels : .null),
            ("Architecture", config["architecture"] ?? .string("")), ("Variant", variant.map(JSON.string)),
            ("Os", config["os"] ?? .string("")),
            ("Layers", .array(manifest.layers.map { .string($0.digest.description) })),
            ("LayersData", .array(manifest.layers.map(Self.layer))), ("Env", config["config"]?["Env"] ?? .null))
    }

    private static func layer(_ layer: Descriptor) -> JSON {
        .object(
            ("MIMEType", .string(layer.mediaType.rawValue)), ("Digest", .string(layer.digest.description)),
            ("Size", .integer(layer.size)), ("Annotations", JSON.sortedMap(layer.annotations) ?? .null))
    }

    /// The repository of an image in a registry.
    private var name: String? {
        guard case .registry(let reference) = location else { return nil }
        return reference.name
    }

    /// The tags of the repository; a registry that does not let them be listed has none to show, as has a file.
    private func tags() async throws -> [String] {
        guard listsTags, case .registry(let reference) = location else { return [] }
        do { return try await registry.client.tags(of: reference) } catch let error as RegistryError
            where [.denied, .unauthorised, .notFound, .rejected].contains(error.code)
        {
            NetworkNotice.report("\(error.message); showing the image without them")
            return []
        }
    }
}
