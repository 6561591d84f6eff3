import Diagnostics
import Linux
package import OCI
import SQLite

/// The images of the store, their roots and their names.
///
/// A name points to a root: an index or a manifest. A root stays until it is removed, with or without a name. Every
/// change synchronizes the store first, so that a name outlives a power loss only together with what it names.
package struct ImageIndex: Sendable {
    let root: StoreRoot

    /// Adds an image. Saved again without a manifest, it keeps the one it had.
    ///
    /// - Throws: ``StoreError`` `.notFound` when its config or its manifest is not in the content store.
    package func save(_ image: StoredImage) throws { _ = try save(image, as: []) }

    /// Adds an image of one platform and gives it names, all or nothing. Its manifest becomes the root.
    ///
    /// An image without a manifest keeps the one the store knows for it, if that has the same annotations or came from
    /// elsewhere; otherwise it gets one now, without any layer being read or compressed.
    /// - Returns: for each name the image that had it before.
    @discardableResult
    package func save(_ image: StoredImage, as names: [ImageReference]) throws -> [Digest?] {
        try save(root(for: image), as: names)
    }

    /// Does the same, and returns the image as it was recorded.
    package func record(_ image: StoredImage, as names: [ImageReference]) throws -> StoredImage {
        let new = try root(for: image)
        try save(new, as: names)
        return try root(new.descriptor.digest)?.images.first { $0.id == image.id } ?? new.images[0]
    }

    /// Adds a root, or what is new about it, and gives it names, all or nothing.
    ///
    /// - Returns: for each name the image that had it before.
    /// - Throws: ``StoreError`` `.notFound` when the root, or the config or manifest of one of its images, is not in the
    ///   content store.
    @discardableResult
    package func save(_ new: ImageRoot, as names: [ImageReference]) throws -> [Digest?] {
        for image in new.images {
            for digest in [image.id, image.manifest?.digest].compactMap({ $0 })
            where try !root.content.contains(digest) {
                throw StoreError(.notFound, "the blob \(digest) of the image \(image.id.short) is not in the store")
            }
            // The time of the config's file says when the image was used last; see ``StoreLedger``.
            try? root.openDirectory().setModified(ContentStore.name(image.id), .now)
        }
        guard try root.content.contains(new.descriptor.digest) else {
            throw StoreError(.notFound, "the root \(new.descriptor.digest) is not in the store")
        }
        try root.synchronize()
        return try root.write { transaction in
            try transaction.insert(new)
            return try names.map { try transaction.tag($0, root: new.descriptor.digest) }
        }
    }

    /// The root of an image whose manifest is its root; the manifest is made if there is none. It is not recorded yet.
    package func root(for image: StoredImage) throws -> ImageRoot {
        guard image.manifest == nil else { return ImageRoot(image, origin: .whole) }
        guard try root.content.contains(image.id) else {
            throw StoreError(.notFound, "the blob \(image.id) of the image \(image.id.short) is not in the store")
        }
        let (known, draft) = try root.read { transaction in
            (
                try transaction.imageRoots(leadingTo: image.id).compactMap { root -> ImageRoot? in
                    guard let known = root.images.first(where: { $0.id == image.id }),
                        root.origin != .made || known.annotations == image.annotations
                    else { return nil }
                    return ImageRoot(known.sized(image.size), origin: root.origin)
                }.first, try ManifestDraft(image, transaction)
            )
        }
        if let known, let manifest = known.images[0].manifest, try root.content.contains(manifest.digest) {
            return known
        }
        _ = try root.content.save(draft.bytes)
        return ImageRoot(draft.completing(image), origin: .made)
    }

    /// Gives the root of an image one more name, which is taken from the root that had it.
    ///
    /// - Returns: the image that had the name.
    /// - Throws: ``StoreError`` `.notFound` when there is no such image.
    @discardableResult
    package func tag(_ reference: ImageReference, _ id: Digest) throws -> Digest? {
        guard let image = try image(id: id) else { throw StoreError(.notFound, "there is no image \(id)") }
        return try tag(reference, image)
    }

    /// Gives the root below which an image was found one more name.
    @discardableResult
    package func tag(_ reference: ImageReference, _ image: StoredImage) throws -> Digest? {
        try root.synchronize()
        return try root.write { transaction in
            guard let digest = image.root?.digest ?? image.manifest?.digest,
                try transaction.exists("SELECT 1 FROM images WHERE id = ?", [image.id.description])
            else { throw StoreError(.notFound, "there is no image \(image.id)") }
            if try transaction.imageRoot(digest) == nil {
                try transaction.insert(ImageRoot(image, origin: image.origin))
            }
            return try transaction.tag(reference, root: digest)
        }
    }

    /// Removes a name, never an image.
    ///
    /// - Returns: the image that had the name; `nil` when there is no such name.
    @discardableResult
    package func untag(_ reference: ImageReference) throws -> Digest? {
        try root.writeFreeingSpace { transaction in
            let former = try transaction.imageRoot(named: reference)
            try transaction.execute("DELETE FROM names WHERE reference = ?", [reference.description])
            return former?.defaultImage?.id
        }
    }

    /// Removes an image: all roots of which it is the default image, with their names. What only they needed stays
    /// until it is collected.
    ///
    /// - Returns: whether there was such an image.
    @discardableResult
    package func remove(_ id: Digest) throws -> Bool {
        try root.writeFreeingSpace { transaction in
            let roots = try transaction.imageRoots(leadingTo: id).filter { $0.defaultImage?.id == id }
            for root in roots { try transaction.removeRoot(root.descriptor.digest) }
            return !roots.isEmpty
        }
    }

    /// Removes a root that has no name.
    ///
    /// - Returns: the images that are gone with it.
    package func removeUnnamed(root digest: Digest) throws -> [Digest] {
        try root.writeFreeingSpace { transaction in
            guard let root = try transaction.imageRoot(digest), root.names.isEmpty else { return [] }
            try transaction.removeRoot(digest)
            return try root.images.map(\.id).filter {
                try !transaction.exists("SELECT 1 FROM images WHERE id = ?", [$0.description])
            }
        }
    }

    /// Notes under which digest a repository has a root that was made here.
    package func notePush(of rootDigest: Digest, as reference: ImageReference) throws {
        _ = try root.write { transaction in
            guard try transaction.exists("SELECT 1 FROM roots WHERE digest = ?", [rootDigest.description]) else {
                return
            }
            try transaction.execute(
                "INSERT OR IGNORE INTO pushed VALUES (?, ?)", [rootDigest.description, reference.description])
        }
    }

    /// The default image of each root, the newest first, those without a name too. An image that a root with a name has
    /// is not listed once more for one without.
    package func list() throws -> [StoredImage] { try root.read { try $0.images() } }

    /// All roots, the newest first.
    package func roots() throws -> [ImageRoot] { try root.read { try $0.imageRoots() } }

    /// The root with exactly this name.
    package func root(named reference: ImageReference) throws -> ImageRoot? {
        try root.read { try $0.imageRoot(named: reference) }
    }

    package func root(_ digest: Digest) throws -> ImageRoot? { try root.read { try $0.imageRoot(digest) } }

    /// The image with this ID, and all names of the roots of which it is the default image.
    package func image(id: Digest) throws -> StoredImage? { try root.read { try $0.image(id: id) } }

    /// The default image of the root with exactly this name.
    package func image(named reference: ImageReference) throws -> StoredImage? {
        try root(named: reference)?.defaultImage
    }

    /// The one image whose ID begins so, with or without `sha256:`; `nil` when there is none.
    ///
    /// - Throws: ``StoreError`` `.ambiguous` when there are several.
    package func image(idPrefix: String) throws -> StoredImage? {
        let prefix = "sha256:"
        let hex = idPrefix.hasPrefix(prefix) ? idPrefix.dropFirst(prefix.count) : Substring(idPrefix)
        let isHex = hex.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard !hex.isEmpty, hex.utf8.count <= 64, isHex else { return nil }
        return try root.read { transaction in
            // 'g' sorts after all hexadecimal digits.
            let range: [any SQLiteConvertible] = [prefix + hex, prefix + hex + "g"]
            let matches = try transaction.rows("SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2", range)
            guard matches.count < 2 else {
                throw StoreError(
                    .ambiguous, "'\(idPrefix)' is the beginning of several image IDs", hint: "Write more of the ID.")
            }
            return try matches.first.flatMap { try transaction.image(id: Digest(parsing: $0[0] as String)) }
        }
    }

    /// The image a user means, as Docker finds it: by its full ID, by name, by the beginning of its ID.
    ///
    /// - Throws: ``StoreError`` `.ambiguous` when several IDs begin so.
    package func lookup(_ text: String) throws -> StoredImage? {
        let id = (try? Digest(parsing: text)) ?? (try? Digest(parsing: "sha256:\(text)"))
        if let id { return try image(id: id) ?? root(id)?.defaultImage }
        if let reference = try? ImageReference(parsing: text), let image = try lookup(reference) { return image }
        return try image(idPrefix: text)
    }

    /// The image a reference means; by digest, any image of that repository with that root or manifest.
    private func lookup(_ reference: ImageReference) throws -> StoredImage? {
        if let image = try image(named: reference) { return image }
        guard let digest = reference.digest else { return nil }
        let bare = reference.with(tag: nil, digest: digest)
        if let image = try image(named: bare) { return image }
        for root in try roots() {
            if let image = root.defaultImage, image.repositoryDigests.contains(bare) { return image }
            guard root.names.contains(where: { $0.name == reference.name }) else { continue }
            if let image = root.images.first(where: { $0.manifest?.digest == digest }) { return image.alone }
        }
        return nil
    }
}

extension StoredImage {
    /// The image by its own manifest, without the root that leads to it.
    fileprivate var alone: StoredImage {
        if root?.digest == manifest?.digest { return self }
        return StoredImage(
            id: id, platform: platform, created: created, diffIDs: diffIDs, size: size, manifest: manifest,
            layers: layers, annotations: annotations, root: manifest, origin: origin)
    }

    fileprivate func sized(_ size: Int64) -> StoredImage {
        StoredImage(
            id: id, platform: platform, created: created, diffIDs: diffIDs, size: size, manifest: manifest,
            layers: layers, annotations: annotations)
    }

    fileprivate func named(_ names: Set<ImageReference>, pushed: Set<ImageReference>) -> StoredImage {
        StoredImage(
            id: id, platform: platform, created: created, diffIDs: diffIDs, size: size, manifest: manifest,
            layers: layers, annotations: annotations, root: root, origin: origin,
            names: names.sorted { $0.description < $1.description },
            pushed: pushed.sorted { $0.description < $1.description })
    }
}

extension Transaction {
    func images() throws -> [StoredImage] {
        let images = try imageRoots().compactMap(\.defaultImage)
        let named = Set(images.filter { !$0.names.isEmpty }.map(\.id))
        var seen: Set<Digest> = []
        return images.filter { !$0.names.isEmpty || (!named.contains($0.id) && seen.insert($0.id).inserted) }
            .sorted { left, right in
                let (first, second) = (left.created?.column ?? "", right.created?.column ?? "")
                if first != second { return first > second }
                return (left.id, left.names.first?.description ?? "") < (right.id, right.names.first?.description ?? "")
            }
    }

    func image(id: Digest) throws -> StoredImage? {
        let roots = try imageRoots(leadingTo: id)
        let shown = roots.filter { $0.defaultImage?.id == id }
        guard let first = shown.first?.defaultImage else {
            return roots.first?.images.first { $0.id == id }?.alone
        }
        return first.named(
            Set(shown.flatMap(\.names)), pushed: Set(shown.flatMap { $0.defaultImage?.pushed ?? [] }))
    }
}
