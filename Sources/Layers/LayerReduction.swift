package import Linux

/// Reduces what was found in a tree to what makes a difference to the layers below it.
///
/// Ways to find changes find different ones: an overlay copies a file that is only opened for writing, and marks a
/// directory as opaque that was moved to where nothing was. What is left after this is the same for all of them: a layer
/// has the files whose archive members would differ from those below, the directories on the way to them, and whiteouts
/// for those that are gone.
package struct LayerReduction {
    /// The file that the layers below have at a path, with hard links resolved.
    let below: (PathBytes) throws -> LayerEntry?
    /// The names in a directory of the layers below.
    let names: (PathBytes) throws -> [PathBytes]
    /// The ``LayerEntry/contentHash`` of a regular file as it is now.
    let contentHash: (PathBytes) throws -> UInt64

    package init(
        below: @escaping (PathBytes) throws -> LayerEntry?, names: @escaping (PathBytes) throws -> [PathBytes],
        contentHash: @escaping (PathBytes) throws -> UInt64
    ) {
        self.below = below
        self.names = names
        self.contentHash = contentHash
    }

    /// The files among `found` that differ from the layers below.
    ///
    /// `found` is in the order of a walk, each file with all directories above it. Throws the errors of the lookups.
    package func reduce(_ found: [FoundFile]) throws -> [FoundFile] {
        let files = try replacingOpaqueMarks(found)
        var isKept = try files.map { try differs($0.entry) }
        // A name of a file that is in the layer is a link to it, or it would be a file of its own.
        var linked: Set<FileIdentity> = []
        for (file, isKept) in zip(files, isKept) where isKept {
            if let identity = file.identity { linked.insert(identity) }
        }
        var parents: Set<PathBytes> = []
        for index in files.indices.reversed() {
            let file = files[index]
            if let identity = file.identity, linked.contains(identity) { isKept[index] = true }
            if file.entry.kind == .directory, parents.contains(file.entry.path) { isKept[index] = true }
            if isKept[index] { parents.insert(file.entry.path.parent) }
        }
        return zip(files, isKept).filter { $0.1 }.map(\.0)
    }

    /// Whether the archive member of an entry differs from what is below: times count in seconds there.
    private func differs(_ entry: LayerEntry) throws -> Bool {
        guard let old = try below(entry.path) else { return entry.kind != .whiteout }
        if entry.kind == .whiteout { return true }
        var entry = entry
        entry.modified = FileTime(seconds: entry.modified.seconds)
        entry.contentHash = old.contentHash
        var expected = old
        expected.path = entry.path
        expected.modified = FileTime(seconds: old.modified.seconds)
        if entry.kind == .symlink { expected.permissions = entry.permissions }
        guard entry == expected else { return true }
        return entry.kind == .regular && entry.size > 0 ? try contentHash(entry.path) != old.contentHash : false
    }

    // MARK: Opaque directories

    private func replacingOpaqueMarks(_ found: [FoundFile]) throws -> [FoundFile] {
        guard found.contains(where: { $0.entry.kind == .opaque }) else { return found }
        var kinds: [PathBytes: LayerEntry.Kind] = [:]
        for file in found where file.entry.kind != .opaque { kinds[file.entry.path] = file.entry.kind }
        var files = found.filter { $0.entry.kind != .opaque }
        var done: Set<PathBytes> = []
        for mark in found where mark.entry.kind == .opaque {
            try addWhiteouts(for: mark.entry.path, kinds, &done, to: &files)
        }
        return files.sorted { $0.entry.precedes($1.entry) }
    }

    /// Whiteouts for all that is below in a directory and not in it any more.
    private func addWhiteouts(
        for path: PathBytes, _ kinds: [PathBytes: LayerEntry.Kind], _ done: inout Set<PathBytes>,
        to files: inout [FoundFile]
    ) throws {
        var pending = [path]
        while let path = pending.popLast() {
            guard done.insert(path).inserted, try below(path)?.kind == .directory else { continue }
            for name in try names(path) {
                let child = path.appending(name)
                switch kinds[child] {
                case nil: files.append(FoundFile(LayerEntry(path: child, kind: .whiteout)))
                // What is in an opaque directory is not merged with anything either.
                case .directory: pending.append(child)
                default: break
                }
            }
        }
    }
}
