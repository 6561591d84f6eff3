import Diagnostics
package import DockerfileSyntax
package import Graph
import Layers
package import Linux

/// Works out what COPY or ADD puts into its layer, by BuildKit's rules, without touching a disk.
package struct CopyPlanner {
    package let operation: CopyOperation
    package let owner: FileOwner?
    package let mode: FileMode?
    package let excludes: IgnoreRules
    /// For files that have no time of their own.
    package let now: FileTime

    package init(_ operation: CopyOperation, owner: FileOwner?, now: FileTime) throws {
        self.operation = operation
        self.owner = owner
        self.now = now
        mode = operation.mode
        excludes = try IgnoreRules(patterns: operation.excludes)
    }

    /// Copies a matched file or directory into the draft. `copy` tells the copies of one instruction apart.
    package func copy(_ match: SourceMatch, from tree: any FileTree, copy: Int, into draft: inout LayerDraft) throws {
        let target = try draft.resolve(PathBytes(operation.destination))
        let source = draft.add(tree)
        guard match.node.isDirectory else {
            let path = try fileTarget(target, name: match.name, in: draft)
            return try put(match.node, from: source, copy: copy, at: path, into: &draft)
        }
        let time = match.node.entry.modified
        // Of a directory that is copied itself only the time is taken.
        if match.selection == nil {
            try draft.makeDirectory(target, newDirectory(modified: time))
            draft.updateDirectory(target) { $0.modified = time }
        }
        var isMade = match.selection == nil
        try CopyWalk(match, in: tree, excludes: excludes).visit { item, onTheWay in
            if !isMade { try draft.makeDirectory(target, newDirectory(modified: item.node.entry.modified)) }
            isMade = true
            for directory in onTheWay {
                try bringAlong(directory.node, at: target.appending(directory.path), into: &draft)
            }
            let path = target.appending(item.path)
            if item.node.isDirectory {
                try mergeDirectory(item.node, at: path, into: &draft)
            } else {
                try put(item.node, from: source, copy: copy, at: path, into: &draft)
            }
        }
        // With --parents the destination is made even if nothing is selected.
        if !isMade { try draft.makeDirectory(target, newDirectory(modified: time)) }
    }

    /// Writes a file of the Dockerfile itself into the draft.
    package func write(_ file: InlineFile, into draft: inout LayerDraft) throws {
        let target = try draft.resolve(PathBytes(operation.destination))
        let path = try fileTarget(target, name: PathBytes(file.name), in: draft)
        let entry = LayerEntry(
            path: path, kind: .regular, permissions: mode?.applied(to: 0o644, isDirectory: false) ?? 0o644,
            owner: owner?.uid ?? 0, group: owner?.gid ?? 0, size: Int64(file.content.count), modified: now)
        try refuseReplacingDirectory(at: path, in: draft)
        try draft.put(
            LayerDraft.File(entry: entry, content: .bytes(file.content)), at: path, parents: newDirectory(modified: now)
        )
    }

    /// Unpacks an archive's files into the destination, as `tar -x` would: what is in the way is replaced.
    package func unpack(_ archive: any FileTree, copy: Int, into draft: inout LayerDraft) throws {
        let target = try draft.resolve(PathBytes(operation.destination))
        if let existing = draft.entry(at: target), existing.kind != .directory {
            throw TreesError(.copyConflict, "mkdir /\(target): not a directory")
        }
        try draft.makeDirectory(target, newDirectory(modified: now, mode: nil))
        guard let root = try archive.node(at: "") else { return }
        try unpackChildren(of: root, from: archive, copy: copy, to: target, into: &draft)
    }

    // MARK: Places

    /// A file goes into a directory that exists or is written with a slash, and else becomes the destination itself.
    private func fileTarget(_ target: PathBytes, name: PathBytes, in draft: LayerDraft) throws -> PathBytes {
        let isDirectory =
            operation.destination.hasSuffix("/") || target.isEmpty || draft.entry(at: target)?.kind == .directory
        return isDirectory ? target.appending(name) : target
    }

    private func refuseReplacingDirectory(at path: PathBytes, in draft: LayerDraft) throws {
        guard draft.entry(at: path)?.kind == .directory else { return }
        throw TreesError(.copyConflict, "cannot replace to directory /\(path) with file")
    }

    private func newDirectory(modified: FileTime) -> NewDirectory {
        newDirectory(modified: modified, mode: mode)
    }

    private func newDirectory(modified: FileTime, mode: FileMode?) -> NewDirectory {
        NewDirectory(
            permissions: mode?.forNewDirectories ?? 0o755, owner: owner ?? FileOwner(uid: 0, gid: 0),
            modified: modified)
    }

    // MARK: Copies

    private func put(
        _ node: FileNode, from source: LayerDraft.Source, copy: Int, at path: PathBytes, into draft: inout LayerDraft
    ) throws {
        try refuseReplacingDirectory(at: path, in: draft)
        let content: LayerDraft.Content = node.entry.kind == .regular ? .file(node, source) : .none
        try draft.put(
            LayerDraft.File(
                entry: adjusted(node.entry), content: content,
                link: node.linkIdentity.map { CopyLink(copy: copy, identity: $0) }),
            at: path, parents: newDirectory(modified: node.entry.modified))
    }

    /// The entry with the owner and the mode that the instruction asks for; links have no mode to change.
    private func adjusted(_ entry: LayerEntry) -> LayerEntry {
        var entry = entry
        if let owner {
            entry.owner = owner.uid
            entry.group = owner.gid
        }
        if let mode, entry.kind != .symlink {
            entry.permissions = mode.applied(to: entry.permissions, isDirectory: entry.kind == .directory)
        }
        return entry
    }

    /// A directory met inside a copied one gives its metadata to the one that is there.
    private func mergeDirectory(_ node: FileNode, at path: PathBytes, into draft: inout LayerDraft) throws {
        let entry = adjusted(node.entry)
        if let existing = draft.entry(at: path), existing.kind != .directory {
            throw TreesError(.copyConflict, "cannot copy to non-directory: /\(path)")
        }
        try draft.put(
            LayerDraft.File(entry: entry, content: .none), at: path,
            parents: newDirectory(modified: node.entry.modified))
    }

    /// A directory that is not selected itself comes along with something below it; one that is there takes its mode
    /// alone, as in BuildKit.
    private func bringAlong(_ node: FileNode, at path: PathBytes, into draft: inout LayerDraft) throws {
        guard draft.entry(at: path)?.kind == .directory else {
            return try mergeDirectory(node, at: path, into: &draft)
        }
        try draft.makeDirectory(path, newDirectory(modified: node.entry.modified))
        draft.updateDirectory(path) { $0.permissions = node.entry.permissions }
    }

    private func unpackChildren(
        of directory: FileNode, from archive: any FileTree, copy: Int, to target: PathBytes,
        into draft: inout LayerDraft
    ) throws {
        let source = draft.add(archive)
        try archive.walk(below: directory) { child in
            let path = target.appending(PathBytes(child.path.bytes(below: directory.path)))
            var entry = child.entry
            // Of a directory that the archive only implies nothing is said: one that is there stays as it is.
            if child.isImplied {
                if let existing = draft.entry(at: path), existing.kind == .directory { entry = existing }
            } else if let owner {
                entry.owner = owner.uid
                entry.group = owner.gid
            }
            let content: LayerDraft.Content = entry.kind == .regular ? .file(child, source) : .none
            try draft.put(
                LayerDraft.File(
                    entry: entry, content: content,
                    link: child.linkIdentity.map { CopyLink(copy: copy, identity: $0) }),
                at: path, parents: newDirectory(modified: now, mode: nil))
            return true
        }
    }
}
