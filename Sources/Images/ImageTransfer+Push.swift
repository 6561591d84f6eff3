import Diagnostics
import Linux
package import OCI
package import Registry
package import Store
package import Transports
import Trees

extension ImageTransfer {
    /// Pushes what a name of the store points to: of an index all of it, or with `platform` its image for that alone.
    ///
    /// - Returns: the descriptor of the manifest or index in the registry.
    package func push(
        _ reference: ImageReference, platform: Platform? = nil,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> Descriptor {
        let lease = try store.lease()
        guard let root = try await offload({ [store] in try store.images.root(named: reference) }) else {
            throw ImagesError(
                .imageNotFound, "An image does not exist locally with the tag: \(reference.familiar)",
                hint: "Build it with -t \(reference.familiar), or tag an image so.")
        }
        let pushed: Descriptor
        if root.descriptor.mediaType.isIndex, platform == nil {
            pushed = try await push(index: root, as: reference, report: report)
        } else {
            let found = try await offload { [self] in
                guard let platform else { return root.defaultImage }
                return try stored(reference, for: platform)
            }
            guard let image = found else {
                throw ImagesError(
                    .imageNotFound,
                    "the store has no image of \(reference.familiar) for \(platform.map(\.description) ?? "any platform")",
                    hint: "Pull it with --platform first.")
            }
            pushed = try await push(image, as: reference, report: report)
        }
        _ = consume lease
        return pushed
    }

    /// Pushes this image of one platform, whatever the name points to in the store.
    ///
    /// An image that was pulled travels with the very manifest it came with; of one that was built the layers are
    /// compressed now, once, each while those before it are sent. Layers that are elsewhere do not pass through the store: the registry takes them from
    /// another of its repositories, or they are handed on as they arrive. Untagged, the image is pushed by its digest
    /// alone.
    package func push(
        _ image: StoredImage, as reference: ImageReference, isTagged: Bool = true,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> Descriptor {
        let lease = try store.lease()
        let (parts, found) = AsyncThrowingStream.makeStream(of: PushPart.self)
        async let made = manifest(of: image, for: reference, to: found, report)
        let pushed = try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            try await registry.client.push(
                parts, from: store.content, as: isTagged ? reference : reference.with(tag: nil, digest: nil),
                progress: Self.pushProgress(report))
        }
        let manifest = try await made
        try await offload { [self] in
            if manifest.layers.count == image.diffIDs.count {
                try note(manifest.layers, image.diffIDs, at: BlobLocation(repositoryOf: reference))
            }
            if let root = image.root, root.digest != pushed.digest {
                try store.images.notePush(of: root.digest, as: reference.with(tag: nil, digest: pushed.digest))
            }
        }
        _ = consume lease
        return pushed
    }

    /// Makes the manifest of an image for a push, and passes on the parts of the image as they are made.
    private func manifest(
        of image: StoredImage, for reference: ImageReference,
        to parts: AsyncThrowingStream<PushPart, any Error>.Continuation,
        _ report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Manifest {
        func pass(_ layers: [(Descriptor, DiffID)]) async throws {
            for part in try await offload({ [self] in try pushParts(of: layers, to: reference) }) {
                // The push has failed.
                if case .terminated = parts.yield(part) { throw CancellationError() }
            }
        }
        do {
            if image.origin == .made || image.manifest == nil {
                for stack in LayerStack(ofImage: image.diffIDs).parts(above: 0) {
                    guard let layer = stack.top else { continue }
                    try await pass([(try await compression.blob(of: stack), layer.diffID)])
                }
            }
            let (manifest, bytes) = try await offload { [self] in try self.manifest(of: image, mayBeElsewhere: true) }
            let descriptor = Descriptor(
                mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
            report(.resolved(descriptor, layers: manifest.layers))
            // Those that are on their way already are passed over.
            try await pass(Array(zip(manifest.layers, image.diffIDs)))
            parts.yield(.blob(manifest.config, origin: nil, stream: nil))
            parts.yield(.manifest(bytes, manifest.mediaType))
            parts.finish()
            return manifest
        } catch {
            parts.finish(throwing: error)
            throw error
        }
    }

    package static func pushProgress(
        _ report: @escaping @Sendable (TransferEvent) -> Void
    ) -> @Sendable (Descriptor, PushEvent) -> Void {
        { blob, event in
            switch event {
            case .exists: report(.layerExists(blob))
            case .mounted(let origin): report(.layerMounted(blob, from: origin))
            case .sent(let count): report(.layerProgress(blob, count))
            case .accepted: report(.layerDone(blob))
            }
        }
    }

    /// Pushes a manifest and its blobs. Its layers need not be in the store.
    package func push(
        _ manifest: [UInt8], type: MediaType, blobs: [Descriptor], layers: [(Descriptor, DiffID)],
        as reference: ImageReference, progress: @escaping @Sendable (Descriptor, PushEvent) -> Void = { _, _ in }
    ) async throws -> Descriptor {
        let known = try await offload { [self] in try pushParts(of: layers, to: reference) }
        let (parts, found) = AsyncThrowingStream.makeStream(of: PushPart.self)
        for part in known { found.yield(part) }
        for blob in blobs { found.yield(.blob(blob, origin: nil, stream: nil)) }
        found.yield(.manifest(manifest, type))
        found.finish()
        return try await registry.client.push(parts, from: store.content, as: reference, progress: progress)
    }

    /// Layers as parts of a push, with the places besides the store that have them.
    private func pushParts(of layers: [(Descriptor, DiffID)], to reference: ImageReference) throws -> [PushPart] {
        let access = BlobAccess(store: store, registry: registry)
        return try layers.map { blob, diffID -> PushPart in
            let locations = try store.layers.sources(of: diffID).filter { $0.blob.digest == blob.digest }
                .compactMap { BlobLocation(decoding: $0.location) }
            var origin: String?
            for case .registry(reference.registry, let repository) in locations { origin = repository }
            var stream: BlobOrigin?
            if !locations.isEmpty, try !store.content.contains(blob.digest) {
                stream = { access.stream(blob, from: locations, $0) }
            }
            return .blob(blob, origin: origin, stream: stream)
        }
    }

    /// The manifest of an image as others get it: the one it came with if all its layers are in the store, else one made
    /// now of what is there. With `mayBeElsewhere` layers count as there when it is known where they can be had.
    ///
    /// With a form the manifest is made in any case.
    package func manifest(
        of image: StoredImage, in form: ManifestForm? = nil, mayBeElsewhere: Bool = false
    ) throws -> (manifest: Manifest, bytes: [UInt8]) {
        try manifest(of: image, in: form, mayBeElsewhere: mayBeElsewhere) {
            try storage.blobs(
                of: LayerStack(ofImage: image.diffIDs), as: { form?.choice($0) ?? .any }, mayBeElsewhere: mayBeElsewhere
            )
        }
    }

    /// The same, with a way to make the layers if the manifest must be made now, as it must for one that is not taken.
    package func manifest(
        of image: StoredImage, in form: ManifestForm?, mayBeElsewhere: Bool = false,
        taking isTaken: (Manifest) -> Bool = { _ in true }, layers: () throws -> [Descriptor]
    ) throws -> (manifest: Manifest, bytes: [UInt8]) {
        if form == nil, image.origin != .made, let stored = image.manifest,
            let bytes = try store.content.bytes(of: stored.digest)
        {
            let manifest = try Manifest(parsing: bytes, declared: stored.mediaType)
            let isComplete = try manifest.layers.enumerated().allSatisfy { index, layer in
                if try store.content.contains(layer.digest) { return true }
                guard mayBeElsewhere, image.diffIDs.indices.contains(index) else { return false }
                return try store.layers.sources(of: image.diffIDs[index]).contains { $0.blob.digest == layer.digest }
            }
            if isComplete, isTaken(manifest) { return (manifest, bytes) }
        }
        let layers = try layers()
        guard let size = try store.content.size(of: image.id) else {
            throw ImagesError(.corrupt, "the config of image \(image.id) is missing from the store")
        }
        var usual = ManifestForm()
        usual.annotations = image.annotations
        let manifest = (form ?? usual).manifest(
            config: Descriptor(mediaType: .ociConfig, digest: image.id, size: size), layers: layers)
        return (manifest, manifest.encoded)
    }

    /// Makes the manifest of an image in a form, with its blobs in the store or elsewhere, and records it as a root.
    package func record(
        _ image: StoredImage, _ config: ImageConfig, in form: ManifestForm, as names: [ImageReference]
    ) throws -> StoredImage {
        let (manifest, descriptor) = try saveManifest(of: image, in: form, mayBeElsewhere: true)
        return try save(descriptor, at: nil, manifest, descriptor, config, as: names)
    }

    /// Makes the manifest of an image and an index of it, and records the index as a root. All layers are in the store.
    package func record(
        _ image: StoredImage, _ config: ImageConfig, in form: ManifestForm, _ index: IndexForm,
        annotations: [String: String], as names: [ImageReference]
    ) throws -> StoredImage {
        let (manifest, descriptor) = try saveManifest(of: image, in: form, mayBeElsewhere: false)
        let entry = Descriptor(
            mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size,
            platform: config.platform, annotations: annotations)
        let attached = index.index(of: entry, manifest)
        for document in attached.documents { _ = try store.content.save(document) }
        return try save(attached.descriptor, at: nil, manifest, descriptor, config, as: names)
    }

    /// Makes the manifest of an image in a form. All layers are in the store; the image is not recorded yet.
    package func formed(_ image: StoredImage, in form: ManifestForm) throws -> StoredImage {
        let (manifest, descriptor) = try saveManifest(of: image, in: form, mayBeElsewhere: false)
        return StoredImage(
            id: image.id, platform: image.platform, created: image.created, diffIDs: image.diffIDs, size: image.size,
            manifest: descriptor, layers: manifest.layers, annotations: image.annotations)
    }

    private func saveManifest(
        of image: StoredImage, in form: ManifestForm, mayBeElsewhere: Bool
    ) throws -> (Manifest, Descriptor) {
        let (manifest, bytes) = try manifest(of: image, in: form, mayBeElsewhere: mayBeElsewhere)
        _ = try store.content.save(bytes)
        return (
            manifest, Descriptor(mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
        )
    }
}
