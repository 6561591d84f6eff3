import Diagnostics
package import Layers
package import Linux
package import OCI

/// The files that a stack of layers adds up to, known from the layers' file lists alone: nothing is unpacked for it.
///
/// Immutable; a layer on top shares all directories it does not touch.
package struct LayerTree: Sendable {
    private let layerCount: Int
    private let root: TreeNode

    /// The layer of directories that no layer describes.
    static let impliedLayer = -1

    /// The empty file system.
    package init() {
        layerCount = 0
        root = TreeNode(entry: .directory(at: ""), layer: Self.impliedLayer, contentPath: "", children: [:])
    }

    private init(layerCount: Int, root: TreeNode) {
        self.layerCount = layerCount
        self.root = root
    }

    /// The tree with one more layer on top.
    ///
    /// Throws ``TreesError`` `.badLayer` for a hard link to what neither the layer nor those below have.
    package func adding(_ layer: DiffID, _ files: FileList) throws -> LayerTree {
        let resolved = try resolveHardLinks(files.entries, of: layer)
        var merge = TreeMerge(root, layer: layerCount)
        for entry in resolved { merge.add(entry) }
        return LayerTree(layerCount: layerCount + 1, root: merge.finish())
    }

    /// Gives each hard link the metadata and the content of the file it names: in the same layer, else below.
    private func resolveHardLinks(_ entries: [LayerEntry], of layer: DiffID) throws -> [TreeEntry] {
        guard entries.contains(where: { $0.kind == .hardLink }) else { return entries.map { TreeEntry(entry: $0) } }
        var targets: [PathBytes: LayerEntry] = [:]
        for entry in entries where entry.kind != .hardLink { targets[entry.path] = entry }
        return try entries.map { entry in
            guard entry.kind == .hardLink else { return TreeEntry(entry: entry) }
            if let target = targets[entry.linkTarget] {
                return TreeEntry(entry: target.moved(to: entry.path), contentPath: target.path)
            }
            guard let below = find(entry.linkTarget), below.entry.kind != .directory else {
                throw TreesError(
                    .badLayer,
                    "the layer \(layer) has '/\(entry.path.text)', a hard link to '/\(entry.linkTarget.text)', which is no "
                        + "file of it or of the layers below",
                    hint: "The image is damaged: get it again, or use another one.")
            }
            return TreeEntry(
                entry: below.entry.moved(to: entry.path), contentPath: below.contentPath, contentLayer: below.layer)
        }
    }

    private func find(_ path: PathBytes) -> TreeNode? {
        var node = root
        for component in path.components {
            guard let child = node.children[component] else { return nil }
            node = child
        }
        return node
    }

    /// The file at exactly this path, without following links.
    package func node(at path: PathBytes) -> FileNode? { find(path).map { FileNode($0, at: path) } }

    /// Owner of the file at `path`; 0:0 if absent.
    package func owner(of path: PathBytes) -> (user: UInt32, group: UInt32) {
        let entry = find(path)?.entry
        return (entry?.owner ?? 0, entry?.group ?? 0)
    }

    /// The layers, by index, that hold the bytes of these files, links followed.
    package func layersHolding(_ paths: [PathBytes]) throws -> Set<Int> {
        var layers: Set<Int> = []
        for path in paths {
            guard let node = find(try resolveLinks(path) { find($0)?.entry }) else { continue }
            layers.insert(node.layer)
        }
        return layers
    }

    /// The files in a directory, in byte order.
    package func children(of path: PathBytes) -> [FileNode] {
        guard let node = find(path) else { return [] }
        return node.children.sorted { $0.key < $1.key }.map { FileNode($0.value, at: path.appending($0.key)) }
    }
}

extension FileNode {
    fileprivate init(_ node: TreeNode, at path: PathBytes) {
        self.init(
            path: path, entry: node.entry,
            linkIdentity: node.entry.kind == .regular
                ? LinkIdentity(space: UInt64(truncatingIfNeeded: node.layer), file: node.contentPath) : nil,
            origin: .layer(node.layer, node.contentPath))
    }
}

/// An entry of a layer with the place of its bytes, which for a hard link is elsewhere.
private struct TreeEntry {
    let entry: LayerEntry
    var contentPath: PathBytes?
    var contentLayer: Int?
}

/// A file in a tree of layers.
private final class TreeNode: Sendable {
    let entry: LayerEntry
    /// The layer that holds the file's bytes; ``LayerTree/impliedLayer`` for directories that no layer describes.
    let layer: Int
    let contentPath: PathBytes
    let children: [PathBytes: TreeNode]

    init(entry: LayerEntry, layer: Int, contentPath: PathBytes, children: [PathBytes: TreeNode]) {
        self.entry = entry
        self.layer = layer
        self.contentPath = contentPath
        self.children = children
    }
}

/// A tree with the entries of a layer put on it, in the order of a list. Directories that have no entry at or below them
/// are shared with the tree below.
private struct TreeMerge {
    /// A directory that entries are put into.
    private struct Open {
        let path: PathBytes
        /// The directory without its children.
        let node: TreeNode
        var children: [PathBytes: TreeNode]

        func finished() -> TreeNode {
            TreeNode(entry: node.entry, layer: node.layer, contentPath: node.contentPath, children: children)
        }
    }

    private let layer: Int
    /// The way from the root to the directory of the last entry; never empty.
    private var open: [Open]

    init(_ root: TreeNode, layer: Int) {
        self.layer = layer
        open = [Open(path: "", node: root, children: root.children)]
    }

    mutating func add(_ entry: TreeEntry) {
        let path = entry.entry.path
        if path.isEmpty { return addRoot(entry) }
        go(to: entry.entry.kind == .opaque ? path : path.parent)
        let name = path.lastComponent
        switch entry.entry.kind {
        // Opaque: what lower layers have here is gone, whatever else this layer says of the directory.
        case .opaque: open[open.count - 1].children = [:]
        case .whiteout: open[open.count - 1].children[name] = nil
        case .directory:
            let old = open[open.count - 1].children[name]
            let children = old?.entry.kind == .directory ? old?.children : nil
            open.append(Open(path: path, node: node(entry), children: children ?? [:]))
        default: open[open.count - 1].children[name] = node(entry)
        }
    }

    consuming func finish() -> TreeNode {
        while open.count > 1 { close() }
        return open[0].finished()
    }

    private func node(_ entry: TreeEntry) -> TreeNode {
        TreeNode(
            entry: entry.entry, layer: entry.contentLayer ?? layer, contentPath: entry.contentPath ?? entry.entry.path,
            children: [:])
    }

    private mutating func addRoot(_ entry: TreeEntry) {
        while open.count > 1 { close() }
        if entry.entry.kind == .opaque {
            open[0].children = [:]
        } else {
            open[0] = Open(path: "", node: node(entry), children: open[0].children)
        }
    }

    /// Makes a directory the last one that is open. A file of a lower layer that now has something below it has become a
    /// directory.
    private mutating func go(to directory: PathBytes) {
        while !directory.isWithin(open[open.count - 1].path) { close() }
        var path = open[open.count - 1].path
        let depth = path.isEmpty ? 0 : path.bytes.count + 1
        guard directory.bytes.count > depth else { return }
        for name in PathBytes(directory.bytes[depth...]).components {
            path = path.appending(name)
            let old = open[open.count - 1].children[name]
            let node =
                old.flatMap { $0.entry.kind == .directory ? $0 : nil }
                ?? TreeNode(
                    entry: .directory(at: path), layer: LayerTree.impliedLayer, contentPath: path, children: [:])
            open.append(Open(path: path, node: node, children: node.children))
        }
    }

    private mutating func close() {
        let last = open.removeLast()
        open[open.count - 1].children[last.path.lastComponent] = last.finished()
    }
}

extension LayerEntry {
    /// A directory that nothing describes, as it is made when it has to be there.
    package static func directory(at path: PathBytes) -> LayerEntry {
        LayerEntry(path: path, kind: .directory, permissions: 0o755)
    }

    /// The same file under another path.
    package func moved(to path: PathBytes) -> LayerEntry {
        var copy = self
        copy.path = path
        return copy
    }
}
