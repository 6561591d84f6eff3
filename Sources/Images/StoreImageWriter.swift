import Diagnostics
import Linux
package import OCI
import Registry
package import Store
import Synchronization
package import Transports

extension Manifest {
    /// Whether it is the manifest of a container image, and not of something else that is kept in registries.
    var isContainerImage: Bool {
        layers.allSatisfy(\.mediaType.isLayer)
            && (config.mediaType == .ociConfig || config.mediaType == .dockerConfig)
    }
}

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
    private let leavesLayers: Bool
    private let lease: StoreLease
    private let state = Mutex(State())

    /// `leavesLayers` leaves layers where they are if a registry has them: they are fetched when they are needed.
    package init(_ images: ImageTransfer, names: [ImageReference], leavesLayers: Bool = false) throws {
        lease = try images.store.lease()
        self.images = images
        self.names = names
        self.leavesLayers = leavesLayers
    }

    package var capacity: WriterCapacity { WriterCapacity() }

    /// The image that the names stand for on this machine, after ``finish()``.
    package var image: StoredImage? { state.withLock { $0.image } }

    package func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let left = leavesLayers ? try await layersElsewhere(document, source) : [:]
        let wanted = blobs.filter { left[$0.digest] == nil }
        let sink = IndexingSink(storage: images.storage)
        try await BlobWriting.copy(wanted, from: source, into: sink, limit: 4, report: report)
        let part = try await offload { [images] in
            if !document.isMade { _ = try images.store.content.save(document.bytes) }
            return try Self.part(document, in: images, left)
        }
        if let part { try await index(part, left) }
        state.withLock { state in
            if let part { state.parts.append(part) }
            if isRoot { state.root = document }
        }
        return document.bare
    }

    /// The layers of an image that stay in a registry, which says that it has them.
    private func layersElsewhere(
        _ document: ImageDocument, _ source: BlobProvider
    ) async throws -> [Digest: BlobLocation] {
        guard document.descriptor.mediaType.isManifest, let manifest = try? document.manifest(),
            manifest.isContainerImage
        else { return [:] }
        let absent = try await offload { [images] in
            try manifest.layers.filter { try !images.store.content.contains($0.digest) && $0.urls.isEmpty }
        }
        var places: [ImageReference: [Descriptor]] = [:]
        for layer in absent where source.made[layer.digest] == nil {
            guard let place = try await source.reader.origin(ofLater: layer) else { continue }
            places[place.with(tag: nil, digest: nil), default: []].append(layer)
        }
        var found: [Digest: BlobLocation] = [:]
        for (place, layers) in places {
            let missing = Set(try await images.registry.client.missingBlobs(of: layers, in: place).map(\.digest))
            for layer in layers where !missing.contains(layer.digest) {
                found[layer.digest] = BlobLocation(repositoryOf: place)
            }
        }
        return found
    }

    /// The image that a manifest stands for, whose layers are then known; `nil` for an index or something else. The layers
    /// in `left` are elsewhere.
    private static func part(
        _ document: ImageDocument, in images: ImageTransfer, _ left: [Digest: BlobLocation]
    ) throws -> RootPart? {
        guard document.descriptor.mediaType.isManifest else { return nil }
        let manifest = try document.manifest()
        guard manifest.isContainerImage,
            let bytes = try images.store.content.bytes(of: manifest.config.digest, limit: BlobTree.documentLimit)
        else { return nil }
        let config = try ImageConfig(parsing: bytes)
        guard config.diffIDs.count == manifest.layers.count else {
            throw ImagesError(
                .badArchive, "there are \(manifest.layers.count) layers for an image of \(config.diffIDs.count)",
                hint: "The image is damaged: make it or get it again.")
        }
        for (layer, diffID) in zip(manifest.layers, config.diffIDs) {
            if let place = left[layer.digest] { try images.note([layer], [diffID], at: place) }
        }
        return RootPart(descriptor: document.descriptor, manifest: manifest, config: config)
    }

    /// Learns what the layers of an image hold, several at once.
    private func index(_ part: RootPart, _ left: [Digest: BlobLocation]) async throws {
        var seen: Set<[Digest]> = []
        let layers = zip(part.manifest.layers, part.config.diffIDs).filter { layer, diffID in
            left[layer.digest] == nil && seen.insert([layer.digest, diffID.digest]).inserted
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (place, (layer, diffID)) in layers.enumerated() {
                if place >= Processors.online { try await group.next() }
                group.addTask { [images] in
                    try await offload { try images.storage.index(layer, expecting: diffID) }
                }
            }
            try await group.waitForAll()
        }
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
