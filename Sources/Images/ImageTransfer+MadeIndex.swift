import Diagnostics
import Linux
package import OCI
import Registry
package import Store
package import Transports

/// Indexes of images that were made here.
extension ImageTransfer {
    /// Records the images of one build, each for another platform, as an index of that order, and gives it names.
    ///
    /// Like the manifest of one image that was made here, the index is the store's own: a push or an archive has
    /// compressed layers, and so another index. It is whole where the images have manifests that a push may send.
    package func record(
        index images: [(StoredImage, annotations: [String: String])], annotations: [String: String] = [:],
        usesOCITypes: Bool = true, isWhole: Bool = false, as names: [ImageReference]
    ) throws -> ImageRoot {
        let drafts = try images.flatMap { try store.images.root(for: $0.0).images }
        let entries = zip(drafts, images).compactMap { draft, image in
            draft.manifest.map { $0.entry(for: draft.platform, annotations: image.annotations) }
        }
        let index = Index(of: entries, annotations, usesOCITypes: usesOCITypes)
        let bytes = index.encoded(.pretty(2))
        _ = try store.content.save(bytes)
        let descriptor = Descriptor(mediaType: index.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
        let root = ImageRoot(descriptor, origin: isWhole ? .whole : .made, images: drafts)
        try store.images.save(root, as: names)
        return try store.images.root(descriptor.digest) ?? root
    }

    /// Pushes the index of a build; untagged, by its digest alone.
    package func push(
        builtIndex root: ImageRoot, as reference: ImageReference, isTagged: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> Descriptor {
        if root.origin == .made {
            return try await push(madeIndex: root, as: reference, isTagged: isTagged, report: report)
        }
        return try await push(
            index: root, as: isTagged ? reference : reference.with(tag: nil, digest: root.descriptor.digest),
            report: report)
    }

    /// Pushes an index that was made here: the manifest of each platform under its digest, then an index of these.
    package func push(
        madeIndex root: ImageRoot, as reference: ImageReference, isTagged: Bool = true,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> Descriptor {
        report(.resolved(root.descriptor, layers: []))
        let bytes = try await offload { [store] in try store.content.bytes(of: root.descriptor.digest) }
        guard let bytes else {
            throw ImagesError(.corrupt, "the store has lost the index \(root.descriptor.digest)")
        }
        let index = try Index(parsing: bytes, declared: root.descriptor.mediaType)
        var entries: [Descriptor] = []
        for (position, image) in root.images.enumerated() {
            let pushed = try await push(entry: image, to: reference, report: report)
            let annotations = index.manifests.indices.contains(position) ? index.manifests[position].annotations : [:]
            entries.append(pushed.entry(for: image.platform, annotations: annotations))
        }
        let document = Index(mediaType: index.mediaType, manifests: entries, annotations: index.annotations)
            .encoded(.pretty(2))
        let pushed = try await registry.client.pushManifest(
            document, type: index.mediaType,
            as: isTagged ? reference : reference.with(tag: nil, digest: Digest(of: document)))
        try await offload { [store] in
            guard pushed.digest != root.descriptor.digest else { return }
            try store.images.notePush(of: root.descriptor.digest, as: reference.with(tag: nil, digest: pushed.digest))
        }
        return pushed
    }

    /// Pushes one image of an index under the digest of its manifest.
    private func push(
        entry image: StoredImage, to reference: ImageReference, report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let (manifest, bytes) = try await offload { [self] in try self.manifest(of: image, mayBeElsewhere: true) }
        let pushed = try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            try await push(
                bytes, type: manifest.mediaType, blobs: manifest.layers + [manifest.config],
                layers: Array(zip(manifest.layers, image.diffIDs)),
                as: reference.with(tag: nil, digest: Digest(of: bytes)), progress: Self.pushProgress(report))
        }
        try await offload { [self] in
            guard manifest.layers.count == image.diffIDs.count else { return }
            try note(manifest.layers, image.diffIDs, at: BlobLocation(repositoryOf: reference))
        }
        return pushed
    }
}

extension Index {
    /// An index with OCI's or Docker's media type; Docker's lists have no annotations.
    init(of manifests: [Descriptor], _ annotations: [String: String], usesOCITypes: Bool) {
        self.init(
            mediaType: usesOCITypes ? .ociIndex : .dockerIndex, manifests: manifests,
            annotations: usesOCITypes ? annotations : [:])
    }
}

extension Descriptor {
    /// The same document as an entry of an index.
    package func entry(for platform: Platform, annotations: [String: String] = [:]) -> Descriptor {
        Descriptor(mediaType: mediaType, digest: digest, size: size, platform: platform, annotations: annotations)
    }
}
