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
        try tree(of: diffIDs[...], ChainID.prefixes(of: diffIDs)[...])
    }

    /// The tree of a stack. The time does not grow with the stack when that below its top layer was asked for before.
    package func tree(of stack: LayerStack) throws -> LayerTree {
        var unknown: [LayerStack] = []
        var next = stack
        var tree = LayerTree()
        while let chain = next.chainID, let below = next.below {
            if let found = known.withLock({ $0[chain] }) {
                tree = found
                break
            }
            unknown.append(next)
            next = below
        }
        for stack in unknown.reversed() {
            guard let layer = stack.top, let chain = stack.chainID else { continue }
            tree = try adding(layer.diffID, chain, to: tree)
        }
        return tree
    }

    /// The tree of a stack whose ``OCI/ChainID/prefixes(of:)`` are known. The time does not grow with the stack when that
    /// below its top layer was asked for before.
    func tree(of diffIDs: ArraySlice<DiffID>, _ chains: ArraySlice<ChainID>) throws -> LayerTree {
        var tree = LayerTree()
        var start = 0
        // The longest part that is known already is where to start.
        for index in chains.indices.reversed() {
            guard let found = known.withLock({ $0[chains[index]] }) else { continue }
            (tree, start) = (found, index + 1)
            break
        }
        for (diffID, chain) in zip(diffIDs, chains).dropFirst(start) {
            tree = try adding(diffID, chain, to: tree)
        }
        return tree
    }

    private func adding(_ diffID: DiffID, _ chain: ChainID, to tree: LayerTree) throws -> LayerTree {
        guard let bytes = try layers.fileList(diffID) else {
            throw ImagesError(
                .corrupt, "the store does not know the files of layer \(diffID)",
                hint: "Remove the image that holds it and load it again.")
        }
        let tree = try tree.adding(diffID, try FileList(decoding: bytes))
        known.withLock { $0[chain] = tree }
        return tree
    }
}
