import Diagnostics
import Images
import OCI
import Registry

/// An image in a registry, as skopeo shows it, without its layers being fetched.
struct RemoteInspection {
    let reference: ImageReference
    let registry: RegistryAccess
    let platform: Platform
    let listsTags: Bool

    /// The bytes of the manifest or index that the name stands for.
    func rawManifest() async throws -> [UInt8] { try await registry.client.fetchManifest(reference).bytes }

    /// The bytes of the image's config.
    func config() async throws -> [UInt8] {
        let image = try await registry.client.resolve(reference, platform: platform)
        return try await registry.client.blob(image.manifest.config, of: reference)
    }

    /// The document that `skopeo inspect` prints.
    func document() async throws -> JSON {
        let image = try await registry.client.resolve(reference, platform: platform)
        let config = try JSON(parsing: try await registry.client.blob(image.manifest.config, of: reference))
        let tags = listsTags ? try await tags() : []
        let layers = image.manifest.layers
        let labels = config["config"]?["Labels"]
        let variant = config["variant"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        return .object(
            ("Name", .string(reference.name)), ("Digest", .string(image.rootDescriptor.digest.description)),
            ("RepoTags", .array(tags.map(JSON.string))), ("Created", config["created"] ?? .null),
            ("DockerVersion", config["docker_version"] ?? .string("")),
            ("Labels", labels?.object?.isEmpty == false ? labels : .null),
            ("Architecture", config["architecture"] ?? .string("")), ("Variant", variant.map(JSON.string)),
            ("Os", config["os"] ?? .string("")),
            ("Layers", .array(layers.map { .string($0.digest.description) })),
            ("LayersData", .array(layers.map(Self.layer))), ("Env", config["config"]?["Env"] ?? .null))
    }

    private static func layer(_ layer: Descriptor) -> JSON {
        .object(
            ("MIMEType", .string(layer.mediaType.rawValue)), ("Digest", .string(layer.digest.description)),
            ("Size", .integer(layer.size)), ("Annotations", JSON.sortedMap(layer.annotations) ?? .null))
    }

    /// The tags of the repository; a registry that does not let them be listed has none to show.
    private func tags() async throws -> [String] {
        do { return try await registry.client.tags(of: reference) } catch let error as RegistryError
            where [.denied, .unauthorised, .notFound, .rejected].contains(error.code)
        {
            NetworkNotice.report("\(error.message); showing the image without them")
            return []
        }
    }
}
