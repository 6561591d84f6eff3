import Layers
package import Linux

/// The numbers that dive computes for an image, so that thresholds made for it give the same verdict.
///
/// They differ from those of ``ImageAnalysis`` on purpose: every copy of a path that occurs twice counts as wasted, the
/// one that survives included; a removed directory costs nothing unless it is itself named in a layer; and a whiteout
/// of a path that does not exist hides what else its layer repeats.
package struct DiveScore: Hashable, Sendable {
    /// From 0 to 1, or a little less than 0 when an image of few bytes removes paths that do not exist.
    package let efficiency: Double
    /// The contents of all layers in bytes.
    package let sizeBytes: Int64
    /// The same without the bottom layer.
    package let userSizeBytes: Int64
    package let wastedBytes: Int64
    /// The paths that count as wasted, most bytes first.
    package let references: [Reference]

    /// A path that occurs more than once.
    package struct Reference: Hashable, Sendable {
        package let path: PathBytes
        /// How many layers have it, or remove it.
        package let count: Int
        /// Of all of them together.
        package let bytes: Int64
    }

    /// The ratio of ``wastedBytes`` to ``userSizeBytes``: despite its name no percentage.
    ///
    /// Not a number when both are 0, which exceeds no threshold, and infinite when only the latter is.
    package var wastedUserPercent: Double { Double(wastedBytes) / Double(userSizeBytes) }

    /// - Parameter layers: bottom first.
    package init(layers: [PackedFileList]) { self.init(layers, PathTree(layers)) }

    init(_ layers: [PackedFileList], _ tree: PathTree) {
        let sizes = layers.map(\.storedSize)
        sizeBytes = sizes.reduce(0, &+)
        userSizeBytes = sizes.dropFirst().reduce(0, &+)
        var count = DiveCount(tree, layers)
        for layer in layers.indices { count.add(layer) }
        var smallest: Int64 = 0
        var total: Int64 = 0
        var wasted: Int64 = 0
        var references: [Reference] = []
        count.forEachRecord { node, path in
            smallest &+= path.smallest
            total &+= path.total
            guard path.visits > 1 else { return }
            wasted &+= path.total
            references.append(Reference(path: tree.path(of: node), count: path.visits, bytes: path.total))
        }
        self.references = references.sorted {
            $0.bytes == $1.bytes ? $0.path < $1.path : $0.bytes > $1.bytes
        }
        efficiency = total == 0 ? 1 : Double(smallest) / Double(total)
        wastedBytes = wasted
    }
}

/// The walk over the layers behind ``DiveScore``.
private struct DiveCount {
    /// The count for a path so far.
    struct Record {
        var visits = 0
        /// -1 until the first complete visit, and counted so.
        var smallest: Int64 = -1
        var total: Int64 = 0
    }

    /// A path in the stack of the layers so far.
    private struct Node {
        /// The topmost layer that has the path; -1 when none has it.
        var layer: Int32 = -1
        /// The entry of that layer; -1 when it has none, or a mark only.
        var entry: Int32 = -1
    }

    /// Of each path the only file that was counted, as of most there is one.
    private var single: [Node]
    /// The counts for the other paths.
    private var records: [Int: Record] = [:]
    private var nodes: [Node]
    private let tree: PathTree
    /// Bottom first.
    private let lists: [PackedFileList]

    init(_ tree: PathTree, _ lists: [PackedFileList]) {
        self.tree = tree
        self.lists = lists
        single = [Node](repeating: Node(), count: tree.count)
        nodes = single
    }

    /// Calls `body` with each path that was seen.
    func forEachRecord(_ body: (Int, Record) -> Void) {
        for (path, node) in single.enumerated() where node.layer >= 0 { body(path, record(of: node)) }
        for (path, record) in records { body(path, record) }
    }

    private func record(of file: Node) -> Record {
        let size = lists[Int(file.layer)].storedSize(of: Int(file.entry))
        return Record(visits: 1, smallest: size, total: size)
    }

    /// Counts a file or, with a size, what a whiteout removes.
    private mutating func count(_ path: Int, _ file: Node, removed: Int64? = nil) {
        if removed == nil, single[path].layer < 0, records[path] == nil {
            single[path] = file
            return
        }
        var record = takeRecord(path)
        let size = removed ?? self.record(of: file).total
        record.visits += 1
        record.total &+= size
        if record.smallest < 0 || size < record.smallest { record.smallest = size }
        records[path] = record
    }

    private mutating func takeRecord(_ path: Int) -> Record {
        if let known = records[path] { return known }
        guard single[path].layer >= 0 else { return Record() }
        defer { single[path] = Node() }
        return record(of: single[path])
    }

    mutating func add(_ layer: Int) {
        let order = order(of: layer)
        // What the bottom layer removes is looked up in that layer itself.
        if layer == 0 { stack(layer, order, heedingWhiteouts: false) }
        visit(layer, order)
        stack(layer, order, heedingWhiteouts: true)
    }

    /// The indexes of the entries in the order of their names in the archive: only whiteouts are named otherwise.
    private func order(of layer: Int) -> [Int32] {
        let (list, nodes) = (lists[layer], tree.entries[layer])
        let all = list.indices.map { Int32(truncatingIfNeeded: $0) }
        func path(_ index: Int32) -> PathBytes { tree.path(of: Int(nodes[Int(index)])) }
        let whiteouts = all.filter { list.kind(of: Int($0)) == .whiteout }.map { index in
            let path = path(index)
            let name = path.parent.appending(PathBytes(Array(".wh.".utf8) + path.lastComponent.bytes))
            return (index: index, name: name)
        }.sorted { $0.name.walksBefore($1.name) }
        guard !whiteouts.isEmpty else { return all }
        let others = all.filter { list.kind(of: Int($0)) != .whiteout }
        var order: [Int32] = []
        var done = 0
        for whiteout in whiteouts {
            let place = others.partitioningIndex { whiteout.name.walksBefore(path($0)) }
            order += others[done..<place]
            order.append(whiteout.index)
            done = place
        }
        return order + others[done...]
    }

    /// Counts the leaves of a layer's own tree, up to the first whiteout of a path that does not exist.
    private mutating func visit(_ layer: Int, _ order: [Int32]) {
        let (list, nodes) = (lists[layer], tree.entries[layer])
        for index in order where isLeaf(Int(index), list, nodes) {
            let path = Int(nodes[Int(index)])
            let file = Node(layer: Int32(truncatingIfNeeded: layer), entry: index)
            if list.kind(of: Int(index)) != .whiteout {
                count(path, file)
            } else if self.nodes[path].layer >= 0 {
                count(path, file, removed: sizeBelow(path))
            } else {
                records[path] = takeRecord(path)
                return
            }
        }
    }

    private func isLeaf(_ index: Int, _ list: PackedFileList, _ nodes: [Int32]) -> Bool {
        let path = nodes[index]
        var next = index + 1
        switch list.kind(of: index) {
        case .whiteout: return true
        case .opaque:
            // The mark itself is ignored, but it is what makes a directory that has no entry of its own.
            if path == PathTree.root { return false }
            if index > 0, nodes[index - 1] == path, !list.kind(of: index - 1).isMark { return false }
        default: if next < list.count, list.kind(of: next) == .opaque, nodes[next] == path { next += 1 }
        }
        return next == list.count || nodes[next] >= tree.end(of: Int(path))
    }

    /// The size of all that the stack has below a directory.
    private func sizeBelow(_ directory: Int) -> Int64 {
        guard kind(at: directory) == .directory else { return 0 }
        var sum: Int64 = 0
        var pending = [directory]
        while let path = pending.popLast() {
            let node = nodes[path]
            guard node.layer >= 0 else { continue }
            if node.entry >= 0 { sum &+= lists[Int(node.layer)].storedSize(of: Int(node.entry)) }
            for child in tree.children(of: path) { pending.append(Int(child)) }
        }
        return sum
    }

    /// The kind of the entry that the stack has at a path; directories that a layer only implies have none.
    private func kind(at path: Int) -> LayerEntry.Kind? {
        let node = nodes[path]
        return node.entry >= 0 ? lists[Int(node.layer)].kind(of: Int(node.entry)) : nil
    }

    private mutating func stack(_ layer: Int, _ order: [Int32], heedingWhiteouts: Bool) {
        let stamp = Int32(truncatingIfNeeded: layer)
        let (list, own) = (lists[layer], tree.entries[layer])
        for index in order {
            let path = Int(own[Int(index)])
            switch list.kind(of: Int(index)) {
            case .whiteout: if heedingWhiteouts { remove(path) }
            case .opaque: if nodes[path].layer != stamp { nodes[path] = Node(layer: stamp) }
            default: nodes[path] = Node(layer: stamp, entry: index)
            }
            makeParents(of: path, stamp)
        }
    }

    /// Directories that a layer only implies are present, but not known as directories.
    private mutating func makeParents(of path: Int, _ stamp: Int32) {
        var parent = tree.parent(of: path)
        while parent > PathTree.root, nodes[parent].layer != stamp {
            nodes[parent] = Node(layer: stamp)
            parent = tree.parent(of: parent)
        }
    }

    private mutating func remove(_ path: Int) {
        var pending = [path]
        while let path = pending.popLast() {
            guard nodes[path].layer >= 0 else { continue }
            nodes[path] = Node()
            for child in tree.children(of: path) { pending.append(Int(child)) }
        }
    }
}
