import Diagnostics
package import Layers
package import Linux
package import OCI

/// The files that a stack of layers adds up to, known from the layers' file lists alone: nothing is unpacked for it.
///
/// Immutable; a layer on top shares all directories it does not touch.
package struct LayerTree: Sendable {
    /// Bottom first.
    package let layers: [DiffID]
    private let root: TreeNode

    /// The layer of directories that no layer describes.
    static let impliedLayer = -1

    /// The empty file system.
    package init() {
        layers = []
        root = TreeNode(entry: .directory(at: ""), layer: Self.impliedLayer, contentPath: "", children: [:])
    }

    private init(layers: [DiffID], root: TreeNode) {
        self.layers = layers
        self.root = root
    }

    /// The tree with one more layer on top.
    ///
    /// Throws ``TreesError`` `.badLayer` for a hard link to what neither the layer nor those below have.
    package func adding(_ layer: DiffID, _ files: FileList) throws -> LayerTree {
        let resolved = try resolveHardLinks(files.entries, of: layer)
        var slice = resolved[...]
        let merged = root.merging(&slice, at: "", layer: layers.count)
        return LayerTree(layers: layers + [layer], root: merged)
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

    /// This node with the entries of a layer that lie at or below it, which are the front of `entries`.
    func merging(_ entries: inout ArraySlice<TreeEntry>, at path: PathBytes, layer: Int) -> TreeNode {
        var own = self
        var children = self.children
        if let first = entries.first, first.entry.path == path, first.entry.kind != .opaque {
            entries = entries.dropFirst()
            let isDirectory = first.entry.kind == .directory
            own = TreeNode(
                entry: first.entry, layer: first.contentLayer ?? layer, contentPath: first.contentPath ?? path,
                children: [:])
            if !isDirectory || entry.kind != .directory { children = [:] }
        }
        var added: [PathBytes: TreeNode] = [:]
        while let next = entries.first, next.entry.path.isWithin(path) {
            if next.entry.path == path {
                // Opaque: what lower layers have here is gone, whatever else this layer says of the directory.
                if next.entry.kind == .opaque { children = [:] }
                entries = entries.dropFirst()
                continue
            }
            let depth = path.isEmpty ? 0 : path.bytes.count + 1
            let rest = next.entry.path.bytes[depth...]
            let name = PathBytes(rest.prefix { $0 != UInt8(ascii: "/") })
            let childPath = path.appending(name)
            if next.entry.kind == .whiteout, next.entry.path == childPath {
                children[name] = nil
                entries = entries.dropFirst()
                continue
            }
            let lower =
                added[name] ?? children[name]
                ?? TreeNode(
                    entry: .directory(at: childPath), layer: LayerTree.impliedLayer, contentPath: childPath,
                    children: [:])
            // A file of a lower layer that now has something below it has become a directory.
            let base =
                lower.entry.kind == .directory || next.entry.path == childPath
                ? lower
                : TreeNode(
                    entry: .directory(at: childPath), layer: LayerTree.impliedLayer, contentPath: childPath,
                    children: [:])
            added[name] = base.merging(&entries, at: childPath, layer: layer)
        }
        children.merge(added) { $1 }
        return TreeNode(entry: own.entry, layer: own.layer, contentPath: own.contentPath, children: children)
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
