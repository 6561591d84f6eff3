import Diagnostics
import Linux
import SystemPackage

/// The mount points that had to be made in a root file system, to be taken back when the process has ended, so that
/// they do not become part of its layer.
///
/// A mount point that is still empty is removed, and the directory it was in gets its old time back unless the process
/// changed it too. In a fresh overlay, a directory that is in the upper layer for nothing else is removed as well.
struct MountStubs {
    /// The host's directory of the root file system's changes.
    private let tree: FilePath
    /// Whether all that is in `tree` comes from this run.
    private let isFresh: Bool
    /// Whether a directory that was made has a file in it that marks it as new: an overlay that is served has.
    private let isServed: Bool

    /// A directory with stubs in it or below it, as it was right before the first and right after the last.
    private struct Site {
        var modifiedBefore: FileTime
        var modifiedAfter: FileTime
        var changedAfter: FileTime
        var stubs: [MadeMountPoint] = []
    }

    /// To be called before the process starts.
    init(_ plan: SandboxPlan) throws {
        isServed = plan.servedRoot != nil
        switch plan.spec.root {
        case .overlay(_, let upper, _):
            tree = upper
            isFresh = try Directory(opening: upper).names().isEmpty
        case .directory(let path):
            tree = path
            isFresh = false
        case .layers:
            tree = ""
            isFresh = false
        }
    }

    func remove(_ made: [MadeMountPoint]) throws {
        guard !made.isEmpty, !tree.isEmpty else { return }
        let root = try Directory(opening: tree)
        var sites: [PathBytes: Site] = [:]
        for entry in made {
            let path = entry.kind == .ancestor ? entry.path : entry.path.parent
            var site =
                sites[path]
                ?? Site(
                    modifiedBefore: entry.modifiedBefore, modifiedAfter: entry.modifiedAfter,
                    changedAfter: entry.changedAfter)
            site.modifiedAfter = entry.modifiedAfter
            site.changedAfter = entry.changedAfter
            if entry.kind != .ancestor { site.stubs.append(entry) }
            sites[path] = site
        }
        // All before any: removing one changes what the next would find.
        var found: [PathBytes: FileStatus] = [:]
        for path in sites.keys { found[path] = try Self.directory(path, in: root)?.descriptor.status() }
        let deepestFirst = sites.keys.sorted { ($0.components.count, $1) > ($1.components.count, $0) }
        for path in deepestFirst {
            guard let site = sites[path], let status = found[path] else { continue }
            try restore(path, site, status, in: root)
        }
    }

    private func restore(_ path: PathBytes, _ site: Site, _ status: FileStatus, in root: borrowing Directory) throws {
        guard let directory = try Self.directory(path, in: root) else { return }
        for stub in site.stubs.reversed() { try removeIfEmpty(stub, in: directory) }
        let isUntouched = status.changed == site.changedAfter
        if isFresh, isUntouched, !path.isEmpty, try directory.names().isEmpty {
            guard let parent = try Self.directory(path.parent, in: root) else { return }
            return try parent.removeDirectory(path.lastComponent)
        }
        let modified = status.modified == site.modifiedAfter ? site.modifiedBefore : status.modified
        try directory.setModified(".", modified)
    }

    private func removeIfEmpty(_ stub: MadeMountPoint, in directory: borrowing Directory) throws {
        let name = stub.path.lastComponent
        guard let status = try directory.statusIfExists(name) else { return }
        switch (stub.kind, status.type) {
        case (.directory, .directory):
            let names = try directory.directory(name, resolving: .noSymlinks).names()
            if names.isEmpty || (isServed && names == [ServedOverlay.opaqueMark]) { try directory.removeTree(name) }
        case (.file, .regular) where status.size == 0: try directory.unlink(name)
        default: break
        }
    }

    /// `nil` if the process removed it or put something else in its place.
    private static func directory(_ path: PathBytes, in root: borrowing Directory) throws -> Directory? {
        do {
            return try root.directory(path, resolving: .noSymlinks)
        } catch let error as LinuxError where error.code == .notFound || error.errno == .tooManySymbolicLinkLevels {
            return nil
        }
    }
}
