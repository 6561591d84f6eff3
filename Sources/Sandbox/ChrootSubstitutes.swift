import Diagnostics
import Glibc
import Linux
package import SystemPackage

/// The substitutes for mounts in a chroot, as long as a command runs in it. The files that they hide are put aside.
///
/// Nothing may run in the tree while they are put into it or taken out.
package struct ChrootSubstitutes: ~Copyable, Sendable {
    /// The place of a substitute, and what it takes to undo it.
    struct Site: Sendable {
        let parent: Parent
        let name: PathBytes
        let modifiedBefore: FileTime
        let substitute: ChrootSubstitute
        /// The name of the hidden file among those put aside.
        var hidden: PathBytes?
        /// The inode of the substitute, to recognise it.
        var inode: UInt64?
        /// A directory that was missing on the way to a substitute: removed if it is empty.
        var isOnTheWay = false
    }

    final class Parent: Sendable {
        let directory: Directory

        init(_ directory: consuming Directory) { self.directory = directory }
    }

    private let root: Parent
    private let aside: Parent
    private let tree: FilePath
    private let base: FilePath
    /// Keeps the tree until the caches have been moved out of it.
    private let owner: (any AnyObject & Sendable)?
    private(set) var sites: [Site] = []
    private var isDone = false
    private var devices: DeviceDirectory?
    /// Whether plain files take the place of devices.
    package var hasMakeshiftDevices: Bool { devices?.isMakeshift ?? false }

    /// Puts them into a tree, the future root directory. Of two at one place the later is seen.
    ///
    /// - Parameters:
    ///   - substitutes: the files and directories to put in place.
    ///   - tree: the future root directory.
    ///   - aside: an empty directory on the same file system, for hidden files.
    ///   - base: a directory above the tree, from which the record of a moved cache says where it is.
    ///   - owner: an object that deletes the tree when it is gone.
    /// - Returns: the substitutes in place.
    /// - Throws: `LinuxError`; all is as it was then.
    package static func place(
        _ substitutes: [ChrootSubstitute], in tree: FilePath, aside: FilePath, base: FilePath,
        owner: (any AnyObject & Sendable)? = nil
    ) throws -> ChrootSubstitutes {
        var placed = ChrootSubstitutes(
            root: Parent(try Directory(opening: tree)), aside: Parent(try Directory(opening: aside)), tree: tree,
            base: base, owner: owner)
        let sorted = substitutes.enumerated().sorted { lhs, rhs in
            let (left, right) = (PathBytes(lhs.element.target).components, PathBytes(rhs.element.target).components)
            return left == right ? lhs.offset < rhs.offset : left.lexicographicallyPrecedes(right)
        }
        for (_, substitute) in sorted { try placed.place(substitute) }
        // The first that was noted for a directory is the time it had.
        for site in placed.sites.reversed() {
            try site.parent.directory.setModified(".", site.modifiedBefore)
        }
        return placed
    }

    private init(
        root: Parent, aside: Parent, tree: FilePath, base: FilePath, owner: (any AnyObject & Sendable)?
    ) {
        self.root = root
        self.aside = aside
        self.tree = tree
        self.base = base
        self.owner = owner
    }

    /// Takes all of them out, once the command has ended. Its changes to them are deleted, but those to caches; a directory
    /// that it changed keeps the time of that.
    package consuming func remove() throws {
        isDone = true
        try undo()
    }

    deinit {
        // Caches are moved back even where the tree is given up.
        if !isDone { try? undo() }
    }

    // MARK: In

    private mutating func place(_ substitute: ChrootSubstitute) throws {
        let path = PathBytes(substitute.target)
        let name = path.lastComponent
        let parent = try parent(of: path)
        var site = Site(
            parent: parent, name: name, modifiedBefore: try parent.directory.status(".").modified,
            substitute: substitute)
        if try parent.directory.statusIfExists(name) != nil {
            let hidden = PathBytes("\(sites.count)")
            try parent.directory.rename(name, to: hidden, in: aside.directory)
            site.hidden = hidden
        }
        // Before it is moved, so that it is recognised wherever a failure leaves it.
        if case .cache(let path) = substitute.content { site.inode = try FileStatus(of: path).inode }
        sites.append(site)
        let mode = try site.hidden.map { try aside.directory.status($0) }.flatMap {
            $0.type == .directory ? $0.permissions : nil
        }
        try make(substitute.content, name, in: parent, hiding: mode)
        sites[sites.count - 1].inode = try parent.directory.status(name).inode
    }

    /// The directory that a substitute goes to, made if need be.
    private mutating func parent(of path: PathBytes) throws -> Parent {
        var current = ""[...]
        var parent = root
        for name in path.parent.components {
            let next = PathBytes(current + "/" + name.text)
            do {
                parent = Parent(try root.directory.directory(next, resolving: .inRoot))
            } catch let error as LinuxError where error.code == .notFound {
                sites.append(
                    Site(
                        parent: parent, name: name, modifiedBefore: try parent.directory.status(".").modified,
                        substitute: ChrootSubstitute(
                            target: FilePath(next.text), content: .directory(permissions: 0o755)),
                        isOnTheWay: true))
                try parent.directory.makeDirectory(name, permissions: 0o755)
                parent = Parent(try parent.directory.directory(name, resolving: .noSymlinks))
            }
            current = next.text[...]
        }
        return parent
    }

    private mutating func make(
        _ content: ChrootSubstitute.Content, _ name: PathBytes, in parent: Parent, hiding mode: UInt32?
    ) throws {
        switch content {
        case .directory(let permissions):
            try parent.directory.makeDirectory(name, permissions: permissions ?? mode ?? 0o1777)
        case .file(let content, let permissions, let owner, let group):
            try parent.directory.create(name, permissions: 0o600).write(content.span)
            try parent.directory.setOwner(name, owner, group)
            try parent.directory.setPermissions(name, permissions)
        case .devices: devices = try DeviceDirectory(making: name, in: parent.directory)
        case .copy(let path):
            let source = try Directory(opening: path.removingLastComponent())
            try source.copyTree(Self.name(of: path), to: name, in: parent.directory)
        case .moved(let path): try Self.move(path, to: name, in: parent.directory)
        case .cache(let path):
            try note(name, in: parent.directory, for: path)
            try Self.move(path, to: name, in: parent.directory)
        case .socket(let path):
            let source = try Directory(opening: path.removingLastComponent())
            try parent.directory.makeHardLink(name, to: Self.name(of: path), in: source)
        }
    }

    private static func move(_ path: FilePath, to name: PathBytes, in directory: borrowing Directory) throws {
        let source = try Directory(opening: path.removingLastComponent())
        try source.rename(Self.name(of: path), to: name, in: directory)
    }

    private static func name(of path: FilePath) -> PathBytes { PathBytes(path.lastComponent?.string ?? ".") }

    // MARK: Out

    private func undo() throws {
        var failure: (any Error)?
        let hasCaches = sites.contains { if case .cache = $0.substitute.content { true } else { false } }
        // A process that has its working directory in a cache would be outside of its root once the cache is.
        let mayMove = !hasCaches || ChrootProcesses.end(around: tree, below: base, areDescendants: true)
        for site in sites.reversed() {
            do { try undo(site, mayMove) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func undo(_ site: Site, _ mayMove: Bool) throws {
        let parent = site.parent
        let modified = try parent.directory.status(".").modified
        if site.isOnTheWay {
            guard try parent.directory.statusIfExists(site.name)?.type == .directory,
                try parent.directory.directory(site.name, resolving: .noSymlinks).names().isEmpty
            else { return }
            try parent.directory.removeDirectory(site.name)
        } else {
            try takeOut(site, mayMove)
        }
        try parent.directory.setModified(".", modified)
    }

    private func takeOut(_ site: Site, _ mayMove: Bool) throws {
        if case .cache(let home) = site.substitute.content { try putBack(site, to: home, mayMove) }
        try site.parent.directory.removeTree(site.name)
        guard let hidden = site.hidden else { return }
        do {
            try aside.directory.rename(hidden, to: site.name, in: site.parent.directory)
        } catch let error as LinuxError where error.code == .notFound {
            // The command removed the directory, and so the file that it would have found without the substitute.
            try aside.directory.removeTree(hidden)
        }
    }

    // MARK: Caches

    private static let noteName: PathBytes = "lent"

    /// Writes next to the home of a cache where its directory is going to be.
    private func note(_ name: PathBytes, in directory: borrowing Directory, for home: FilePath) throws {
        let top = try Directory(opening: base).descriptor.path()
        let place = try directory.descriptor.path().appending(name)
        guard place.isWithin(top) else { return }
        let relative = place.bytes.dropFirst(top.bytes.count).drop { $0 == UInt8(ascii: "/") }
        let parent = try Directory(opening: home.removingLastComponent())
        let file = try parent.open(Self.noteName, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600, resolving: .noSymlinks)
        try file.write(relative.span)
    }

    private func putBack(_ site: Site, to home: FilePath, _ mayMove: Bool) throws {
        let parent = try Directory(opening: home.removingLastComponent())
        let name = Self.name(of: home)
        if try site.parent.directory.statusIfExists(site.name)?.inode == site.inode {
            if mayMove {
                try site.parent.directory.rename(site.name, to: name, in: parent)
            } else {
                try site.parent.directory.copyTree(site.name, to: name, in: parent)
            }
        } else {
            // The command has put it somewhere else or removed it.
            try parent.makeDirectory(name, permissions: 0o755)
        }
        try parent.removeTree(Self.noteName)
    }
}
