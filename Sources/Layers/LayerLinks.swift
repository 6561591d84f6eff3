import Diagnostics
import Linux

/// Gives the entries of a layer the paths at which they end up when it is unpacked: after `link -> dir`, an entry
/// `link/file` is `dir/file`.
///
/// Entries are added in the order in which the archive has them.
struct LayerLinks {
    /// The links of this layer and where they lead.
    private var targets: [PathBytes: PathBytes] = [:]
    /// The directories that entries are in.
    private var parents: Set<PathBytes> = []
    /// The last directory that was asked for, as mostly it is that of the next entry, and where it is.
    private var last: (asked: PathBytes, place: PathBytes)?

    /// Adds an entry to those before it, without those that it replaces.
    ///
    /// Throws ``LayerError`` `.unsafePath` when links lead in a circle.
    mutating func add(_ entry: LayerEntry, to entries: inout [LayerEntry]) throws {
        var entry = entry
        if entry.kind == .opaque {
            entry.path = try place(of: entry.path)
        } else {
            entry.path = try path(entry.path)
        }
        if entry.kind == .hardLink { entry.linkTarget = try path(entry.linkTarget) }
        if !entry.isMark {
            replace(entry, in: &entries)
            noteParents(of: entry.path)
        }
        entries.append(entry)
    }

    private mutating func path(_ path: PathBytes) throws -> PathBytes {
        targets.isEmpty ? path : try place(of: path.parent).appending(path.lastComponent)
    }

    private mutating func place(of directory: PathBytes) throws -> PathBytes {
        if targets.isEmpty || directory.isEmpty { return directory }
        if let last, last.asked == directory { return last.place }
        guard let place = directory.followingLinks({ targets[$0] }) else {
            throw LayerError(.unsafePath, "the links on the way to '/\(directory.text)' never end")
        }
        last = (directory, place)
        return place
    }

    /// Only a directory keeps the contents of an existing directory at its path; any other entry replaces them.
    private mutating func replace(_ entry: LayerEntry, in entries: inout [LayerEntry]) {
        let path = entry.path
        if targets.removeValue(forKey: path) != nil { last = nil }
        if entry.kind != .directory, parents.contains(path) {
            entries.removeAll { $0.path != path && $0.path.isWithin(path) }
            parents = parents.filter { !$0.isWithin(path) }
            targets = targets.filter { !$0.key.isWithin(path) }
        }
        if entry.kind == .symlink {
            targets[path] = entry.linkTarget
            last = nil
        }
    }

    private mutating func noteParents(of path: PathBytes) {
        var parent = path.parent
        while !parent.isEmpty, parents.insert(parent).inserted { parent = parent.parent }
    }
}
