package import Layers
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
    package init(layers: [FileList]) { self.init(layers, PathTree(layers)) }

    init(_ layers: [FileList], _ tree: PathTree) {
        let sizes = layers.map(\.storedSize)
        sizeBytes = sizes.reduce(0, &+)
        userSizeBytes = sizes.dropFirst().reduce(0, &+)
        var count = DiveCount(tree)
        for (index, layer) in layers.enumerated() { count.add(layer, index) }
        var smallest: Int64 = 0
        var total: Int64 = 0
        var wasted: Int64 = 0
        var references: [Reference] = []
        for (number, path) in count.records.enumerated() where path.isKnown {
            smallest &+= path.smallest
            total &+= path.total
            guard path.visits > 1 else { continue }
            wasted &+= path.total
            references.append(Reference(path: tree.paths[number], count: path.visits, bytes: path.total))
        }
        self.references = references.sorted { $0.bytes == $1.bytes ? $0.path < $1.path : $0.bytes > $1.bytes }
        efficiency = total == 0 ? 1 : Double(smallest) / Double(total)
        wastedBytes = wasted
    }
}

extension FileList {
    /// The bytes of content that the layer holds.
    var storedSize: Int64 {
        // By index: an entry that is passed on is copied, with three references.
        entries.indices.reduce(0) { $0 &+ (entries[$1].kind == .regular ? max(0, entries[$1].size) : 0) }
    }
}

/// The walk over the layers behind ``DiveScore``.
private struct DiveCount {
    /// The count for a path so far.
    struct Record {
        var isKnown = false
        var visits = 0
        /// -1 until the first complete visit, and counted so.
        var smallest: Int64 = -1
        var total: Int64 = 0
    }

    /// A path in the stack of the layers so far.
    private struct Node {
        var isPresent = false
        /// Only of directories that the topmost layer with the path has an entry for.
        var isDirectory = false
        var size: Int64 = 0
        var layer: Int32 = -1
    }

    private(set) var records: [Record]
    private var nodes: [Node]
    private let tree: PathTree

    init(_ tree: PathTree) {
        self.tree = tree
        records = [Record](repeating: Record(), count: tree.count)
        nodes = [Node](repeating: Node(), count: tree.count)
    }

    mutating func add(_ list: FileList, _ layer: Int) {
        let order = Self.order(of: list)
        // What the bottom layer removes is looked up in that layer itself.
        if layer == 0 { stack(list, layer, order, heedingWhiteouts: false) }
        visit(list, layer, order)
        stack(list, layer, order, heedingWhiteouts: true)
    }

    /// The indexes of the entries in the order of their names in the archive: only whiteouts are named otherwise.
    private static func order(of list: FileList) -> [Int] {
        guard list.entries.contains(where: { $0.kind == .whiteout }) else { return Array(list.entries.indices) }
        let names = list.entries.map { entry in
            guard entry.kind == .whiteout else { return entry.path }
            return entry.path.parent.appending(PathBytes(Array(".wh.".utf8) + entry.path.lastComponent.bytes))
        }
        return list.entries.indices.sorted { names[$0].walksBefore(names[$1]) }
    }

    /// Counts the leaves of a layer's own tree, up to the first whiteout of a path that does not exist.
    private mutating func visit(_ list: FileList, _ layer: Int, _ order: [Int]) {
        for index in order where Self.isLeaf(index, in: list.entries) {
            let path = Int(tree.entries[layer][index])
            let isWhiteout = list.entries[index].kind == .whiteout
            records[path].isKnown = true
            if isWhiteout, !nodes[path].isPresent { return }
            let size = isWhiteout ? sizeBelow(path) : list.entries[index].storedSize
            records[path].visits += 1
            records[path].total &+= size
            if records[path].smallest < 0 || size < records[path].smallest { records[path].smallest = size }
        }
    }

    private static func isLeaf(_ index: Int, in entries: [LayerEntry]) -> Bool {
        let path = entries[index].path
        var next = index + 1
        switch entries[index].kind {
        case .whiteout: return true
        case .opaque:
            // The mark itself is ignored, but it is what makes a directory that has no entry of its own.
            if path.isEmpty { return false }
            if index > 0, entries[index - 1].path == path, !entries[index - 1].isMark { return false }
        default: if next < entries.count, entries[next].kind == .opaque, entries[next].path == path { next += 1 }
        }
        return next == entries.count || !entries[next].path.isWithin(path)
    }

    /// The size of all that the stack has below a directory.
    private func sizeBelow(_ directory: Int) -> Int64 {
        guard nodes[directory].isDirectory else { return 0 }
        var sum: Int64 = 0
        var pending = [directory]
        while let path = pending.popLast() {
            guard nodes[path].isPresent else { continue }
            sum &+= nodes[path].size
            tree.forEachChild(of: path) { pending.append($0) }
        }
        return sum
    }

    private mutating func stack(_ list: FileList, _ layer: Int, _ order: [Int], heedingWhiteouts: Bool) {
        let stamp = Int32(truncatingIfNeeded: layer)
        for index in order {
            let path = Int(tree.entries[layer][index])
            let kind = list.entries[index].kind
            switch kind {
            case .whiteout:
                if heedingWhiteouts { remove(path) }
                makeParents(of: path, stamp)
            case .opaque:
                if nodes[path].layer != stamp { nodes[path] = Node(isPresent: true, layer: stamp) }
                makeParents(of: path, stamp)
            default:
                nodes[path] = Node(
                    isPresent: true, isDirectory: kind == .directory, size: list.entries[index].storedSize,
                    layer: stamp)
                makeParents(of: path, stamp)
            }
        }
    }

    /// Directories that a layer only implies are present, but not known as directories.
    private mutating func makeParents(of path: Int, _ stamp: Int32) {
        var parent = tree.parent(of: path)
        while parent > PathTree.root, nodes[parent].layer != stamp || !nodes[parent].isPresent {
            nodes[parent] = Node(isPresent: true, layer: stamp)
            parent = tree.parent(of: parent)
        }
    }

    private mutating func remove(_ path: Int) {
        var pending = [path]
        while let path = pending.popLast() {
            guard nodes[path].isPresent else { continue }
            nodes[path] = Node()
            tree.forEachChild(of: path) { pending.append($0) }
        }
    }
}
