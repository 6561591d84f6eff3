/// A stack of layers. Stacks that have layers in common share them: a layer more costs the same however many are below.
package struct LayerStack: Sendable {
    package struct Layer: Hashable, Sendable {
        package let diffID: DiffID
        /// The time at which this build or a former one made it; `nil` for a layer of a base image.
        package let created: Timestamp?

        package init(diffID: DiffID, created: Timestamp?) {
            self.diffID = diffID
            self.created = created
        }
    }

    private let node: Node?

    private init(_ node: Node?) { self.node = node }

    /// A stack of these layers, bottom first.
    package init(layers: [Layer] = []) { self = LayerStack(nil).adding(layers) }

    /// The layers of an image, bottom first.
    package init(ofImage diffIDs: [DiffID]) {
        self.init(layers: diffIDs.map { Layer(diffID: $0, created: nil) })
    }

    package var count: Int { node?.count ?? 0 }
    package var isEmpty: Bool { node == nil }
    /// The layer on top.
    package var top: Layer? { node?.layer }
    /// The stack below the layer on top; `nil` for an empty one.
    package var below: LayerStack? { node.map { LayerStack($0.below) } }
    package var chainID: ChainID? { node?.chainID }

    /// All layers, bottom first.
    package var layers: [Layer] { nodes(above: 0).map(\.layer) }

    package var diffIDs: [DiffID] { nodes(above: 0).map(\.layer.diffID) }

    /// The IDs of the stacks that it consists of, from the bottom layer alone to all of them.
    package var chains: [ChainID] { nodes(above: 0).map(\.chainID) }

    /// The stacks with more than `count` layers that it consists of, the lowest first.
    package func parts(above count: Int) -> [LayerStack] { nodes(above: count).map { LayerStack($0) } }

    private func nodes(above count: Int) -> [Node] {
        var nodes: [Node] = []
        nodes.reserveCapacity(max(0, self.count - count))
        var next = node
        while let node = next, node.count > count {
            nodes.append(node)
            next = node.below
        }
        return nodes.reversed()
    }

    package func adding(_ layer: Layer) -> LayerStack { LayerStack(Node(layer, on: node)) }

    package func adding(_ diffID: DiffID, created: Timestamp) -> LayerStack {
        adding(Layer(diffID: diffID, created: created))
    }

    /// The stack with these layers on top, bottom first.
    package func adding(_ layers: some Sequence<Layer>) -> LayerStack { layers.reduce(self) { $0.adding($1) } }
}

extension LayerStack: Hashable {
    /// Compares from the top, as far as the stacks do not share layers.
    package static func == (lhs: LayerStack, rhs: LayerStack) -> Bool {
        var (left, right) = (lhs.node, rhs.node)
        while left !== right {
            guard let one = left, let other = right, one.chainID == other.chainID, one.layer == other.layer else {
                return false
            }
            (left, right) = (one.below, other.below)
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(chainID)
        hasher.combine(top?.created)
    }
}

extension LayerStack {
    /// A layer and what is below it.
    ///
    /// `below` is changed at the end only, when nobody else has a reference; see `deinit`.
    private final class Node: @unchecked Sendable {
        let layer: Layer
        let chainID: ChainID
        let count: Int
        private(set) var below: Node?

        init(_ layer: Layer, on below: Node?) {
            self.layer = layer
            chainID = ChainID(layer.diffID, on: below?.chainID)
            count = (below?.count ?? 0) + 1
            self.below = below
        }

        /// Releases the nodes below one after another: each in the `deinit` of the one above would need stack for all.
        deinit {
            var next = below.take()
            while next != nil, isKnownUniquelyReferenced(&next) { next = next?.below.take() }
        }
    }
}
