import Diagnostics
import Linux
package import OCI
package import Registry
package import Store
import Synchronization
package import Transports

/// Reads an image of the store, with what of it is elsewhere.
package final class StoreImageReader: ImageReader {
    /// The places of blobs that the store lacks.
    private struct Places {
        var layers: [Digest: [BlobLocation]] = [:]
        /// The place of all others.
        var other: BlobLocation?
        /// The manifests that are made when they are read, as those of images that were built here are.
        var manifests: [Digest: ImageDocument] = [:]
    }

    private let images: ImageTransfer
    private let text: String
    /// The root that is read, whatever its names stand for by now; `nil` where the text tells it.
    private let given: ImageRoot?
    private let lease: StoreLease
    private let places = Mutex(Places())

    /// `text` is a name, which stands for all of its root, or an ID, which stands for one image.
    ///
    /// Throws ``ImagesError`` `.imageNotFound`.
    package init(_ text: String, in images: ImageTransfer) throws {
        lease = try images.store.lease()
        self.images = images
        self.text = try images.fullName(text)
        given = nil
        _ = try images.image(text)
    }

    /// Reads an index of the store.
    package init(_ index: ImageRoot, in images: ImageTransfer) throws {
        lease = try images.store.lease()
        self.images = images
        text = index.names.first?.familiar ?? index.descriptor.digest.description
        given = index
    }

    package func root() async throws -> ImageDocument {
        try await offload { [self] in
            if let index = try index() { return index }
            return try manifest(of: images.image(text))
        }
    }

    /// The manifest of an image, made now if it was built here.
    private func manifest(of image: StoredImage) throws -> ImageDocument {
        let (manifest, bytes) = try images.manifest(of: image, mayBeElsewhere: true)
        for (layer, diffID) in zip(manifest.layers, image.diffIDs) {
            try find(layer, diffID)
        }
        let descriptor = Descriptor(
            mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count), platform: image.platform
        )
        let document = ImageDocument(descriptor, bytes)
        places.withLock { $0.manifests[descriptor.digest] = document }
        return document
    }

    /// Learns where a layer is that the store may lack.
    private func find(_ layer: Descriptor, _ diffID: DiffID) throws {
        let sources = try images.store.layers.sources(of: diffID).filter { $0.blob.digest == layer.digest }
        places.withLock { $0.layers[layer.digest] = sources.compactMap { BlobLocation(decoding: $0.location) } }
    }

    /// The index that is read, if it is one.
    private func index() throws -> ImageDocument? {
        let named = try (try? ImageReference(parsing: text)).flatMap { try images.store.images.root(named: $0) }
        guard let root = given ?? named, root.descriptor.mediaType.isIndex else { return nil }
        guard let bytes = try images.store.content.bytes(of: root.descriptor.digest, limit: BlobTree.documentLimit)
        else { throw ImagesError(.corrupt, "the store has lost the index \(root.descriptor.digest)") }
        if root.origin == .made { return try madeIndex(root, bytes) }
        for image in root.images where image.layers.count == image.diffIDs.count {
            for (layer, diffID) in zip(image.layers, image.diffIDs) { try find(layer, diffID) }
        }
        places.withLock { $0.other = root.location.flatMap(BlobLocation.init(decoding:)) }
        return ImageDocument(root.descriptor, bytes)
    }

    /// The index of images that were built here, with the manifests that are made of them now.
    private func madeIndex(_ root: ImageRoot, _ bytes: [UInt8]) throws -> ImageDocument {
        let index = try Index(parsing: bytes, declared: root.descriptor.mediaType)
        let annotations = Dictionary(index.manifests.map { ($0.digest, $0.annotations) }, uniquingKeysWith: { $1 })
        let entries = try root.images.map { image in
            try manifest(of: image).descriptor.entry(
                for: image.platform, annotations: image.manifest.flatMap { annotations[$0.digest] } ?? [:])
        }
        let made = Index(mediaType: index.mediaType, manifests: entries, annotations: index.annotations)
            .encoded(.pretty(2))
        return ImageDocument(
            Descriptor(mediaType: index.mediaType, digest: Digest(of: made), size: Int64(made.count)), made)
    }

    package func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        if let made = places.withLock({ $0.manifests[descriptor.digest] }) { return made }
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

    package func origin(ofLater blob: Descriptor) async throws -> ImageReference? {
        locations(of: blob).lazy.compactMap { $0.reference(to: blob.digest) }.first
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
