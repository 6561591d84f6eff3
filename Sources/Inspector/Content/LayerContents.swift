package import Layers
import Linux
package import OCI
package import Store
package import SystemPackage

/// The places that have the bytes of an image's layers.
package protocol LayerContents: Sendable {
    /// The directory that a layer, by its index, is unpacked to; `nil` when there is none.
    func directory(of layer: Int) throws -> FilePath?

    /// The blob of a layer, compressed or not; `nil` when there is none.
    func blob(of layer: Int) throws -> (any ByteStream)?

    /// The bytes of one regular file, where they can be had without the rest of the layer.
    func file(_ entry: LayerEntry, of layer: Int) throws -> (any ByteStream)?

    /// The sum that the lists of files have of contents.
    var sum: ContentSum { get }
}

extension LayerContents {
    package func file(_ entry: LayerEntry, of layer: Int) throws -> (any ByteStream)? { nil }

    package var sum: ContentSum { .checksum }

    /// Reads a content and compares it with the sum of its entry.
    func read(_ content: LayerFileContent, of entry: LayerEntry, _ body: (Span<UInt8>) throws -> Void) throws -> Bool {
        try withoutActuallyEscaping(body) { body in
            guard sum == .digest else { return try content(body) == entry.contentHash }
            let digest = ContentDigest()
            _ = try content { bytes in
                digest.update(bytes)
                try body(bytes)
            }
            return digest.finish() == entry.contentHash
        }
    }
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
