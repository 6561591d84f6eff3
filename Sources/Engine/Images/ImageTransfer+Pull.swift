import Diagnostics
import Linux
package import OCI
import Registry
package import Store
import Trees

/// How a transfer is going, layer by layer.
package enum TransferEvent: Sendable {
    /// The manifest is known; these layers follow.
    case resolved(Descriptor, layers: [Descriptor])
    case layerExists(Descriptor)
    /// So many bytes of the layer have arrived or left.
    case layerProgress(Descriptor, Int64)
    case layerDone(Descriptor)
    /// Notices of requests that take a while.
    case waiting(String)
}

extension ImageTransfer {
    /// Pulls an image with all its layers, and names it in the store once they are there.
    ///
    /// When that fails, the image that has the name keeps it.
    package func pull(
        _ reference: ImageReference, platform: Platform, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> StoredImage {
        let lease = try store.lease()
        let id = try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            let (image, isNew) = try await describe(reference, platform: platform, as: []) {
                report(.resolved($0, layers: $1))
            }
            do { try await fetchLayers(of: image, report: report) } catch {
                if isNew { try? await offload { [store] in _ = try store.images.removeUnnamed(image.id) } }
                throw error
            }
            return image.id
        }
        let image = try await offload { [store] in
            try store.images.tag(reference, id)
            return try store.images.image(id: id)
        }
        _ = consume lease
        guard let image else {
            throw EngineError(
                .imageNotFound, "the image of \(reference) was removed while it was pulled", hint: "Pull it again.")
        }
        return image
    }

    /// Learns from its registry what an image is, and names it in the store, where its layers need not be: they are
    /// fetched when they are needed.
    package func resolve(_ reference: ImageReference, platform: Platform) async throws -> StoredImage {
        try await describe(reference, platform: platform, as: [reference]).image
    }

    /// Records an image of a registry under `names`, with its registry as the source of its layers.
    ///
    /// - Returns: the image, and whether the store did not have it before.
    private func describe(
        _ reference: ImageReference, platform: Platform, as names: [ImageReference],
        resolved: @Sendable (Descriptor, [Descriptor]) -> Void = { _, _ in }
    ) async throws -> (image: StoredImage, isNew: Bool) {
        let lease = try store.lease()
        let client = registry.client
        let found = try await client.resolve(reference, platform: platform)
        let manifest = found.manifest
        resolved(found.manifestDescriptor, manifest.layers)
        for layer in manifest.layers where !layer.mediaType.isLayer {
            throw EngineError(
                .unsupported,
                "the layer \(layer.digest) of \(reference) is of type \(layer.mediaType.rawValue), which cannot be unpacked"
            )
        }
        try await client.fetchBlob(manifest.config, of: reference, into: store.content)
        let described = try await offload { [self] in
            guard let bytes = try store.content.bytes(of: manifest.config.digest) else {
                throw EngineError(.corrupt, "the config of \(reference) vanished from the store")
            }
            let config = try ImageConfig(parsing: bytes)
            guard config.diffIDs.count == manifest.layers.count else {
                throw EngineError(
                    .badArchive,
                    "the manifest of \(reference) has \(manifest.layers.count) layers, its config \(config.diffIDs.count)",
                    hint: "The image is damaged, or is no container image.")
            }
            try note(manifest.layers, config.diffIDs, at: BlobLocation(repositoryOf: reference))
            _ = try store.content.save(found.manifestBytes)
            let isNew = try store.images.image(id: manifest.config.digest) == nil
            let image = try save(
                manifest.config.digest, config, manifest: found.manifestDescriptor, layers: manifest.layers, as: names)
            return (image, isNew)
        }
        _ = consume lease
        return described
    }

    /// Notes where the layers of an image can be had.
    func note(_ layers: [Descriptor], _ diffIDs: [DiffID], at location: BlobLocation) throws {
        try store.layers.addSources(
            zip(diffIDs, layers).map { diffID, layer in
                let blob = LayerBlob(mediaType: layer.mediaType, digest: layer.digest, size: layer.size)
                return (diffID, LayerSource(blob: blob, location: location.encoded))
            })
    }

    /// Brings those layers of an image into the store that are elsewhere: the blobs that its manifest names or, when one
    /// cannot be had any more, at least the layers in some form.
    package func fetchLayers(
        of image: StoredImage, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws {
        let blobs = image.layers.count == image.diffIDs.count ? Array(zip(image.diffIDs, image.layers)) : []
        let present = try await offload { [store] in
            Set(try blobs.map(\.1.digest).filter { try store.content.contains($0) })
        }
        for digest in present {
            if let blob = blobs.first(where: { $0.1.digest == digest }) { report(.layerExists(blob.1)) }
        }
        let missing = blobs.filter { !present.contains($0.1.digest) }.map { (diffID: $0.0, blob: $0.1) }
        let progress = Self.progress(report)
        do {
            try await supply.requireBlobs(missing, report: progress)
        } catch let error as EngineError where error.code == .layerGone {
            guard try await offload({ [store] in try store.layers.areWithinReach(image.diffIDs) }) else { throw error }
        }
        try await supply.requireContent(image.diffIDs, report: progress)
        try await supply.requireLists(image.diffIDs, report: progress)
    }

    /// Whether it is known which files the layers of an image hold.
    package func knowsFiles(of image: StoredImage) throws -> Bool {
        try image.diffIDs.allSatisfy { try store.layers.layer($0) != nil || !store.layers.hasSource($0) }
    }

    /// Makes sure that it is known which files the layers of an image hold.
    package func fetchLists(
        of image: StoredImage, report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        let lease = try store.lease()
        try await supply.requireLists(image.diffIDs, report: Self.progress(report))
        _ = consume lease
    }

    private static func progress(_ report: @escaping @Sendable (TransferEvent) -> Void) -> LayerFetcher.Report {
        { event in
            switch event {
            case .fetching(_, let layer, let count, _): report(.layerProgress(layer, count))
            case .fetched(_, let layer): report(.layerDone(layer))
            }
        }
    }
}
