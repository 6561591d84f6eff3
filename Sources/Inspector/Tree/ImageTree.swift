package import Layers
package import Linux

/// The files of an image in all its layers, as a tree in flat arrays.
///
/// Nodes are numbered in the order of a walk with sorted names, so a node and all below it are a range of numbers. The
/// root is 0. Every path that any layer names has one node; at which layers there is a file is what its versions say.
package struct ImageTree: Sendable {
    /// Bottom first.
    package let lists: [FileList]
    private let tree: PathTree
    /// The number of a node in ``tree``, and the node of a number.
    private let numbers: [Int32]
    private let nodes: [Int32]
    private let parents: [Int32]
    private let ends: [Int32]
    private let depths: [UInt16]
    private let starts: [Int32]
    private let versions: [FileVersion]

    package static let root = 0

    /// - Parameter lists: bottom first.
    package init(layers lists: [FileList]) {
        let tree = PathTree(lists)
        var files = LiveFiles(tree, recordsVersions: true)
        for list in lists { files.apply(list) }
        self.init(lists, tree, files.log ?? FileVersionLog())
    }

    init(_ lists: [FileList], _ tree: PathTree, _ log: FileVersionLog) {
        self.lists = lists
        self.tree = tree
        numbers = TreeOrder(tree).numbers
        var nodes = [Int32](repeating: 0, count: numbers.count)
        for (node, number) in numbers.enumerated() { nodes[Int(number)] = Int32(truncatingIfNeeded: node) }
        self.nodes = nodes
        var parents = [Int32](repeating: -1, count: numbers.count)
        var depths = [UInt16](repeating: 0, count: numbers.count)
        var ends = numbers.indices.map { Int32(truncatingIfNeeded: $0 + 1) }
        for node in numbers.indices.dropFirst() {
            parents[node] = nodes[tree.parent(of: Int(numbers[node]))]
            depths[node] = depths[Int(parents[node])] &+ 1
        }
        for node in numbers.indices.dropFirst().reversed() {
            let parent = Int(parents[node])
            ends[parent] = max(ends[parent], ends[node])
        }
        self.parents = parents
        self.depths = depths
        self.ends = ends
        (starts, versions) = log.byPlace(nodes)
    }

    package var count: Int { numbers.count }
    package var layerCount: Int { lists.count }

    /// The path of a node, relative to the root; empty for the root.
    package func path(of node: Int) -> PathBytes { tree.paths[Int(numbers[node])] }

    /// The last part of the path.
    package func name(of node: Int) -> ArraySlice<UInt8> {
        let path = tree.paths[Int(numbers[node])].bytes
        guard node != Self.root else { return path[...] }
        let parent = tree.paths[Int(numbers[Int(parents[node])])].bytes.count
        return path[(parent == 0 ? 0 : parent + 1)...]
    }

    /// The node of the directory that a node is in; -1 for the root.
    package func parent(of node: Int) -> Int { Int(parents[node]) }

    /// The end of the range of nodes that begins with a node and holds all below it.
    package func end(of node: Int) -> Int { Int(ends[node]) }

    /// The number of directories above a node; 0 for the root.
    package func depth(of node: Int) -> Int { Int(depths[node]) }

    /// The node with a path; `nil` when no layer has the path or anything below it.
    package func node(at path: PathBytes) -> Int? { tree.number(of: path).map { Int(nodes[$0]) } }

    /// The nodes in a directory, in the order of their names, whether or not some layer shows them.
    package func children(of node: Int) -> [Int] {
        var children: [Int] = []
        var child = node + 1
        while child < end(of: node) {
            children.append(child)
            child = end(of: child)
        }
        return children
    }
}

// MARK: - Versions

/// The file that is at a path after a layer.
package struct TreeFile: Hashable, Sendable {
    /// The layer that put it there; 0 is the bottom.
    package let layer: Int
    /// Its index in the file list of the layer; `nil` for a directory that no entry names.
    package let entry: Int?
}

extension ImageTree {
    /// The file at a node after the layers up to `layer`; `nil` when there is none then.
    ///
    /// The root is always there, even below all layers: `layer` may be -1.
    package func file(at node: Int, after layer: Int) -> TreeFile? {
        guard let version = version(at: node, after: layer) else {
            return node == Self.root ? TreeFile(layer: 0, entry: nil) : nil
        }
        return version.file
    }

    /// The last version of a node by a layer up to `layer`.
    func version(at node: Int, after layer: Int) -> FileVersion? {
        var index = Int(starts[node + 1]) - 1
        while index >= Int(starts[node]) {
            if Int(versions[index].layer) <= layer { return versions[index] }
            index -= 1
        }
        return nil
    }

    /// The files that layers put at a node, and its removals, bottom first.
    func versions(at node: Int) -> ArraySlice<FileVersion> { versions[Int(starts[node])..<Int(starts[node + 1])] }

    /// The layer up to `layer` that removed what was at a node; `nil` when something is there, or never was.
    package func remover(of node: Int, after layer: Int) -> Int? {
        guard let version = version(at: node, after: layer), Int(version.entry) == FileVersion.removal else {
            return nil
        }
        return Int(version.layer)
    }

    /// The files that layers have at a node, bottom first; removals and implied directories are left out.
    package func files(at node: Int) -> [TreeFile] {
        versions[Int(starts[node])..<Int(starts[node + 1])].compactMap(\.file).filter { $0.entry != nil }
    }

    /// Whether a layer has a file at a node, whatever the layers above make of it.
    package func layer(_ layer: Int, holds node: Int) -> Bool {
        versions[Int(starts[node])..<Int(starts[node + 1])].contains { Int($0.layer) == layer && $0.entry >= 0 }
    }

    /// The entry of a file; a directory that no entry names belongs to root and has the mode 0755.
    package func entry(of file: TreeFile, at node: Int) -> LayerEntry {
        guard let entry = file.entry else {
            return LayerEntry(path: path(of: node), kind: .directory, permissions: 0o755)
        }
        return lists[file.layer].entries[entry]
    }
}

extension FileVersion {
    var file: TreeFile? {
        switch Int(entry) {
        case Self.removal: nil
        case Self.impliedDirectory: TreeFile(layer: Int(layer), entry: nil)
        default: TreeFile(layer: Int(layer), entry: Int(entry))
        }
    }
}

// MARK: - Order

/// The order of a walk with sorted names.
private struct TreeOrder {
    /// The numbers of the paths in that order.
    private(set) var numbers: [Int32] = []

    init(_ tree: PathTree) {
        // The children of a path lie side by side, in the order of their numbers, which mostly is that of their names.
        var starts = [Int32](repeating: 0, count: tree.count + 1)
        for number in 1..<max(1, tree.count) { starts[tree.parent(of: number) + 1] += 1 }
        for number in 0..<tree.count { starts[number + 1] += starts[number] }
        var children = [Int32](repeating: 0, count: max(0, tree.count - 1))
        var next = starts
        for number in 1..<max(1, tree.count) {
            let parent = tree.parent(of: number)
            children[Int(next[parent])] = Int32(truncatingIfNeeded: number)
            next[parent] += 1
        }
        numbers.reserveCapacity(tree.count)
        var pending: [Int32] = [0]
        while let number = pending.popLast() {
            numbers.append(number)
            let range = Int(starts[Int(number)])..<Int(starts[Int(number) + 1])
            let start = tree.paths[Int(number)].bytes.count
            let isSorted = range.dropFirst().allSatisfy {
                Self.precedes(tree.paths[Int(children[$0 - 1])], tree.paths[Int(children[$0])], from: start)
            }
            if !isSorted {
                children[range].sort { Self.precedes(tree.paths[Int($0)], tree.paths[Int($1)], from: start) }
            }
            for index in range.reversed() { pending.append(children[index]) }
        }
    }

    /// Whether a path comes before another whose first bytes are the same.
    private static func precedes(_ left: PathBytes, _ right: PathBytes, from start: Int) -> Bool {
        let left = left.bytes.span
        let right = right.bytes.span
        var index = start
        while index < left.count, index < right.count {
            if left[index] != right[index] { return left[index] < right[index] }
            index += 1
        }
        return left.count < right.count
    }
}
