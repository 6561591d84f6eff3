import Layers
import Linux

/// dive's score, computed as plainly as can be from its definition: a tree of nodes per layer, and for every whiteout
/// all layers below stacked anew.
struct DiveReference {
    private(set) var efficiency = 1.0
    private(set) var wastedBytes: Int64 = 0

    private struct Record {
        var nodes = 0
        var smallest: Int64 = -1
        var total: Int64 = 0
    }

    init(layers: [FileList]) {
        let trees = layers.map(DiveNode.tree)
        var records: [String: Record] = [:]
        for (index, tree) in trees.enumerated() {
            visit: for leaf in tree.leaves {
                let path = leaf.path.replacing(".wh.", with: "")
                var record = records[path] ?? Record()
                records[path] = record
                var size = leaf.node.size
                if leaf.node.isWhiteout {
                    let below = DiveNode.stacked(Array(trees[...max(0, index - 1)]))
                    // The walk of the layer ends with an error.
                    guard let old = below.find(path) else { break visit }
                    size = old.isDirectory ? old.total : 0
                }
                record.nodes += 1
                record.total += size
                record.smallest = record.smallest < 0 ? size : min(record.smallest, size)
                records[path] = record
            }
        }
        let total = records.values.reduce(0) { $0 + $1.total }
        if total > 0 { efficiency = Double(records.values.reduce(0) { $0 + $1.smallest }) / Double(total) }
        wastedBytes = records.values.reduce(0) { $0 + ($1.nodes > 1 ? $1.total : 0) }
    }
}

private final class DiveNode {
    var children: [String: DiveNode] = [:]
    var size: Int64 = 0
    var isDirectory = false
    var isWhiteout = false

    static func tree(of layer: FileList) -> DiveNode {
        let root = DiveNode()
        for entry in layer.entries {
            var names = entry.path.components.map(\.text)
            if entry.kind == .whiteout, let last = names.popLast() { names.append(".wh.\(last)") }
            let node = root.make(names)
            if entry.kind == .opaque { continue }
            node.isWhiteout = entry.kind == .whiteout
            node.size = entry.kind == .regular ? entry.size : 0
            node.isDirectory = entry.kind == .directory
        }
        return root
    }

    func make(_ names: [String]) -> DiveNode {
        var node = self
        for name in names {
            let child = node.children[name] ?? DiveNode()
            node.children[name] = child
            node = child
        }
        return node
    }

    func find(_ path: String) -> DiveNode? {
        var node = self
        for name in path.split(separator: "/") {
            guard let child = node.children[String(name)] else { return nil }
            node = child
        }
        return node
    }

    /// The nodes without children in the order of a walk with sorted names; the root is none.
    var leaves: [(path: String, node: DiveNode)] {
        children.sorted { $0.key < $1.key }.flatMap { name, child in
            child.children.isEmpty ? [(name, child)] : child.leaves.map { ("\(name)/\($0.path)", $0.node) }
        }
    }

    var total: Int64 { children.values.reduce(size) { $0 + $1.total } }

    /// Puts layers on top of each other, children before their directories.
    static func stacked(_ trees: [DiveNode]) -> DiveNode {
        let root = DiveNode()
        for (index, tree) in trees.enumerated() { root.add(tree, [], heedingWhiteouts: index > 0) }
        return root
    }

    private func add(_ tree: DiveNode, _ names: [String], heedingWhiteouts: Bool) {
        for (name, child) in tree.children.sorted(by: { $0.key < $1.key }) {
            let path = names + [child.isWhiteout ? String(name.dropFirst(4)) : name]
            add(child, path, heedingWhiteouts: heedingWhiteouts)
            if child.isWhiteout {
                if heedingWhiteouts { remove(path) } else { _ = make(path) }
            } else {
                let node = make(path)
                node.size = child.size
                node.isDirectory = child.isDirectory
            }
        }
    }

    private func remove(_ names: [String]) {
        guard let last = names.last else { return }
        find(names.dropLast().joined(separator: "/"))?.children[last] = nil
    }
}
