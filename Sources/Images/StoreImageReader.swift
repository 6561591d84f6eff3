import Diagnostics
import Linux
package import OCI
package import Registry
import Store
import Synchronization
package import Transports

/// Reads an image of the store, with what of it is elsewhere.
package final class StoreImageReader: ImageReader {
    /// Where blobs can be had that the store lacks.
    private struct Places {
        var layers: [Digest: [BlobLocation]] = [:]
        /// The place of all others.
        var other: BlobLocation?
        /// The manifest of one image, which is made when it is read if it was built here.
        var manifest: ImageDocument?
    }

    private let images: ImageTransfer
    private let text: String
    private let lease: StoreLease
    private let places = Mutex(Places())

    /// `text` is a name, which stands for all of its root, or an ID, which stands for one image.
    ///
    /// Throws ``ImagesError`` `.imageNotFound`.
    package init(_ text: String, in images: ImageTransfer) throws {
        lease = try images.store.lease()
        self.images = images
        self.text = text
        _ = try images.image(text)
    }

    package func root() async throws -> ImageDocument {
        try await offload { [self] in
            if let index = try index() { return index }
            let image = try images.image(text)
            let (manifest, bytes) = try images.manifest(of: image, mayBeElsewhere: true)
            for (layer, diffID) in zip(manifest.layers, image.diffIDs) {
                let sources = try images.store.layers.sources(of: diffID).filter { $0.blob.digest == layer.digest }
                places.withLock { $0.layers[layer.digest] = sources.compactMap { BlobLocation(decoding: $0.location) } }
            }
            let descriptor = Descriptor(
                mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count),
                platform: image.platform)
            let document = ImageDocument(descriptor, bytes)
            places.withLock { $0.manifest = document }
            return document
        }
    }

    /// The index that the name stands for, if it is one.
    private func index() throws -> ImageDocument? {
        guard let reference = try? ImageReference(parsing: text),
            let root = try images.store.images.root(named: reference), root.descriptor.mediaType.isIndex
        else { return nil }
        guard let bytes = try images.store.content.bytes(of: root.descriptor.digest, limit: BlobTree.documentLimit)
        else { throw ImagesError(.corrupt, "the store has lost the index \(root.descriptor.digest)") }
        places.withLock { $0.other = root.location.flatMap(BlobLocation.init(decoding:)) }
        return ImageDocument(root.descriptor, bytes)
    }

    package func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        let made = places.withLock { $0.manifest }
        if let made, made.descriptor.digest == descriptor.digest { return made }
        let known = try await offload { [images] in
            try images.store.content.bytes(of: descriptor.digest, limit: BlobTree.documentLimit)
        }
        if let known { return ImageDocument(descriptor, known) }
        guard let reference = places.withLock({ $0.other })?.reference(to: descriptor.digest) else {
            throw lost(descriptor)
        }
        return ImageDocument(descriptor, try await images.registry.client.fetchManifest(reference).bytes)
    }

    private func locations(of blob: Descriptor) -> [BlobLocation] {
        places.withLock { places in (places.layers[blob.digest] ?? []) + [places.other].compactMap(\.self) }
    }

    package func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let content = images.store.content
        if try await offload({ try content.contains(blob.digest) }) {
            return try await BlobCopy.run(
                blob, from: { try content.reader(for: $0, from: $1) }, into: sink, progress: progress)
        }
        let access = BlobAccess(store: images.store, registry: images.registry)
        var failure: (any Error)?
        for location in locations(of: blob) {
            do { return try await access.fetch(blob, from: location, into: sink, progress: progress) } catch {
                guard BlobAccess.isFinal(error) else { throw error }
                failure = failure ?? error
            }
        }
        throw failure ?? lost(blob)
    }

    package func origin(of blob: Descriptor) async throws -> BlobOrigin {
        let content = images.store.content
        if try await offload({ try content.contains(blob.digest) }) {
            return BlobCopy.origin { try content.reader(for: blob, from: $0) }
        }
        let locations = locations(of: blob)
        guard !locations.isEmpty else { throw lost(blob) }
        let access = BlobAccess(store: images.store, registry: images.registry)
        return { access.stream(blob, from: locations, $0) }
    }

    package func repository(with blob: Descriptor, on registry: String) async throws -> String? {
        for case .registry(registry, let repository) in locations(of: blob) { return repository }
        return nil
    }

    private func lost(_ blob: Descriptor) -> ImagesError {
        let platform = blob.platform.map { " for \($0)" } ?? ""
        return ImagesError(
            .imageNotFound, "'\(text)' has an image\(platform) of which the blob \(blob.digest) is not here",
            hint: "Name one platform with --platform, or pull the image again.")
    }
}
