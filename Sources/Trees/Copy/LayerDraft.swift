import Diagnostics
package import Layers
package import Linux

/// A layer being put together on top of a tree: what it will hold, by path.
package struct LayerDraft {
    /// Where the bytes of a file come from.
    package enum Content {
        case none
        case file(FileNode, any FileTree)
        case bytes([UInt8])
    }

    package struct File {
        package var entry: LayerEntry
        package var content: Content
        /// Equal for the names of one file within one copy.
        package var link: CopyLink?

        package init(entry: LayerEntry, content: Content, link: CopyLink? = nil) {
            self.entry = entry
            self.content = content
            self.link = link
        }
    }

    private let base: LayerTree
    package private(set) var files: [PathBytes: File] = [:]

    package init(on base: LayerTree) { self.base = base }

    /// The file at a path as this layer leaves it; links are not followed.
    package func entry(at path: PathBytes) -> LayerEntry? {
        if let file = files[path] { return file.entry }
        if path.isEmpty { return base.node(at: "")?.entry }
        // Below what this layer made a file, nothing of the lower layers is left. What is above a file of this layer are
        // directories of it.
        var ancestor = path.parent
        while !ancestor.isEmpty {
            if let file = files[ancestor] {
                if file.entry.kind != .directory { return nil }
                break
            }
            ancestor = ancestor.parent
        }
        return base.node(at: path)?.entry
    }

    /// Resolves the links of a path in the tree with this layer on it; what is missing stays as written.
    package func resolve(_ path: PathBytes) throws -> PathBytes {
        try resolveLinks(path) { entry(at: $0) }
    }

    /// Puts a file at a path, and its parent directories into the layer.
    package mutating func put(_ file: File, at path: PathBytes, parents: NewDirectory) throws {
        guard !path.isEmpty else { return }
        try makeParents(of: path, parents)
        var file = file
        file.entry.path = path
        if file.entry.kind != .directory { removeBelow(path) }
        files[path] = file
    }

    /// Makes the directories above a path, or takes those that are there into the layer as they are.
    private mutating func makeParents(of path: PathBytes, _ new: NewDirectory) throws {
        guard path.depth <= PathBytes.depthLimit else { throw TreesError.tooDeep }
        var missing: [PathBytes] = []
        var parent = path.parent
        while !parent.isEmpty, files[parent] == nil {
            missing.append(parent)
            parent = parent.parent
        }
        for parent in missing.reversed() { try makeOneDirectory(parent, new) }
    }

    /// Makes sure that a directory is in the layer.
    ///
    /// Throws when something else is there.
    package mutating func makeDirectory(_ path: PathBytes, _ new: NewDirectory) throws {
        guard !path.isEmpty else { return }
        try makeParents(of: path, new)
        try makeOneDirectory(path, new)
    }

    private mutating func makeOneDirectory(_ path: PathBytes, _ new: NewDirectory) throws {
        if let existing = entry(at: path) {
            guard existing.kind == .directory else {
                throw TreesError(.copyConflict, "cannot copy to non-directory: /\(path)")
            }
            if files[path] == nil { files[path] = File(entry: existing.moved(to: path), content: .none) }
        } else {
            files[path] = File(entry: new.entry(at: path), content: .none)
        }
    }

    /// Changes what the layer says of a directory that it holds.
    package mutating func updateDirectory(_ path: PathBytes, _ change: (inout LayerEntry) -> Void) {
        guard var file = files[path] else { return }
        change(&file.entry)
        files[path] = file
    }

    private mutating func removeBelow(_ path: PathBytes) {
        guard files[path]?.entry.kind == .directory else { return }
        files = files.filter { $0.key == path || !$0.key.isWithin(path) }
    }
}

/// Names one file of one copy, so that its hard links can be kept.
package struct CopyLink: Hashable {
    package let copy: Int
    package let identity: LinkIdentity
}

/// The metadata of a directory that has to be made.
package struct NewDirectory {
    package var permissions: UInt32 = 0o755
    package var owner: FileOwner = FileOwner(uid: 0, gid: 0)
    package var modified: FileTime

    package init(permissions: UInt32 = 0o755, owner: FileOwner = FileOwner(uid: 0, gid: 0), modified: FileTime) {
        self.permissions = permissions
        self.owner = owner
        self.modified = modified
    }

    package func entry(at path: PathBytes) -> LayerEntry {
        LayerEntry(
            path: path, kind: .directory, permissions: permissions, owner: owner.uid, group: owner.gid,
            modified: modified)
    }
}

/// A numeric user and group.
package struct FileOwner: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}
