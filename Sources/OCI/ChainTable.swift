/// Chains of many stacks that have parts in common, each computed once.
package final class ChainTable {
    private struct Link: Hashable {
        let layer: DiffID
        let parent: ChainID?
    }

    private var known: [Link: ChainID] = [:]

    package init() {}

    /// The identity of `layer` on top of `parent`; see ``ChainID/init(_:on:)``.
    package func chain(_ layer: DiffID, on parent: ChainID?) -> ChainID {
        // The chain of a bottom layer is the layer itself.
        guard parent != nil else { return ChainID(layer, on: nil) }
        let link = Link(layer: layer, parent: parent)
        if let chain = known[link] { return chain }
        let chain = ChainID(layer, on: parent)
        known[link] = chain
        return chain
    }

    /// The chain of a whole stack, bottom first; `nil` for an empty one.
    package func chain(of layers: some Sequence<DiffID>) -> ChainID? {
        layers.reduce(nil) { chain($1, on: $0) }
    }
}
