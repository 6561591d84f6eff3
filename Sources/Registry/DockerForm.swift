import OCI

/// Manifests and indexes with Docker's media types instead of OCI's, for registries that know no others.
///
/// Annotations are left out, as Docker's format has none. Source: the distribution project's "Image Manifest Version 2,
/// Schema 2".
enum DockerForm {
    /// The same image or index; `nil` if the document has Docker's types already, or something in it has no type there,
    /// such as zstd layers and attestations.
    static func document(_ bytes: [UInt8], _ type: MediaType) -> ([UInt8], MediaType)? {
        switch type {
        case .ociManifest:
            guard let manifest = try? Manifest(parsing: bytes, declared: type) else { return nil }
            let layers = manifest.layers.compactMap(converted)
            guard let config = converted(manifest.config), layers.count == manifest.layers.count else { return nil }
            return (Manifest(mediaType: .dockerManifest, config: config, layers: layers).encoded, .dockerManifest)
        case .ociIndex:
            guard let index = try? Index(parsing: bytes, declared: type) else { return nil }
            let entries = index.manifests.map { entry in
                Descriptor(mediaType: entry.mediaType, digest: entry.digest, size: entry.size, platform: entry.platform)
            }
            return (Index(mediaType: .dockerIndex, manifests: entries).encoded(.pretty(2)), .dockerIndex)
        default: return nil
        }
    }

    /// The descriptor of a config or layer with Docker's name of its type.
    private static func converted(_ descriptor: Descriptor) -> Descriptor? {
        guard let type = MediaForm.docker.type(for: descriptor.mediaType) else { return nil }
        return Descriptor(mediaType: type, digest: descriptor.digest, size: descriptor.size, urls: descriptor.urls)
    }
}
