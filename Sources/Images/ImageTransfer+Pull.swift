import Diagnostics
import Linux
package import OCI
import Registry
package import Store
package import Transports
import Trees

extension ImageTransfer {
    /// Pulls an image with all layers of one platform, and names its root in the store when all of it is there.
    ///
    /// With `unpacker` the layers are unpacked, while they arrive.
    package func pull(
        _ reference: ImageReference, platform: Platform, unpacker: SnapshotUnpacker? = nil,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> StoredImage {
        let lease = try store.lease()
        let image = try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            let learned = try await learn(reference, platform: platform) { report(.resolved($0, layers: $1)) }
            if let unpacker { _ = try await unpacker.all(of: LayerStack(ofImage: learned.config.diffIDs)) }
            try await fetchLayers(of: learned.image, report: report)
            return try await offload { [self] in try record(learned, as: [reference]) }
        }
        _ = consume lease
        return image
    }

    /// Learns from its registry what an image is, and names its root in the store, where its layers need not be: they
    /// are fetched when they are needed. The registry must say that it has them, or the name stays where it is; if that
    /// turns out untrue, ``giveBackNames()`` gives the name back.
    ///
    /// `root` is what the name stands for already, of which another platform is wanted.
    package func resolve(
        _ reference: ImageReference, platform: Platform, below root: Digest? = nil
    ) async throws -> StoredImage {
        let lease = try store.lease()
        let learned = try await learn(reference, platform: platform, below: root)
        let absent = try await offload { [store] in
            try learned.manifest.layers.filter { try !store.content.contains($0.digest) && $0.urls.isEmpty }
        }
        if let missing = try await registry.client.missingBlobs(of: absent, in: reference).first {
            throw ImagesError(
                .layerGone, "the layer \(missing.digest) of \(reference) cannot be had: its registry does not have it",
                hint: "Push the image again, or use another one.")
        }
        let image = try await offload { [self] in
            let former = try store.images.image(named: reference)
            let image = try record(learned, as: [reference])
            moved.note(reference, to: image, root: learned.root.digest, from: former)
            return image
        }
        _ = consume lease
        return image
    }

    /// The documents of an image in a registry. They are in the store, where nothing names them yet.
    struct LearnedImage: Sendable {
        let root: Descriptor
        let manifest: Manifest
        let descriptor: Descriptor
        let config: ImageConfig
        let location: BlobLocation

        /// The image as far as layers are to be fetched.
        var image: StoredImage {
            StoredImage(
                id: manifest.config.digest, platform: config.platform, created: config.created,
                diffIDs: config.diffIDs, size: 0, manifest: descriptor, layers: manifest.layers)
        }
    }

    private func record(_ learned: LearnedImage, as names: [ImageReference]) throws -> StoredImage {
        try save(
            learned.root, at: learned.location.encoded, learned.manifest, learned.descriptor, learned.config, as: names)
    }

    private func find(
        _ reference: ImageReference, platform: Platform, below root: Digest?
    ) async throws -> ResolvedImage {
        if let root {
            let pinned = reference.with(tag: nil, digest: root)
            do { return try await registry.client.resolve(pinned, platform: platform) } catch let error as RegistryError
                where error.code == .notFound
            {
                // The registry has dropped that index since: what the name means now has to do.
            }
        }
        return try await registry.client.resolve(reference, platform: platform)
    }

    private func learn(
        _ reference: ImageReference, platform: Platform, below root: Digest? = nil,
        resolved: @Sendable (Descriptor, [Descriptor]) -> Void = { _, _ in }
    ) async throws -> LearnedImage {
        try await learn(try await find(reference, platform: platform, below: root), of: reference, resolved: resolved)
    }

    func learn(
        _ found: ResolvedImage, of reference: ImageReference,
        resolved: @Sendable (Descriptor, [Descriptor]) -> Void = { _, _ in }
    ) async throws -> LearnedImage {
        let manifest = found.manifest
        resolved(found.manifestDescriptor, manifest.layers)
        for layer in manifest.layers where !layer.mediaType.isLayer {
            throw ImagesError(
                .unsupported,
                "the layer \(layer.digest) of \(reference) is of type \(layer.mediaType.rawValue), which cannot be unpacked"
            )
        }
        try await registry.client.fetchBlob(manifest.config, of: reference, into: store.content)
        return try await offload { [self] in
            guard let bytes = try store.content.bytes(of: manifest.config.digest) else {
                throw ImagesError(.corrupt, "the config of \(reference) vanished from the store")
            }
            let config = try ImageConfig(parsing: bytes)
            guard config.diffIDs.count == manifest.layers.count else {
                throw ImagesError(
                    .badArchive,
                    "the manifest of \(reference) has \(manifest.layers.count) layers, its config \(config.diffIDs.count)",
                    hint: "The image is damaged, or is no container image.")
            }
            let location = BlobLocation(repositoryOf: reference)
            try note(manifest.layers, config.diffIDs, at: location)
            _ = try store.content.save(found.manifestBytes)
            _ = try store.content.save(found.rootBytes)
            return LearnedImage(
                root: found.rootDescriptor, manifest: manifest, descriptor: found.manifestDescriptor, config: config,
                location: location)
        }
    }

    /// Notes where the layers of an image can be had.
    package func note(_ layers: [Descriptor], _ diffIDs: [DiffID], at location: BlobLocation) throws {
        try store.layers.addSources(
            zip(diffIDs, layers).map { diffID, layer in
                let blob = Descriptor(mediaType: layer.mediaType, digest: layer.digest, size: layer.size)
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
        var reported: Set<Digest> = []
        for (_, blob) in blobs where present.contains(blob.digest) && reported.insert(blob.digest).inserted {
            report(.layerExists(blob))
        }
        let missing = blobs.filter { !present.contains($0.1.digest) }.map { (diffID: $0.0, blob: $0.1) }
        let progress = Self.progress(report)
        do {
            try await fetcher.requireBlobs(missing, report: progress)
        } catch let error as ImagesError where error.code == .layerGone {
            guard try await offload({ [store] in try store.layers.areWithinReach(image.diffIDs) }) else { throw error }
        }
        try await fetcher.requireContent(image.diffIDs, report: progress)
        try await fetcher.requireLists(image.diffIDs, report: progress)
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
        try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            try await fetcher.requireLists(image.diffIDs, report: Self.progress(report))
        }
        _ = consume lease
    }

    /// Whether the bytes of some layers of an image, by their indexes, are in the store.
    package func hasContent(of image: StoredImage, in layers: Set<Int>) throws -> Bool {
        let chains = ChainID.prefixes(of: image.diffIDs)
        return try layers.allSatisfy { index in
            try store.layers.isHere(image.diffIDs[index], as: chains[index])
        }
    }

    /// Brings some layers of an image into the store, in whatever form they can be had.
    package func fetchContent(
        of image: StoredImage, in layers: Set<Int>, report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        let lease = try store.lease()
        try await fetcher.requireContent(image.diffIDs, only: layers.sorted(), report: Self.progress(report))
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
