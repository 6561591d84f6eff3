import Diagnostics
package import Layers
package import Linux

/// A layer being put together on top of a tree: what it will hold, by path.
///
/// It may hold a great many files, so a file is kept as small as can be.
package struct LayerDraft {
    /// One of the trees that files come from.
    package struct Source: Hashable, Sendable {
        fileprivate let number: Int32
    }

    /// The origin of a file's bytes.
    package enum Content {
        case none
        case file(FileNode, Source)
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

        /// A file as it is in a tree, with its hard links to others of that tree.
        package init(_ node: FileNode, of source: Source) {
            let isRegular = node.entry.kind == .regular
            self.init(
                entry: node.entry.moved(to: node.path), content: isRegular ? .file(node, source) : .none,
                link: node.linkIdentity.map { CopyLink(copy: 0, identity: $0) })
        }
    }

    /// A file without what few files have.
    private struct Record {
        var entry: LayerEntry
        /// The place in its tree, for a file that comes from one.
        let path: PathBytes
        let origin: FileNode.Origin?
        let source: Int32
    }

    private let base: LayerTree
    private var trees: [any FileTree] = []
    private var numbers: [PathBytes: Int32] = [:]
    /// Files that ``numbers`` does not name were replaced.
    private var records: [Record] = []
    private var contents: [Int32: [UInt8]] = [:]
    private var links: [Int32: CopyLink] = [:]

    package init(on base: LayerTree) { self.base = base }

    // MARK: The files

    /// Names a tree whose files are put into the layer.
    package mutating func add(_ tree: any FileTree) -> Source {
        trees.append(tree)
        return Source(number: Int32(trees.count - 1))
    }

    package func tree(_ source: Source) -> any FileTree { trees[Int(source.number)] }

    package var count: Int { numbers.count }

    /// The entries, in no order.
    package var entries: some Sequence<LayerEntry> { numbers.values.lazy.map { records[Int($0)].entry } }

    /// Calls `body` with each file, in the order of a layer.
    package func forEach(_ body: (File) throws -> Void) rethrows {
        let order = numbers.values.sorted { records[Int($0)].entry.precedes(records[Int($1)].entry) }
        for number in order { try body(file(number)) }
    }

    /// Whether a file that comes from a tree is one for which `condition` holds.
    package func contains(where condition: (FileNode, any FileTree) -> Bool) -> Bool {
        numbers.values.contains { number in
            guard case .file(let node, let source) = file(number).content else { return false }
            return condition(node, tree(source))
        }
    }

    private func file(_ number: Int32) -> File {
        let record = records[Int(number)]
        let content: Content =
            if let origin = record.origin {
                .file(
                    FileNode(path: record.path, entry: record.entry, linkIdentity: nil, origin: origin),
                    Source(number: record.source))
            } else {
                contents[number].map { .bytes($0) } ?? .none
            }
        return File(entry: record.entry, content: content, link: links[number])
    }

    private subscript(path: PathBytes) -> LayerEntry? { numbers[path].map { records[Int($0)].entry } }

    private mutating func set(_ file: File) {
        let number = Int32(records.count)
        numbers[file.entry.path] = number
        if let link = file.link { links[number] = link }
        switch file.content {
        case .file(let node, let source):
            // A path that is the same takes its memory once.
            let path = node.path == file.entry.path ? file.entry.path : node.path
            records.append(Record(entry: file.entry, path: path, origin: node.origin, source: source.number))
        case .bytes(let bytes):
            contents[number] = bytes
            records.append(Record(entry: file.entry, path: "", origin: nil, source: 0))
        case .none: records.append(Record(entry: file.entry, path: "", origin: nil, source: 0))
        }
    }

    // MARK: Places

    /// The file at a path as this layer leaves it; links are not followed.
    package func entry(at path: PathBytes) -> LayerEntry? {
        if let entry = self[path] { return entry }
        if path.isEmpty { return base.node(at: "")?.entry }
        // Below what this layer made a file, nothing of the lower layers is left. What is above a file of this layer are
        // directories of it.
        var ancestor = path.parent
        while !ancestor.isEmpty {
            if let entry = self[ancestor] {
                if entry.kind != .directory { return nil }
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
        set(file)
    }

    /// Makes the directories above a path, or takes those that are there into the layer as they are.
    private mutating func makeParents(of path: PathBytes, _ new: NewDirectory) throws {
        guard path.depth <= PathBytes.depthLimit else { throw TreesError.tooDeep }
        var missing: [PathBytes] = []
        var parent = path.parent
        while !parent.isEmpty, numbers[parent] == nil {
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
            if numbers[path] == nil { set(File(entry: existing.moved(to: path), content: .none)) }
        } else {
            set(File(entry: new.entry(at: path), content: .none))
        }
    }

    /// Changes what the layer says of a directory that it holds.
    package mutating func updateDirectory(_ path: PathBytes, _ change: (inout LayerEntry) -> Void) {
        guard let number = numbers[path] else { return }
        change(&records[Int(number)].entry)
    }

    private mutating func removeBelow(_ path: PathBytes) {
        guard self[path]?.kind == .directory else { return }
        numbers = numbers.filter { $0.key == path || !$0.key.isWithin(path) }
    }
}

/// Names one file of one copy, so that its hard links can be kept.
package struct CopyLink: Hashable {
    package let copy: Int
    package let identity: LinkIdentity

    package init(copy: Int, identity: LinkIdentity) {
        self.copy = copy
        self.identity = identity
    }
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
