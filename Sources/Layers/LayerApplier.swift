import Diagnostics
import Glibc
package import Linux
import SystemPackage

/// Unpacks a layer into a directory and finds out, in the same pass, its digest and what is in it.
///
/// No name in the layer leads out of the directory: links of the layer that are in the way are followed as if the
/// directory were the root. Links of the layers below are not followed, as a runtime unpacks a layer without seeing them.
package struct LayerApplier {
    /// The treatment of whiteouts.
    package enum Form: Hashable, Sendable {
        /// The directory will be a lower one of an overlay: whiteouts and opaque directories get its marks.
        case overlay(OverlayMarks)
        /// Whiteouts remove what is in the directory, but nothing that this layer itself brought.
        case plain
    }

    package var form: Form
    /// Whether files get the owners that the layer gives them, for which one must be root.
    package var preservesOwners = true
    /// The owner of all files, in place of those in the layer.
    package var owner: (user: UInt32, group: UInt32)?
    /// Whether names such as `.wh.a` mean that something is removed; not so in archives that are no layers.
    package var readsMarks = true
    /// Whether device files are made; they are left out where that is not allowed anyway.
    package var makesDevices = true
    /// The entry of the layers below at the path of a directory that this layer has files in but does not itself hold. Of
    /// a directory the metadata are taken over. Anything else, a link too, is hidden by a directory that belongs to root
    /// and has the permissions 0755, as in an overlay.
    package var missingParent: (PathBytes) throws -> LayerEntry? = { _ in nil }
    /// Opens a regular file of the layers below that this layer has a hard link to.
    package var missingLinkSource: (PathBytes) throws -> OwnedDescriptor? = { _ in nil }
    /// The entry of a file of the layers below that this layer has a hard link to, if it is neither a regular file nor a
    /// directory.
    package var missingLinkEntry: (PathBytes) throws -> LayerEntry? = { _ in nil }

    package init(_ form: Form) { self.form = form }

    /// Unpacks the layer. The directory should be empty, unless the form is plain.
    ///
    /// Throws ``LayerError`` for a bad layer and `LinuxError` when the directory cannot hold it; the directory is then
    /// to be thrown away. Device files that may not be made are left out.
    ///
    /// - Returns: digest and file list; paths in the list are those at which the files are, links in between followed.
    package func apply(_ source: any ByteStream, to directory: borrowing Directory) throws -> LayerSummary {
        let target = UnpackTarget(self, try directory.directory("."))
        var reader = try LayerReader(source, readsMarks: readsMarks)
        var links = LayerLinks()
        while let entry = try reader.next() {
            try links.add(target.add(entry) { body, hole in try reader.readContent(body, hole: hole) })
        }
        try target.finish()
        let (diffID, tarSize) = try reader.finish()
        return LayerSummary(diffID: diffID, fileList: FileList(try links.finish(), tarSize: tarSize))
    }
}

/// The directory that a layer is unpacked to.
final class UnpackTarget {
    let options: LayerApplier
    let root: OpenDirectory
    /// The parent of the entry before, which mostly is that of the next.
    var cachedParent: (requested: PathBytes, directory: OpenDirectory)?
    /// Times of directories, set at the end as every new file in them changes them.
    var times: [(path: PathBytes, time: FileTime)] = []
    /// The paths of this layer's own entries, in the plain form, which its whiteouts must not touch.
    private(set) var made: Set<PathBytes> = []
    /// The paths that this layer removes by a mark that is a file of its own, which hides any file of the name.
    private(set) var named: Set<PathBytes> = []
    var space = SpaceGuard()
    /// Copies of files from the layers below, by the path that hard links call them.
    var copies: [PathBytes: PathBytes] = [:]
    /// Device files that were not made, and hard links to them.
    var missingDevices: Set<PathBytes> = []

    init(_ options: LayerApplier, _ root: consuming Directory) {
        self.options = options
        self.root = OpenDirectory(root, path: PathBytes([UInt8]()))
    }

    /// Calls its arguments with the content of the entry piece by piece, the second one with the lengths of holes, and
    /// returns the content's hash.
    typealias Content = ((Span<UInt8>) throws -> Void, (Int64) throws -> Void) throws -> UInt64

    /// Makes the entry and returns it with the path and the hash that it has got.
    func add(_ entry: LayerEntry, content: Content) throws -> LayerEntry {
        var entry = entry
        if let owner = options.owner, !entry.isMark {
            entry.owner = owner.user
            entry.group = owner.group
        }
        if entry.isMark {
            try addMark(&entry)
            return entry
        }
        let name = entry.path.lastComponent
        let parent = try parent(of: entry.path)
        entry.path = parent.path.appending(name)
        note(entry.path)
        let wasRemoved = try takeNamedMark(of: entry.path, name, in: parent)
        switch entry.kind {
        case .directory:
            try addDirectory(entry, name, in: parent)
            if wasRemoved { try makeOpaque(name, in: parent) }
        case .regular: entry.contentHash = try addFile(entry, name, in: parent, content: content)
        case .hardLink: try addHardLink(&entry, name, in: parent)
        default: try addOther(entry, name, in: parent)
        }
        return entry
    }

    /// Sets the times of the directories.
    func finish() throws {
        for (path, time) in times {
            do {
                try open(path.parent).directory.setModified(path.lastComponent, time)
            } catch let error as LinuxError where error.isMissingOrLink {
                // A later entry of the layer replaced the directory.
            }
        }
    }

    /// Remembers that the layer brought the path, and so what is above it.
    func note(_ path: PathBytes) {
        guard options.form == .plain else { return }
        var path = path
        while !path.isEmpty, made.insert(path).inserted { path = path.parent }
    }
}

// MARK: Marks

extension UnpackTarget {
    private func addMark(_ entry: inout LayerEntry) throws {
        switch options.form {
        case .overlay(let marks):
            guard entry.kind == .whiteout else {
                let directory = try directory(at: entry.path)
                entry.path = directory.path
                return try makeOpaque(".", in: directory)
            }
            let parent = try parent(of: entry.path)
            let name = entry.path.lastComponent
            entry.path = parent.path.appending(name)
            switch try parent.directory.statusIfExists(name)?.type {
            case nil where marks == .names:
                try parent.directory.makeMark(Whiteout.name(removing: name))
                named.insert(entry.path)
            case nil: try parent.directory.makeNode(name, .characterDevice, permissions: 0)
            // The layer replaces what was there by a directory of its own.
            case .directory: try makeOpaque(name, in: parent)
            default: break
            }
        case .plain:
            let directory = try directory(at: entry.kind == .opaque ? entry.path : entry.path.parent)
            cachedParent = nil
            if entry.kind == .opaque {
                entry.path = directory.path
                try removeContent(of: directory.directory, directory.path)
            } else {
                let name = entry.path.lastComponent
                entry.path = directory.path.appending(name)
                if try !remove(name, in: directory.directory, entry.path) {
                    let own = try directory.directory.directory(name, resolving: .noSymlinks)
                    try removeContent(of: own, entry.path)
                }
            }
        }
    }

    /// Takes back the mark that something was removed, which the layer replaces. Returns whether there was one.
    func takeNamedMark(of path: PathBytes, _ name: PathBytes, in parent: OpenDirectory) throws -> Bool {
        guard named.remove(path) != nil else { return false }
        try parent.directory.unlink(Whiteout.name(removing: name))
        return true
    }

    /// Hides what the layers below have in a directory; `name` may be `.`.
    func makeOpaque(_ name: PathBytes, in parent: OpenDirectory) throws {
        guard case .overlay(let marks) = options.form else { return }
        switch marks {
        case .trusted:
            try parent.directory.setExtendedAttribute(name, OverlayAttribute.opaque("trusted.overlay.opaque"))
        case .user: try parent.directory.setExtendedAttribute(name, OverlayAttribute.opaque("user.overlay.opaque"))
        case .names: try parent.directory.directory(name, resolving: .noSymlinks).makeMark(Whiteout.opaque)
        }
    }

    /// Removes what a directory holds and this layer did not bring.
    private func removeContent(of directory: borrowing Directory, _ path: PathBytes) throws {
        let walk = try DirectoryStack(directory)
        var open = [(path: path, rest: try directory.names())]
        while !open.isEmpty {
            guard let name = open[open.count - 1].rest.popLast() else {
                open.removeLast()
                if !open.isEmpty { try walk.leave() }
                continue
            }
            let child = open[open.count - 1].path.appending(name)
            if try remove(name, in: walk.current.directory, child) { continue }
            try walk.enter(name)
            open.append((child, try walk.current.directory.names()))
        }
    }

    /// Removes what this layer did not bring. Says whether that was all: what is in a directory of the layer is left.
    private func remove(_ name: PathBytes, in directory: borrowing Directory, _ path: PathBytes) throws -> Bool {
        guard made.contains(path) else {
            try directory.removeTree(name)
            return true
        }
        return try directory.statusIfExists(name)?.type != .directory
    }
}

extension Directory {
    /// An empty file that nobody but root looks at; it may be there already.
    fileprivate func makeMark(_ name: PathBytes) throws {
        _ = try open(name, O_WRONLY | O_CREAT, mode: 0, resolving: .noSymlinks)
    }
}

extension Failure<LinuxCode> {
    /// There is nothing at the path, or a link where a directory should be.
    var isMissingOrLink: Bool { code == .notFound || errno == .tooManySymbolicLinkLevels }
}
