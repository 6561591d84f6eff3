import Layers
import Linux

/// All paths that the layers of an image name, and their parents, as nodes in the order of a walk with sorted names.
///
/// Facts about a path are kept in arrays with nodes as indexes. A node and all below it are a range of numbers; the root
/// is 0. Names only are stored: a path is put together from those of the nodes above it.
struct PathTree: Sendable {
    static let root = 0

    /// Of each layer the node of each entry, in their order.
    private(set) var entries: [[Int32]] = []
    private var names: [UInt8] = []
    /// The end of each node's name in ``names``, in bytes.
    private var nameEnds: [Int] = [0]
    private(set) var parents: [Int32] = [-1]
    private var depths: [UInt16] = [0]
    private(set) var ends: [Int32] = []
    /// The children of a node lie side by side in the order of their names.
    private var childStarts: [Int32] = []
    private var children: [Int32] = []

    init(_ lists: [PackedFileList]) {
        let total = lists.reduce(0) { $0 + $1.count }
        nameEnds.reserveCapacity(total + 1)
        parents.reserveCapacity(total + 1)
        depths.reserveCapacity(total + 1)
        // More than most names take: memory that is not written to is not there.
        names.reserveCapacity(total * 24)
        entries = lists.map { list in
            var nodes: [Int32] = []
            nodes.reserveCapacity(list.count)
            return nodes
        }
        addNodes(lists)
        findEnds()
        findChildren()
    }

    var count: Int { parents.count }

    /// The directory that a node is in; -1 for the root.
    func parent(of node: Int) -> Int { Int(parents[node]) }

    /// The end of the range of nodes that begins with a node and holds all below it.
    func end(of node: Int) -> Int { Int(ends[node]) }

    /// The number of directories above a node; 0 for the root.
    func depth(of node: Int) -> Int { Int(depths[node]) }

    /// The last part of the path.
    func name(of node: Int) -> ArraySlice<UInt8> { names[nameStart(of: node)..<nameEnds[node]] }

    private func nameStart(of node: Int) -> Int { node == 0 ? 0 : nameEnds[node - 1] }

    /// The path, relative to the root; empty for the root.
    func path(of node: Int) -> PathBytes {
        var way: [Int] = []
        var length = 0
        var next = node
        while next > Self.root {
            way.append(next)
            length += nameEnds[next] - nameStart(of: next) + 1
            next = parent(of: next)
        }
        var path: [UInt8] = []
        path.reserveCapacity(length)
        for node in way.reversed() {
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path += name(of: node)
        }
        return PathBytes(path)
    }

    func children(of node: Int) -> ArraySlice<Int32> {
        children[Int(childStarts[node])..<Int(childStarts[node + 1])]
    }

    /// The node with a path; `nil` when no layer names it or anything below it.
    func node(at path: PathBytes) -> Int? {
        var node = Self.root
        for name in path.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true) {
            let children = children(of: node)
            let index = children.partitioningIndex { !self.name(of: Int($0)).lexicographicallyPrecedes(name) }
            guard index < children.endIndex, self.name(of: Int(children[index])) == name else { return nil }
            node = Int(children[index])
        }
        return node
    }

    /// The index of the file of a layer at a node; marks are not files.
    func entry(at node: Int, of list: PackedFileList, in layer: Int) -> Int? {
        let nodes = entries[layer]
        var index = nodes.partitioningIndex { $0 >= node }
        while index < nodes.endIndex, nodes[index] == node {
            if !list.kind(of: index).isMark { return index }
            index += 1
        }
        return nil
    }
}

// MARK: - Making

extension PathTree {
    private mutating func addNodes(_ lists: [PackedFileList]) {
        var merge = PathMerge(lists)
        var last: [UInt8] = []
        /// The node of `last` and those above it, each with the length of its path.
        var way = [(node: Self.root, length: 0)]
        while let layer = merge.next() {
            let path = merge.path(of: layer)
            let shared = last.span.commonPrefix(with: path.span)
            if shared < path.count || shared < last.count {
                while let top = way.last, !Self.isAncestor(top.length, of: path, shared) { way.removeLast() }
                add(path, below: &way)
                last.removeSubrange(shared...)
                last += path[shared...]
            }
            entries[layer].append(Int32(truncatingIfNeeded: way.last?.node ?? Self.root))
        }
    }

    /// Whether a path of which so many bytes are shared with another has a directory of that one above it.
    private static func isAncestor(_ length: Int, of path: [UInt8], _ shared: Int) -> Bool {
        length == 0 || length <= shared && length < path.count && path[length] == UInt8(ascii: "/")
    }

    /// Adds the node of a path, and those of the directories above it that are not there.
    private mutating func add(_ path: [UInt8], below way: inout [(node: Int, length: Int)]) {
        guard let top = way.last else { return }
        var start = top.length == 0 ? 0 : top.length + 1
        while start < path.count {
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
            let parent = way[way.count - 1].node
            names += path[start..<end]
            nameEnds.append(names.count)
            parents.append(Int32(truncatingIfNeeded: parent))
            depths.append(depths[parent] &+ 1)
            way.append((count - 1, end))
            start = end + 1
        }
    }

    private mutating func findEnds() {
        ends = (0..<count).map { Int32(truncatingIfNeeded: $0 + 1) }
        for node in (1..<max(1, count)).reversed() {
            let parent = Int(parents[node])
            ends[parent] = max(ends[parent], ends[node])
        }
    }

    private mutating func findChildren() {
        childStarts = [Int32](repeating: 0, count: count + 1)
        for node in 1..<max(1, count) { childStarts[Int(parents[node]) + 1] += 1 }
        for node in 0..<count { childStarts[node + 1] += childStarts[node] }
        children = [Int32](repeating: 0, count: max(0, count - 1))
        var next = childStarts
        for node in 1..<max(1, count) {
            let parent = Int(parents[node])
            children[Int(next[parent])] = Int32(truncatingIfNeeded: node)
            next[parent] += 1
        }
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index whose element satisfies a condition that holds for all elements behind it.
    func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
