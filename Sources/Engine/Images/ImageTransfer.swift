import Diagnostics
import Layers
import Linux
package import OCI
package import Store

/// Brings images into the store and out of it.
package struct ImageTransfer: Sendable {
    package let store: StoreRoot
    package let registry: RegistryAccess
    let storage: LayerStorage

    package init(store: StoreRoot, registry: RegistryAccess) {
        self.store = store
        self.registry = registry
        storage = LayerStorage(store: store)
    }

    /// The image a user means by a name or an ID.
    ///
    /// Throws ``EngineError`` `.imageNotFound` in Docker's words.
    package func image(_ text: String) throws -> StoredImage {
        guard let image = try store.images.lookup(text) else {
            throw EngineError(.imageNotFound, "No such image: \(text)", hint: "See 'lamina images', or pull it.")
        }
        return image
    }

    /// The config of an image in the store.
    package func config(of image: StoredImage) throws -> ImageConfig {
        guard let bytes = try store.content.bytes(of: image.id) else {
            throw EngineError(.corrupt, "the config of image \(image.id) is missing from the store")
        }
        return try ImageConfig(parsing: bytes)
    }

    /// Reads a layer blob of the store once, to learn which layer it is and what it holds, unless that is known.
    ///
    /// `expected` is what the image's config says it is. Throws ``EngineError`` `.badArchive` when it is another layer.
    func index(_ blob: Descriptor, expecting expected: DiffID) throws {
        if try store.layers.diffID(ofBlob: blob.digest) == expected, try store.layers.layer(expected) != nil { return }
        guard let file = try store.content.open(blob.digest) else {
            throw EngineError(.corrupt, "the layer blob \(blob.digest) is missing from the store")
        }
        let summary = try LayerReader.readFileList(from: DescriptorStream(file))
        guard summary.diffID == expected else {
            throw EngineError(
                .badArchive, "layer \(blob.digest) unpacks to \(summary.diffID), but the image says \(expected)",
                hint: "The image is damaged: get it again.")
        }
        try storage.record(summary.diffID, summary.fileList)
        try store.layers.addBlob(
            LayerBlob(mediaType: blob.mediaType, digest: blob.digest, size: blob.size), of: expected)
    }

    /// Records an image whose blobs are in the store.
    func save(
        _ id: Digest, _ config: ImageConfig, manifest: Descriptor?, layers: [Descriptor], as names: [ImageReference]
    ) throws -> StoredImage {
        let size = try config.diffIDs.reduce(Int64(0)) { try $0 + (store.layers.layer($1)?.contentSize ?? 0) }
        let image = StoredImage(
            id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs, size: size,
            manifest: manifest, layers: layers, names: names)
        _ = try store.images.save(image, as: names)
        return image
    }
}
