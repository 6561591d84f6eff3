import Diagnostics
import Linux

/// Puts the entries of a layer together as they are once it is unpacked.
///
/// Entries get the paths at which they end up: after `link -> dir`, an entry `link/file` is `dir/file`. What a later entry
/// replaces is left out, and a hard link keeps the file that had its target's name when the link was made.
///
/// Entries are added in the order in which the archive has them. The work is linear in their number, and small for an
/// archive in the order of ``LayerEntry/precedes(_:)``, as most are: there only neighbours can be of one path.
package struct LayerLinks {
    private var entries: [LayerEntry] = []
    /// Whether all entries came in their order, none below a link or a file, and hard links behind their files. The
    /// tables below are empty then.
    private var isOrdered = true
    /// The number of the entry that is at a path now, marks not counted.
    private var current: [PathBytes: Int] = [:]
    /// The links of this layer, where they lead, and the numbers of their entries.
    private var targets: [PathBytes: (path: PathBytes, number: Int)] = [:]
    /// The directories that entries are in.
    private var parents: Set<PathBytes> = []
    /// The entries that took the place of a directory with contents: what was in it before is gone.
    private var replacements: [PathBytes: Int] = [:]
    /// For each hard link the entry of the file that it is a name of, if that is in this layer.
    private var origins: [Int: Int] = [:]
    private var hasHardLinks = false
    /// The last directory that was asked for, as mostly it is that of the next entry, and where it is.
    private var last: (asked: PathBytes, place: PathBytes)?

    package init() {}

    /// Adds an entry.
    ///
    /// Throws ``LayerError`` `.unsafePath` when links lead in a circle, and `.damaged` for a hard link to itself or to a
    /// directory.
    package mutating func add(_ entry: LayerEntry) throws {
        if isOrdered {
            if let entry = ordered(entry) {
                entries.append(entry)
                return
            }
            isOrdered = false
            let known = entries
            entries = []
            for entry in known { try add(entry) }
        }
        var entry = entry
        entry.path = try entry.kind == .opaque ? place(of: entry.path) : path(entry.path)
        if entry.kind == .hardLink {
            entry.linkTarget = try path(entry.linkTarget)
            try bind(entry)
            hasHardLinks = true
        }
        if !entry.isMark { replace(entry) }
        entries.append(entry)
    }

    /// The entry that was added last, with the path at which it ends up.
    package var newest: LayerEntry? { entries.last }

    /// The entries that are left, in the order in which they were added.
    ///
    /// Throws ``LayerError`` `.damaged` for a hard link to a file that comes after it.
    package consuming func finish() throws -> [LayerEntry] {
        if isOrdered { return entries }
        guard hasHardLinks || !replacements.isEmpty || current.count < entries.count else { return entries }
        try updateHardLinks()
        return entries.indices.filter(isKept).map { entries[$0] }
    }

    // MARK: Order

    /// The entry as it goes behind the others in their order; `nil` when they are in order no longer.
    private func ordered(_ entry: LayerEntry) -> LayerEntry? {
        if let last = entries.last {
            // All paths below another come right behind it.
            let isOpen = last.kind == .directory || last.kind == .opaque || !entry.path.isWithin(last.path)
            guard isOpen, last.precedes(entry) else { return nil }
        }
        guard entry.kind == .hardLink else { return entry }
        guard let file = entries.file(at: entry.linkTarget), file.kind != .directory else { return nil }
        var link = entry
        link.linkTarget = file.kind == .hardLink ? file.linkTarget : file.path
        return link
    }

    // MARK: Paths

    private mutating func path(_ path: PathBytes) throws -> PathBytes {
        targets.isEmpty ? path : try place(of: path.parent).appending(path.lastComponent)
    }

    private mutating func place(of directory: PathBytes) throws -> PathBytes {
        if targets.isEmpty || directory.isEmpty { return directory }
        if let last, last.asked == directory { return last.place }
        guard let place = directory.followingLinks({ target(of: $0) }) else {
            throw LayerError(.unsafePath, "the links on the way to '/\(directory.text)' never end")
        }
        last = (directory, place)
        return place
    }

    private func target(of link: PathBytes) -> PathBytes? {
        guard let found = targets[link], isReachable(found.number, link) else { return nil }
        return found.path
    }

    // MARK: What is there

    /// Only a directory keeps the contents of an existing directory at its path; any other entry replaces them.
    private mutating func replace(_ entry: LayerEntry) {
        let (path, number) = (entry.path, entries.count)
        if targets.removeValue(forKey: path) != nil { last = nil }
        if entry.kind != .directory, parents.contains(path) {
            replacements[path] = number
            last = nil
        }
        let file = origins[number].map { entries[$0] } ?? entry
        if file.kind == .symlink {
            targets[path] = (file.linkTarget, number)
            last = nil
        }
        current[path] = number
        var parent = path.parent
        while !parent.isEmpty, parents.insert(parent).inserted { parent = parent.parent }
    }

    /// Whether no directory above an entry was replaced after it was added.
    private func isReachable(_ number: Int, _ path: PathBytes) -> Bool {
        if replacements.isEmpty { return true }
        var parent = path.parent
        while !parent.isEmpty {
            if let replacement = replacements[parent], replacement > number { return false }
            parent = parent.parent
        }
        return true
    }

    private func isKept(_ number: Int) -> Bool {
        let entry = entries[number]
        return (entry.isMark || current[entry.path] == number) && isReachable(number, entry.path)
    }

    // MARK: Hard links

    private mutating func bind(_ link: LayerEntry) throws {
        guard link.linkTarget != link.path else { throw LayerError.hardLinkToItself(link.path) }
        guard let number = current[link.linkTarget], isReachable(number, link.linkTarget) else { return }
        guard entries[number].kind != .directory else {
            throw LayerError(
                .damaged, "'/\(link.path.text)' is a hard link to '/\(link.linkTarget.text)', which is a directory")
        }
        origins[entries.count] = origins[number] ?? number
    }

    /// Names each link's file by a path that it has now. Of a file that has lost the name it came under, the first link
    /// becomes the file.
    private mutating func updateHardLinks() throws {
        var heirs: [Int: Int] = [:]
        for number in entries.indices where entries[number].kind == .hardLink && isKept(number) {
            let link = entries[number]
            guard let origin = origins[number] else {
                guard let later = current[link.linkTarget], isReachable(later, link.linkTarget) else { continue }
                throw LayerError(
                    .damaged,
                    "'/\(link.path.text)' is a hard link to '/\(link.linkTarget.text)', which comes after it")
            }
            if let file = isKept(origin) ? origin : heirs[origin] {
                entries[number].linkTarget = entries[file].path
            } else {
                heirs[origin] = number
                entries[number] = entries[origin]
                entries[number].path = link.path
            }
        }
    }
}

extension LayerError {
    /// The error for a member that is a hard link to its own path.
    static func hardLinkToItself(_ path: PathBytes) -> LayerError {
        LayerError(.damaged, "'/\(path.text)' is a hard link to itself")
    }
}
