import Diagnostics
import Glibc
import Layers
import Linux
import OCI
import Solver
import Store

extension StoreCheck {
    /// Compares the directories of unpacked layers with the lists of their files.
    func checkSnapshots() throws {
        for snapshot in try store.snapshots.all() {
            result.snapshots += 1
            guard let problem = try problem(of: snapshot) else {
                goodSnapshots.insert(snapshot.chainID)
                continue
            }
            try found("snapshot \(snapshot.number)", problem) {
                guard let stack = stacks[snapshot.chainID],
                    try !store.layers.isWithinReach(stack.diffID, among: goodBlobs)
                else {
                    try store.snapshots.remove(snapshot)
                    return .done("removed; it is unpacked again when it is needed")
                }
                let path = try store.snapshots.setAside(snapshot)
                return .done(path.map { "taken out of use; its files are in \($0)" } ?? "forgotten")
            }
        }
    }

    private func problem(of snapshot: Snapshot) throws -> String? {
        let directory: Directory
        do { directory = try Directory(opening: snapshot.directory) } catch {
            return (error as? LinuxError)?.code == .notFound ? "is missing" : "cannot be read: \(describe(error))"
        }
        // What nobody needs has no list to be compared with.
        guard let stack = stacks[snapshot.chainID], let list = lists[stack.diffID] else { return nil }
        let files: [PathBytes: LayerEntry]
        do {
            let marks = snapshot.form.marks.overlay
            files = readsFiles ? try Self.filesWithContent(of: directory, marks) : try Self.files(of: directory, marks)
        } catch {
            return "cannot be read: \(describe(error))"
        }
        let comparison = SnapshotComparison(
            list: list, files: files, below: stack.lower.compactMap { lists[$0] }, readsFiles: readsFiles)
        let marks = snapshot.form.marks.overlay
        let path = snapshot.directory
        return comparison.firstDifference {
            (try? marks.isOpaque($0.parent, in: Directory(opening: path))) ?? false
        }
    }

    private static func filesWithContent(
        of directory: borrowing Directory, _ marks: OverlayMarks
    ) throws -> [PathBytes: LayerEntry] {
        var writer = LayerWriter()
        try LayerDiffer(marks).diff(directory, into: &writer)
        return index(try writer.finish().fileList.entries)
    }

    private static func files(
        of directory: borrowing Directory, _ marks: OverlayMarks
    ) throws -> [PathBytes: LayerEntry] {
        var differ = LayerDiffer(marks)
        differ.readsAttributes = false
        return index(try differ.find(directory).map(\.entry))
    }

    private static func index(_ entries: [LayerEntry]) -> [PathBytes: LayerEntry] {
        Dictionary(entries.filter { $0.kind != .opaque }.map { ($0.path, $0) }) { $1 }
    }
}

/// An unpacked layer beside the list of its files.
///
/// They differ where unpacking changes something: a parent that the layer does not name is made, a name that leads
/// through a link is put where the link leads, and who is not root can make neither devices nor other users' files.
struct SnapshotComparison {
    let list: FileList
    /// What is in the directory.
    let files: [PathBytes: LayerEntry]
    let below: [FileList]
    /// Whether the files were read, too.
    let readsFiles: Bool
    private let isRoot = geteuid() == 0 && !UserNamespace.isEntered

    init(list: FileList, files: [PathBytes: LayerEntry], below: [FileList], readsFiles: Bool) {
        self.list = list
        self.files = files
        self.below = below
        self.readsFiles = readsFiles
    }

    /// What is wrong with the directory, as the rest of a sentence about it; `nil` when nothing is.
    ///
    /// `isHidden` says whether what is below a path is hidden by a directory above it: then nothing else says so.
    func firstDifference(isHidden: (PathBytes) -> Bool = { _ in false }) -> String? {
        var known: Set<PathBytes> = []
        for entry in list.entries where entry.kind != .opaque {
            known.insert(entry.path)
            guard let file = files[entry.path] else {
                if entry.kind == .whiteout, isHidden(entry.path) { continue }
                if isMakeable(entry), !leadsThroughLink(entry.path) { return "lacks /\(entry.path.text)" }
                continue
            }
            if let difference = difference(entry, file) { return difference }
        }
        for file in files.values where file.kind != .directory && !known.contains(file.path) {
            if !isBelowLinkTarget { return "has /\(file.path.text), which its layer has not" }
        }
        return nil
    }

    private func difference(_ entry: LayerEntry, _ file: LayerEntry) -> String? {
        let isFile = entry.kind == .regular || entry.kind == .hardLink
        let hasKind = isFile ? file.kind == .regular || file.kind == .hardLink : file.kind == entry.kind
        guard hasKind else { return "has another kind of file at /\(entry.path.text)" }
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
            for list in below + [list] where list[parent]?.kind == .symlink { return true }
            parent = parent.parent
        }
        return false
    }

    /// Whether names of the list may have been put somewhere else, so that what is there cannot be told.
    private var isBelowLinkTarget: Bool {
        list.entries.contains { files[$0.path] == nil && leadsThroughLink($0.path) }
    }
}
