import Diagnostics
import Linux
package import OCI
package import Store
import Synchronization
package import Transports

/// An image below a root, as its documents say it.
struct RootPart: Sendable {
    let descriptor: Descriptor
    let manifest: Manifest
    let config: ImageConfig
}

/// Takes an image into the store: all of its platforms, and what else belongs to it.
package final class StoreImageWriter: ImageWriter {
    private struct State {
        var root: ImageDocument?
        var parts: [RootPart] = []
        var image: StoredImage?
    }

    private let images: ImageTransfer
    private let names: [ImageReference]
    private let lease: StoreLease
    private let state = Mutex(State())

    package init(_ images: ImageTransfer, names: [ImageReference]) throws {
        lease = try images.store.lease()
        self.images = images
        self.names = names
    }

    package var capacity: WriterCapacity { WriterCapacity() }

    /// The image that the names stand for on this machine, after ``finish()``.
    package var image: StoredImage? { state.withLock { $0.image } }

    package func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        try await BlobWriting.copy(blobs, from: source, into: images.store.content, limit: 4, report: report)
        let part = try await offload { [images] in
            if !document.isMade { _ = try images.store.content.save(document.bytes) }
            return try Self.part(document, in: images)
        }
        state.withLock { state in
            if let part { state.parts.append(part) }
            if isRoot { state.root = document }
        }
        return document.bare
    }

    /// The image that a manifest stands for, whose layers are then known; `nil` for an index or something else.
    private static func part(_ document: ImageDocument, in images: ImageTransfer) throws -> RootPart? {
        guard document.descriptor.mediaType.isManifest else { return nil }
        let manifest = try document.manifest()
        guard manifest.layers.allSatisfy(\.mediaType.isLayer),
            manifest.config.mediaType == .ociConfig || manifest.config.mediaType == .dockerConfig,
            let bytes = try images.store.content.bytes(of: manifest.config.digest, limit: BlobTree.documentLimit)
        else { return nil }
        let config = try ImageConfig(parsing: bytes)
        guard config.diffIDs.count == manifest.layers.count else {
            throw ImagesError(
                .badArchive, "there are \(manifest.layers.count) layers for an image of \(config.diffIDs.count)",
                hint: "The image is damaged: make it or get it again.")
        }
        for (layer, diffID) in zip(manifest.layers, config.diffIDs) {
            try images.storage.index(layer, expecting: diffID)
        }
        return RootPart(descriptor: document.descriptor, manifest: manifest, config: config)
    }

    package func finish() async throws {
        let (root, parts) = state.withLock { ($0.root, $0.parts) }
        guard let root else { return }
        guard let first = parts.first else {
            throw ImagesError(
                .unsupported, "\(root.descriptor.digest) is no image of a container, and the store keeps no others",
                hint: "Copy it to a registry or to an OCI layout.")
        }
        let image = try await offload { [images, names] in
            guard root.isMade else { return try images.save(root.bare, at: nil, parts, as: names) }
            return try images.save(
                first.manifest.config.digest, first.config, manifest: nil, layers: first.manifest.layers, as: names)
        }
        state.withLock { $0.image = image }
    }
}
