/// Stacks of layers by numbers. Stacks that have their lower layers in common share the nodes of these, so that work on
/// each node once is work on all stacks.
///
/// A node has a higher number than the one below it.
package struct LayerForest: Sendable {
    /// The top of a stack.
    package struct Node: Sendable {
        package let layer: DiffID
        package let chain: ChainID
        /// The number of the stack below the layer; `nil` for a bottom layer.
        package let below: Int?
    }

    private struct Link: Hashable {
        let layer: DiffID
        let below: Int?
    }

    package private(set) var nodes: [Node] = []
    private var numbers: [ChainID: Int] = [:]
    private var links: [Link: Int] = [:]

    package init() {}

    /// The number of a stack, if it was added, alone or as part of another.
    package subscript(chain: ChainID) -> Int? { numbers[chain] }

    /// Adds a stack and all that it consists of, and returns its number; `nil` for an empty one.
    package mutating func add(_ stack: LayerStack) -> Int? {
        var missing: [(layer: DiffID, chain: ChainID)] = []
        var number: Int?
        var next = stack
        while let layer = next.top, let chain = next.chainID, let below = next.below {
            number = numbers[chain]
            if number != nil { break }
            missing.append((layer.diffID, chain))
            next = below
        }
        return missing.reversed().reduce(number) { insert($1.layer, $1.chain, on: $0) }
    }

    /// Adds the stack of an image, bottom first, and returns its number; `nil` for an empty one.
    package mutating func add(_ diffIDs: some Sequence<DiffID>) -> Int? {
        diffIDs.reduce(nil) { below, layer in
            if let number = links[Link(layer: layer, below: below)] { return number }
            return insert(layer, ChainID(layer, on: below.map { nodes[$0].chain }), on: below)
        }
    }

    private mutating func insert(_ layer: DiffID, _ chain: ChainID, on below: Int?) -> Int {
        let number = nodes.count
        nodes.append(Node(layer: layer, chain: chain, below: below))
        numbers[chain] = number
        links[Link(layer: layer, below: below)] = number
        return number
    }

    /// Calls `visit` with a stack and those below it, from the top, until it returns `false`.
    package func descend(from number: Int?, _ visit: (Int) throws -> Bool) rethrows {
        var next = number
        while let number = next, try visit(number) { next = nodes[number].below }
    }
}
