import Diagnostics
import Layers
import Linux
package import OCI
package import Store
import Trees

/// Brings images into the store and out of it.
package struct ImageTransfer: Sendable {
    package let store: StoreRoot
    package let registry: RegistryAccess
    /// Fetches layers that are elsewhere.
    package let fetcher: LayerFetcher
    package let storage: LayerStorage
    /// Compresses layers for pushes.
    package let compression: LayerCompression
    let moved = MovedNames()

    package init(store: StoreRoot, registry: RegistryAccess) {
        self.store = store
        self.registry = registry
        storage = LayerStorage(store: store)
        compression = LayerCompression(storage)
        fetcher = LayerFetcher(store: store, registry: registry, storage: storage)
    }

    /// The image a user means by a name or an ID.
    ///
    /// Throws ``ImagesError`` `.imageNotFound` in Docker's words.
    package func image(_ text: String) throws -> StoredImage {
        guard let image = try store.images.lookup(fullName(text)) else {
            throw ImagesError(.imageNotFound, "No such image: \(text)", hint: "See 'lamina images', or pull it.")
        }
        return image
    }

    /// The config of an image in the store.
    package func config(of image: StoredImage) throws -> ImageConfig {
        guard let bytes = try store.content.bytes(of: image.id) else {
            throw ImagesError(.corrupt, "the config of image \(image.id) is missing from the store")
        }
        return try ImageConfig(parsing: bytes)
    }

    /// Records an image of one platform. Its config and its manifest are in the store; its layers may be elsewhere.
    package func save(
        _ id: Digest, _ config: ImageConfig, manifest: Descriptor?, layers: [Descriptor], as names: [ImageReference]
    ) throws -> StoredImage {
        let size = try config.diffIDs.clampedSum { try store.layers.approximateSize($0) }
        return try store.images.record(
            StoredImage(
                id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs, size: size,
                manifest: manifest, layers: layers),
            as: names)
    }
}
