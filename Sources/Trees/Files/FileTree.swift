import Diagnostics
package import Layers
package import Linux

/// A file of a tree that files are copied from.
package struct FileNode: Sendable {
    /// The path in its tree.
    package let path: PathBytes
    /// Its metadata; hard links are resolved, so the kind is never `hardLink`.
    package let entry: LayerEntry
    /// Equal for the names of one file; `nil` where there is only one.
    package let linkIdentity: LinkIdentity?
    /// The place of its bytes.
    package let origin: Origin

    package init(path: PathBytes, entry: LayerEntry, linkIdentity: LinkIdentity?, origin: Origin) {
        self.path = path
        self.entry = entry
        self.linkIdentity = linkIdentity
        self.origin = origin
    }

    package enum Origin: Sendable {
        /// In a file below the tree's own directory, which looked like this when it was found.
        case directory(FileFingerprint)
        /// In a layer of the tree, by the index of the layer and the path in it.
        case layer(Int, PathBytes)
    }

    package var isDirectory: Bool { entry.kind == .directory }

    /// Whether it is a directory of layers or of an archive that no entry describes.
    package var isImplied: Bool {
        if case .layer(LayerTree.impliedLayer, _) = origin { true } else { false }
    }
}

/// Names one file among several hard links to it.
package struct LinkIdentity: Hashable, Sendable {
    package let space: UInt64
    package let file: PathBytes
}

/// Files that can be looked up by path: a build context, the root of a stage or an image, an unpacked archive.
package protocol FileTree: Sendable {
    /// The file at exactly this path; links are not followed.
    func node(at path: PathBytes) throws -> FileNode?

    /// The files in a directory of the tree, in byte order of their names.
    func contents(of directory: FileNode) throws -> DirectoryContents

    /// Opens a regular file for reading.
    func open(_ file: FileNode) throws -> OwnedDescriptor

    /// The SHA-256 of a regular file's bytes.
    func contentDigest(of file: FileNode) throws -> [UInt8]

    /// The same tree for one walk through directories and all below them.
    func forWalk() -> any FileTree
}

extension FileTree {
    package func forWalk() -> any FileTree { self }

    /// Goes through all that is below a directory, depth first, the names of a directory in byte order.
    ///
    /// `visit` gets each file before what is in it, and says whether that is wanted. `leave` gets each directory that was
    /// gone through, after all that is in it.
    package func walk(
        below directory: FileNode, visit: (FileNode) throws -> Bool, leave: (FileNode) throws -> Void = { _ in }
    ) throws {
        var open = [(directory: directory, rest: try contents(of: directory))]
        while !open.isEmpty {
            guard let node = try open[open.count - 1].rest.popFirst() else {
                let finished = open.removeLast()
                if !open.isEmpty { try leave(finished.directory) }
                continue
            }
            guard try visit(node), node.isDirectory else { continue }
            guard node.path.depth < PathBytes.depthLimit else { throw TreesError.tooDeep }
            open.append((node, try contents(of: node)))
        }
    }
}

/// Resolves all links of a path, with the tree that `lookup` knows as the root directory.
///
/// Components that do not exist stay as they are, so the result is also where a new file would go.
/// Throws ``TreesError`` `.tooManyLinks` for a loop.
package func resolveLinks(_ path: PathBytes, lookup: (PathBytes) throws -> LayerEntry?) throws -> PathBytes {
    let resolved = try path.followingLinks { path in
        guard let entry = try lookup(path), entry.kind == .symlink else { return nil }
        return entry.linkTarget
    }
    guard let resolved else {
        throw TreesError(
            .tooManyLinks,
            "'/\(PathBytes(path.bytes.drop { $0 == UInt8(ascii: "/") }))' leads through too many symbolic links")
    }
    return resolved
}

extension FileTree {
    /// Resolves all links of a path; see ``resolveLinks(_:lookup:)``.
    package func resolve(_ path: PathBytes) throws -> PathBytes {
        try resolveLinks(path) { try node(at: $0)?.entry }
    }

    /// The content of a small file, links followed; `nil` when there is none or it is no regular file.
    package func content(of path: PathBytes, limit: Int = 10 << 20) throws -> [UInt8]? {
        guard let node = try node(at: resolve(path)), node.entry.kind == .regular, node.entry.size <= limit else {
            return nil
        }
        return try open(node).readAll(limit: limit)
    }
}
