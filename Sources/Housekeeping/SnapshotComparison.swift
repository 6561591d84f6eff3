import Glibc
import Layers
import Linux
import Trees

/// The comparison of an unpacked layer with the list of its files.
///
/// They differ where unpacking changes something: a parent that the layer does not name is made, a name that leads
/// through a link is put where the link leads, and a process without root's rights can make neither devices nor other
/// users' files. They also differ where a command changed nothing in the end: an overlay copies a file that is only
/// opened for writing, or whose mode is changed and changed back, and such copies are not in the layer.
struct SnapshotComparison {
    let list: FileList
    /// The files in the directory.
    let files: [PathBytes: LayerEntry]
    /// The files of the layers below; `nil` when their lists are not all known.
    let below: LayerTree?
    /// Whether the files were read, too.
    let readsFiles: Bool
    private let isRoot = geteuid() == 0 && !UserNamespace.isEntered

    init(list: FileList, files: [PathBytes: LayerEntry], below: LayerTree?, readsFiles: Bool) {
        self.list = list
        self.files = files
        self.below = below
        self.readsFiles = readsFiles
    }

    /// The first thing wrong with the directory, as the rest of a sentence about it; `nil` without one.
    ///
    /// `isHidden` says whether a directory above a path is opaque, so that the path needs no whiteout.
    func firstDifference(isHidden: (PathBytes) -> Bool = { _ in false }) -> String? {
        var known: Set<PathBytes> = []
        // Only layers that remove something and bring something else in its place need it.
        lazy var parents = parentsOfFiles
        for entry in list.entries where entry.kind != .opaque {
            known.insert(entry.path)
            // What takes the place of a removed file is compared by an entry of its own, or is a directory without one.
            if entry.kind == .whiteout, let file = files[entry.path], file.kind != .whiteout,
                list[entry.path] != nil || (file.kind == .directory && parents.contains(entry.path))
            {
                continue
            }
            guard let file = files[entry.path] else {
                if entry.kind == .whiteout, isHidden(entry.path) { continue }
                if isMakeable(entry), !leadsThroughLink(entry.path) { return "lacks /\(entry.path.text)" }
                continue
            }
            if let difference = difference(entry, file) { return difference }
        }
        for file in files.values where file.kind != .directory && !known.contains(file.path) {
            if !equalsBelow(file), !isBelowLinkTarget { return "has /\(file.path.text), which its layer has not" }
        }
        return nil
    }

    /// All directories that the layer has files in.
    private var parentsOfFiles: Set<PathBytes> {
        var parents: Set<PathBytes> = []
        for entry in list.entries where !entry.isMark {
            var parent = entry.path.parent
            while !parent.isEmpty, parents.insert(parent).inserted { parent = parent.parent }
        }
        return parents
    }

    /// The kind of the file that a hard link stands for, which may be a symbolic link.
    private func kind(behind entry: LayerEntry) -> LayerEntry.Kind {
        guard entry.kind == .hardLink else { return entry.kind }
        let target = list[entry.linkTarget] ?? below?.node(at: entry.linkTarget)?.entry
        return target.map { $0.kind == .hardLink ? .regular : $0.kind } ?? .regular
    }

    private func difference(_ entry: LayerEntry, _ found: LayerEntry) -> String? {
        // Of several names of a file the directory's first one is the file, which need not be the layer's first one.
        let file = found.kind == .hardLink ? files[found.linkTarget] ?? found : found
        // Lists of earlier versions have such a device as a file.
        if entry.isWhiteoutDevice, file.kind == .whiteout { return nil }
        let kind = kind(behind: entry)
        guard file.kind == kind || file.kind == .hardLink && kind == .regular else {
            return "has another kind of file at /\(entry.path.text)"
        }
        if entry.kind == .symlink, file.linkTarget != entry.linkTarget {
            return "has a link at /\(entry.path.text) that leads elsewhere"
        }
        if entry.kind == .regular, file.kind == .regular {
            if entry.size != file.size { return "has \(file.size) bytes in /\(entry.path.text), not \(entry.size)" }
            if readsFiles, entry.contentHash != file.contentHash { return "has other bytes in /\(entry.path.text)" }
        }
        let hasMode = entry.kind == .regular || entry.kind == .directory
        if isRoot, hasMode, entry.permissions != file.permissions {
            return "has the mode \(octal(file.permissions)) at /\(entry.path.text), not \(octal(entry.permissions))"
        }
        return nil
    }

    /// Whether a file that the list does not name makes no difference to the layers below: they have the same file, or
    /// have none that a whiteout could remove.
    private func equalsBelow(_ file: LayerEntry) -> Bool {
        guard let below else { return true }
        guard let old = below.node(at: file.path)?.entry else { return file.kind == .whiteout }
        // A second name of a file that was copied up with the first one.
        if file.kind == .hardLink, let first = files[file.linkTarget] { return equals(old, first) }
        return equals(old, file)
    }

    private func equals(_ old: LayerEntry, _ file: LayerEntry) -> Bool {
        old.kind == file.kind && old.modified.seconds == file.modified.seconds && old.linkTarget == file.linkTarget
            && (old.kind != .regular || old.size == file.size)
            && (!readsFiles || old.contentHash == file.contentHash)
            && (!isRoot || old.kind == .symlink || old.permissions == file.permissions)
            && (!isRoot || old.owner == file.owner && old.group == file.group)
    }

    private func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }

    private func isMakeable(_ entry: LayerEntry) -> Bool {
        switch entry.kind {
        case .characterDevice, .blockDevice, .whiteout: isRoot
        default: true
        }
    }

    /// Whether a parent of the path is a link in the layer or below it.
    private func leadsThroughLink(_ path: PathBytes) -> Bool {
        var parent = path.parent
        while !parent.isEmpty {
            if list[parent]?.kind == .symlink || below?.node(at: parent)?.entry.kind == .symlink { return true }
            parent = parent.parent
        }
        return false
    }

    /// Whether entries of the list may have been unpacked at other paths, so that extra files cannot be judged.
    private var isBelowLinkTarget: Bool {
        list.entries.contains { files[$0.path] == nil && leadsThroughLink($0.path) }
    }
}
