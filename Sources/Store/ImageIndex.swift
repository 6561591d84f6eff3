import Diagnostics
import GRDB
import Linux
package import OCI

/// The images of the store and their names.
///
/// An image stays until it is removed, with or without a name. All that writes here synchronizes the store first, so
/// that a name outlives a power loss only together with what it names.
package struct ImageIndex: Sendable {
    let root: StoreRoot

    /// Adds an image. Saved again without a manifest, it keeps the one it had.
    ///
    /// - Throws: ``StoreError`` `.notFound` when its config or its manifest is not in the content store.
    package func save(_ image: StoredImage) throws { _ = try save(image, as: []) }

    /// Adds an image and gives it names, all or nothing.
    ///
    /// - Returns: for each name the image that had it before.
    @discardableResult
    package func save(_ image: StoredImage, as names: [ImageReference]) throws -> [Digest?] {
        for digest in [image.id, image.manifest?.digest].compactMap({ $0 }) where try !root.content.contains(digest) {
            throw StoreError(.notFound, "the blob \(digest) of the image \(image.id.short) is not in the store")
        }
        // The time of the config's file says when the image was used last; see ``StoreLedger``.
        try? root.openDirectory().setModified(ContentStore.name(image.id), .now)
        try root.synchronize()
        return try root.write { transaction in
            try transaction.insert(image)
            return try names.map { try transaction.tag($0, image.id) }
        }
    }

    /// Gives an image a name, which is taken from the image that had it.
    ///
    /// - Returns: the image that had the name.
    /// - Throws: ``StoreError`` `.notFound` when there is no such image.
    @discardableResult
    package func tag(_ reference: ImageReference, _ id: Digest) throws -> Digest? {
        try root.synchronize()
        return try root.write { transaction in
            guard try transaction.exists("SELECT 1 FROM images WHERE id = ?", [id.description]) else {
                throw StoreError(.notFound, "there is no image \(id)")
            }
            return try transaction.tag(reference, id)
        }
    }

    /// Removes a name, never an image.
    ///
    /// - Returns: the image that had the name; `nil` when there is no such name.
    @discardableResult
    package func untag(_ reference: ImageReference) throws -> Digest? {
        try root.writeFreeingSpace { transaction in
            let former = try transaction.image(named: reference)
            try transaction.execute("DELETE FROM names WHERE reference = ?", [reference.description])
            return former
        }
    }

    /// Removes an image and all its names. What only it needed stays until it is collected.
    ///
    /// - Returns: whether there was such an image.
    @discardableResult
    package func remove(_ id: Digest) throws -> Bool {
        try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM names WHERE image = ?", [id.description])
            return try transaction.execute("DELETE FROM images WHERE id = ?", [id.description]) > 0
        }
    }

    /// Removes an image that has no name. What only it needed stays until it is collected.
    ///
    /// - Returns: whether there was such an image.
    @discardableResult
    package func removeUnnamed(_ id: Digest) throws -> Bool {
        try root.writeFreeingSpace { transaction in
            try transaction.execute(
                "DELETE FROM images WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM names WHERE image = ?1)",
                [id.description]) > 0
        }
    }

    /// All images, the newest first, those without a name too.
    package func list() throws -> [StoredImage] { try root.read { try $0.images() } }

    package func image(id: Digest) throws -> StoredImage? {
        try root.read { try $0.image("id = ?", [id.description]) }
    }

    /// The image with exactly this name.
    package func image(named reference: ImageReference) throws -> StoredImage? {
        try root.read {
            try $0.image("id = (SELECT image FROM names WHERE reference = ?)", [reference.description])
        }
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
            let range: StatementArguments = [prefix + hex, prefix + hex + "g"]
            let matches = try transaction.rows("SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2", range)
            guard matches.count < 2 else {
                throw StoreError(
                    .ambiguous, "'\(idPrefix)' is the beginning of several image IDs", hint: "Write more of the ID.")
            }
            return try matches.first.flatMap { try transaction.image("id = ?", [$0[0] as String]) }
        }
    }

    /// The image a user means, as Docker finds it: by its full ID, by name, by the beginning of its ID.
    ///
    /// - Throws: ``StoreError`` `.ambiguous` when several IDs begin so.
    package func lookup(_ text: String) throws -> StoredImage? {
        let id = (try? Digest(parsing: text)) ?? (try? Digest(parsing: "sha256:\(text)"))
        if let id { return try image(id: id) }
        if let reference = try? ImageReference(parsing: text), let image = try lookup(reference) { return image }
        return try image(idPrefix: text)
    }

    /// The image a reference means; by digest, any image of that repository with that manifest.
    private func lookup(_ reference: ImageReference) throws -> StoredImage? {
        if let image = try image(named: reference) { return image }
        guard let digest = reference.digest else { return nil }
        if let image = try image(named: reference.with(tag: nil, digest: digest)) { return image }
        return try list().first { image in
            image.manifest?.digest == digest && image.names.contains { $0.name == reference.name }
        }
    }
}
