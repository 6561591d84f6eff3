import Layers
package import Linux
import Trees

/// The difference between two lists of files.
package struct FileChanges: Hashable, Sendable {
    /// One file that is not as it was.
    package struct Change: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            case added
            case removed
            /// It had this path before.
            case renamed(from: PathBytes)
            case changed([Difference])
        }

        package let path: PathBytes
        package let kind: Kind

        package init(path: PathBytes, kind: Kind) {
            self.path = path
            self.kind = kind
        }
    }

    /// A changed property of a file, with its old and new values.
    package enum Difference: Hashable, Sendable {
        /// Sizes in bytes.
        case content(Int64, Int64)
        case mode(UInt32, UInt32)
        /// User and group.
        case owner([UInt32], [UInt32])
        /// Words such as `file` and `directory`.
        case kind(String, String)
        /// The target of a link; empty for a file that is no link and is not reached through one.
        case linkTarget(PathBytes, PathBytes)
        /// Another name of the same file; empty for a file of its own.
        case hardLink(PathBytes, PathBytes)
        /// Extended attributes.
        case attributes
    }

    /// Changed files, then renamed, added and removed ones, each in order of their paths.
    package private(set) var changes: [Change] = []

    package init(_ changes: [Change]) { self.changes = changes }

    package var isEmpty: Bool { changes.isEmpty }

    init(from old: [FileListing.File], to new: [FileListing.File]) {
        let (before, after) = (Self.byPath(old), Self.byPath(new))
        var removed = Dictionary(grouping: old.filter { after[$0.path] == nil }) { Body($0) }
        var (changed, renamed, added): ([Change], [Change], [Change]) = ([], [], [])
        for file in new {
            if let former = before[file.path] {
                guard let files = after[file.path], files.first == file else { continue }
                changed += Self.changes(from: former, to: files)
            } else if file.kind == .regular, file.size > 0, let match = removed[Body(file)]?.popLast() {
                renamed.append(Change(path: file.path, kind: .renamed(from: match.path)))
            } else {
                added.append(Change(path: file.path, kind: .added))
            }
        }
        let gone = removed.values.joined().map { Change(path: $0.path, kind: .removed) }
        var known: Set<Change> = []
        changes = [changed, renamed, added, gone].flatMap { $0.sorted { $0.path < $1.path } }
            .filter { known.insert($0).inserted }
    }

    /// The files of each path, each once: sources may have files in common, and those of two mounts may have one name.
    private static func byPath(_ files: [FileListing.File]) -> [PathBytes: [FileListing.File]] {
        var paths: [PathBytes: [FileListing.File]] = [:]
        for file in files where paths[file.path]?.contains(file) != true { paths[file.path, default: []].append(file) }
        return paths
    }

    /// The changes of the files that have one path.
    private static func changes(from old: [FileListing.File], to new: [FileListing.File]) -> [Change] {
        guard let path = new.first?.path else { return [] }
        if old.count == new.count {
            return zip(old, new).compactMap { before, after in
                let differences = differences(before, after)
                return differences.isEmpty ? nil : Change(path: path, kind: .changed(differences))
            }
        }
        if new.allSatisfy(old.contains) || old.allSatisfy(new.contains) {
            return [Change(path: path, kind: new.count > old.count ? .added : .removed)]
        }
        return [Change(path: path, kind: .changed(differences(old[0], new[0])))]
    }

    /// The properties by which a renamed file is recognised.
    private struct Body: Hashable {
        let kind: LayerEntry.Kind
        let size: Int64
        let content: UInt64
        let permissions: UInt32

        init(_ file: FileListing.File) {
            (kind, size, content, permissions) = (file.kind, file.size, file.content, file.permissions)
        }
    }

    private static func differences(_ old: FileListing.File, _ new: FileListing.File) -> [Difference] {
        guard old.kind == new.kind else {
            let kinds = [Difference.kind(word(old.kind), word(new.kind))]
            // Of a link that is copied as one the kind says it all.
            guard old.kind != .symlink, new.kind != .symlink, old.linkTarget != new.linkTarget else { return kinds }
            return kinds + [.linkTarget(old.linkTarget, new.linkTarget)]
        }
        var found: [Difference] = []
        if old.content != new.content || old.size != new.size { found.append(.content(old.size, new.size)) }
        if old.linkTarget != new.linkTarget { found.append(.linkTarget(old.linkTarget, new.linkTarget)) }
        if old.hardLink != new.hardLink { found.append(.hardLink(old.hardLink, new.hardLink)) }
        if old.permissions != new.permissions { found.append(.mode(old.permissions, new.permissions)) }
        if old.owner != new.owner || old.group != new.group {
            found.append(.owner([old.owner, old.group], [new.owner, new.group]))
        }
        if old.attributes != new.attributes { found.append(.attributes) }
        return found
    }

    private static func word(_ kind: LayerEntry.Kind) -> String {
        switch kind {
        case .regular, .hardLink: "file"
        case .directory, .opaque: "directory"
        case .symlink: "link"
        case .characterDevice, .blockDevice: "device"
        case .fifo: "fifo"
        case .whiteout: "whiteout"
        }
    }
}
