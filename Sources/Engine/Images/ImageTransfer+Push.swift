import Diagnostics
import Linux
package import OCI
import Registry
import Store

extension ImageTransfer {
    /// Pushes an image of the store under a name it has there.
    ///
    /// An image that was pulled travels with the very manifest it came with; of one that was built the layers are
    /// compressed now, once.
    /// - Returns: the descriptor of the manifest in the registry.
    package func push(
        _ reference: ImageReference,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> Descriptor {
        let lease = try store.lease()
        guard let image = try store.images.image(named: reference) else {
            throw EngineError(
                .imageNotFound, "An image does not exist locally with the tag: \(reference.familiar)",
                hint: "Build it with -t \(reference.familiar), or tag an image so.")
        }
        let (manifest, bytes) = try await offload { [self] in try self.manifest(of: image) }
        let descriptor = Descriptor(mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
        report(.resolved(descriptor, layers: manifest.layers))
        let pushed = try await registry.client.push(
            manifest: bytes, type: manifest.mediaType, blobs: manifest.layers + [manifest.config],
            from: store.content, as: reference
        ) { blob, event in
            switch event {
            case .exists, .mounted: report(.layerExists(blob))
            case .sent(let count) where count == blob.size: report(.layerDone(blob))
            case .sent(let count): report(.layerProgress(blob, count))
            }
        }
        _ = consume lease
        return pushed
    }

    /// The manifest of an image with all its blobs in the store: the one it came with, else one made now.
    func manifest(
        of image: StoredImage, compression: Compression = .gzip
    ) throws -> (manifest: Manifest, bytes: [UInt8]) {
        if let stored = image.manifest, let bytes = try store.content.bytes(of: stored.digest) {
            let manifest = try Manifest(parsing: bytes, declared: stored.mediaType)
            let isComplete = try manifest.layers.allSatisfy { try store.content.contains($0.digest) }
            if isComplete { return (manifest, bytes) }
        }
        let layers = try storage.blobs(of: image.diffIDs, as: compression)
        guard let size = try store.content.size(of: image.id) else {
            throw EngineError(.corrupt, "the config of image \(image.id) is missing from the store")
        }
        let manifest = Manifest(
            config: Descriptor(mediaType: .ociConfig, digest: image.id, size: size), layers: layers.map(\.asOCILayer),
            annotations: image.annotations)
        return (manifest, manifest.encoded)
    }
}

extension Descriptor {
    /// The same blob with OCI's name of its type, as an OCI manifest wants it.
    fileprivate var asOCILayer: Descriptor {
        guard let compression = mediaType.compression else { return self }
        return Descriptor(mediaType: .ociLayer(compression), digest: digest, size: size)
    }
}
