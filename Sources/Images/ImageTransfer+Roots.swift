import Diagnostics
import Layers
package import OCI
package import Store

extension ImageTransfer {
    /// The image that a name of the store stands for on a platform, if the store has it.
    ///
    /// Of an index only its best entry for the platform counts, even if the store has another one that would run.
    package func stored(_ reference: ImageReference, for platform: Platform) throws -> StoredImage? {
        guard let root = try store.images.root(named: reference) else { return nil }
        guard let image = try image(of: root, for: platform) else { return nil }
        return try store.layers.areWithinReach(image.diffIDs) ? image : nil
    }

    /// Whether the root that a name of the store stands for has no image for a platform, here or elsewhere.
    package func hasNothing(for platform: Platform, named reference: ImageReference) throws -> Bool {
        guard let root = try store.images.root(named: reference) else { return false }
        if root.descriptor.mediaType.isIndex { return try entry(of: root.descriptor, for: platform) == nil }
        return root.origin != .narrowed && root.images.first?.platform.distance(from: platform) == nil
    }

    private func image(of root: ImageRoot, for platform: Platform) throws -> StoredImage? {
        if root.descriptor.mediaType.isIndex {
            guard let entry = try entry(of: root.descriptor, for: platform) else { return nil }
            return try root.images.first { $0.manifest?.digest == entry.digest } ?? adopt(entry, of: root)
        }
        let image = root.images.first
        guard let distance = image?.platform.distance(from: platform) else { return nil }
        // The index it was chosen from may have a better one.
        return distance == 0 || root.origin != .narrowed ? image : nil
    }

    /// The best entry of an index for a platform, as far as the documents that say so are in the store.
    private func entry(of root: Descriptor, for platform: Platform) throws -> Descriptor? {
        var current = root
        for _ in 0..<4 where current.mediaType.isIndex {
            guard let bytes = try store.content.bytes(of: current.digest, limit: Self.documentLimit),
                let entry = try? Index(parsing: bytes, declared: current.mediaType).manifest(for: platform)
            else { return nil }
            current = entry
        }
        return current.mediaType.isIndex ? nil : current
    }

    /// Adds an image to its root that came with it in whole, as from an archive; `nil` when it did not.
    private func adopt(_ entry: Descriptor, of root: ImageRoot) throws -> StoredImage? {
        guard store.mode == .readWrite, let bytes = try store.content.bytes(of: entry.digest) else { return nil }
        let manifest = try Manifest(parsing: bytes, declared: entry.mediaType)
        guard let config = try store.content.bytes(of: manifest.config.digest).map({ try ImageConfig(parsing: $0) }),
            config.diffIDs.count == manifest.layers.count,
            try manifest.layers.allSatisfy({ try store.content.contains($0.digest) })
        else { return nil }
        for (layer, diffID) in zip(manifest.layers, config.diffIDs) { try storage.index(layer, expecting: diffID) }
        return try save(root.descriptor, at: root.location, manifest, entry, config, as: [])
    }

    /// Records a root and one image below it. The documents are in the store; layers may be elsewhere.
    package func save(
        _ root: Descriptor, at location: String?, _ manifest: Manifest, _ descriptor: Descriptor,
        _ config: ImageConfig, as names: [ImageReference]
    ) throws -> StoredImage {
        let part = RootPart(descriptor: descriptor, manifest: manifest, config: config)
        let first = try save(root, at: location, [part], as: names)
        return try store.images.root(root.digest)?.images.first { $0.manifest?.digest == descriptor.digest } ?? first
    }

    /// Records a root and images below it, and gives the one that the root stands for on this machine.
    func save(
        _ root: Descriptor, at location: String?, _ parts: [RootPart], as names: [ImageReference]
    ) throws -> StoredImage {
        let new = try parts.map { part in
            StoredImage(
                id: part.manifest.config.digest, platform: part.config.platform, created: part.config.created,
                diffIDs: part.config.diffIDs,
                size: try part.config.diffIDs.clampedSum { try store.layers.approximateSize($0) },
                manifest: part.descriptor, layers: part.manifest.layers)
        }
        let blobs = try BlobTree(root) { try store.content.bytes(of: $0.digest, limit: Self.documentLimit) }.blobs
        let order = Dictionary(
            blobs.enumerated().map { ($1.digest, $0) }, uniquingKeysWith: { first, _ in first })
        func place(_ image: StoredImage) -> Int { image.manifest.flatMap { order[$0.digest] } ?? .max }
        let replaced = Set(parts.map(\.descriptor.digest))
        let known = (try store.images.root(root.digest)?.images ?? []).filter { image in
            image.manifest.map { !replaced.contains($0.digest) } ?? true
        }
        let saved = ImageRoot(
            root, location: location, images: (known + new).sorted { place($0) < place($1) },
            blobs: Set(blobs.map(\.digest)))
        try store.images.save(saved, as: names)
        guard let image = try store.images.root(root.digest)?.defaultImage ?? new.first else {
            throw ImagesError(.corrupt, "the root \(root.digest) has no image")
        }
        return image
    }

    package static let documentLimit = BlobTree.documentLimit
}
