import Diagnostics
import Layers
package import OCI
package import Store
import Synchronization
package import Trees

/// The file trees of layer stacks, put together from the store's file lists and kept while a build runs.
package final class LayerTreeCache: Sendable {
    private let layers: LayerIndex
    private let known = Mutex<[ChainID: LayerTree]>([:])

    package init(_ layers: LayerIndex) { self.layers = layers }

    /// The tree of a stack, bottom first.
    ///
    /// Throws ``ImagesError`` `.corrupt` when the store has no list of a layer's files.
    package func tree(of diffIDs: [DiffID]) throws -> LayerTree {
        var tree = LayerTree()
        var chain: ChainID?
        var rest = diffIDs[...]
        // The longest part that is known already is where to start.
        for count in stride(from: diffIDs.count, to: 0, by: -1) {
            guard let id = ChainID.of(diffIDs[..<count]), let found = known.withLock({ $0[id] }) else { continue }
            (tree, chain, rest) = (found, id, diffIDs[count...])
            break
        }
        for diffID in rest {
            guard let bytes = try layers.fileList(diffID) else {
                throw ImagesError(
                    .corrupt, "the store does not know the files of layer \(diffID)",
                    hint: "Remove the image that holds it and load it again.")
            }
            let next = tree.adding(diffID, try FileList(decoding: bytes))
            let id = ChainID(diffID, on: chain)
            known.withLock { $0[id] = next }
            (tree, chain) = (next, id)
        }
        return tree
    }
}
