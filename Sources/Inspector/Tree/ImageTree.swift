package import Layers
package import Linux

/// The files of an image in all its layers, as a tree in flat arrays.
///
/// Nodes are numbered in the order of a walk with sorted names, so a node and all below it are a range of numbers. The
/// root is 0. Every path that any layer names has one node; at which layers there is a file is what its versions say.
package struct ImageTree: Sendable {
    /// Bottom first.
    package let lists: [PackedFileList]
    private let tree: PathTree
    /// The versions of all nodes: those of node `n` are `versions[starts[n]..<starts[n + 1]]`, bottom first.
    let starts: [Int32]
    let versions: [FileVersion]

    package static let root = 0

    /// - Parameter lists: bottom first.
    package init(layers lists: [PackedFileList]) {
        let tree = PathTree(lists)
        var files = LiveFiles(tree, lists, recordsVersions: true)
        for layer in lists.indices { files.apply(layer) }
        self.init(lists, tree, files.finish() ?? FileVersionLog())
    }

    init(_ lists: [PackedFileList], _ tree: PathTree, _ log: FileVersionLog) {
        self.lists = lists
        self.tree = tree
        (starts, versions) = log.byNode(tree.count)
    }

    package var count: Int { tree.count }
    /// Of each node the directory that it is in, and the end of the range that holds all below it: for loops over all nodes.
    var parents: [Int32] { tree.parents }
    var ends: [Int32] { tree.ends }
    /// Of each layer the node of each entry.
    var entryNodes: [[Int32]] { tree.entries }
    package var layerCount: Int { lists.count }

    /// The path of a node, relative to the root; empty for the root.
    package func path(of node: Int) -> PathBytes { tree.path(of: node) }

    /// The last part of the path.
    package func name(of node: Int) -> ArraySlice<UInt8> { tree.name(of: node) }

    /// The node of the directory that a node is in; -1 for the root.
    package func parent(of node: Int) -> Int { tree.parent(of: node) }

    /// The end of the range of nodes that begins with a node and holds all below it.
    package func end(of node: Int) -> Int { tree.end(of: node) }

    /// The number of directories above a node; 0 for the root.
    package func depth(of node: Int) -> Int { tree.depth(of: node) }

    /// The node with a path; `nil` when no layer has the path or anything below it.
    package func node(at path: PathBytes) -> Int? { tree.node(at: path) }

    /// The nodes in a directory, in the order of their names, whether or not some layer shows them.
    package func children(of node: Int) -> [Int] { tree.children(of: node).map { Int($0) } }
}

// MARK: - Entries

extension ImageTree {
    /// The node of an entry of a layer, by its index in the layer's list.
    package func node(of index: Int, in layer: Int) -> Int { Int(tree.entries[layer][index]) }

    /// An entry of a layer, by its index in the layer's list.
    package func entry(_ index: Int, of layer: Int) -> LayerEntry {
        lists[layer].entry(index, at: path(of: node(of: index, in: layer)))
    }

    /// The entries of a layer, in the order of its list.
    package func entries(of layer: Int) -> some Sequence<LayerEntry> {
        lists[layer].indices.lazy.map { entry($0, of: layer) }
    }

    /// The index of a layer's file with a path; marks are not files.
    package func index(of path: PathBytes, in layer: Int) -> Int? {
        node(at: path).flatMap { tree.entry(at: $0, of: lists[layer], in: layer) }
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
        return lists[file.layer].entry(entry, at: path(of: node))
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
