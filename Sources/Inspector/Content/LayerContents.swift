package import Layers
package import OCI
package import Store
package import SystemPackage

/// The places that have the bytes of an image's layers.
package protocol LayerContents: Sendable {
    /// The directory that a layer, by its index, is unpacked to; `nil` when there is none.
    func directory(of layer: Int) throws -> FilePath?

    /// The blob of a layer, compressed or not; `nil` when there is none.
    func blob(of layer: Int) throws -> (any ByteStream)?
}

/// Layers in a store.
package struct StoreContents: LayerContents {
    private let store: StoreRoot
    private let diffIDs: [DiffID]

    package init(store: StoreRoot, diffIDs: [DiffID]) {
        self.store = store
        self.diffIDs = diffIDs
    }

    package func directory(of layer: Int) throws -> FilePath? {
        guard let chain = ChainID.of(diffIDs[...layer]) else { return nil }
        return try store.snapshots.snapshots(of: chain).first?.directory
    }

    package func blob(of layer: Int) throws -> (any ByteStream)? {
        for blob in try store.layers.blobs(of: diffIDs[layer]) {
            if let file = try store.content.open(blob.digest) { return DescriptorStream(file) }
        }
        return nil
    }
}
