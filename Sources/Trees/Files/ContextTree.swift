import Diagnostics
package import DockerfileSyntax
import Layers
package import Linux
package import OCI
import Synchronization
package import SystemPackage

/// The files of a build context: a directory of the user's, without what its ignore file names.
///
/// Every file belongs to root, as in BuildKit. Nothing is read before it is asked for. A store that lies within the context
/// is no part of it: a build changes it, and a copy would hold itself.
package final class ContextTree: FileTree {
    package let path: FilePath
    private let root: Directory
    private let rules: IgnoreRules
    private let form: ContextForm
    /// The path of the store, if it is within the context.
    private let store: PathBytes?
    private let digests: FileDigestCache
    private let reading: ContextReading?
    private let selections = Mutex<[ContextSelection: Digest]>([:])

    /// `cache` is the directory for the remembered digests; without one, nothing is remembered. `reading` counts the bytes
    /// that are read for keys.
    package init(
        _ path: FilePath, rules: IgnoreRules, cache: FilePath?, form: ContextForm = .disk,
        without store: FilePath? = nil, reading: ContextReading? = nil
    ) throws {
        self.path = path
        self.rules = rules
        self.form = form
        self.reading = reading
        root = try Directory(opening: path)
        self.store = store.flatMap { FileSystem.path(of: $0, below: path) }
        digests = FileDigestCache(of: path, in: cache)
    }

    /// Keeps what was learnt about the files for the next build.
    package func saveDigests() { digests.save() }

    /// The key of what was selected, computed when it is first asked for: all steps of a build see a context as it was
    /// then. A later reader asks whether it ``isAsRead(_:)``.
    package func key(of selection: ContextSelection, compute: () throws -> Digest) throws -> Digest {
        if let known = selections.withLock({ $0[selection] }) { return known }
        let key = try reading?.counting(compute) ?? compute()
        return selections.withLock { selections in
            selections[selection] = selections[selection] ?? key
            return selections[selection] ?? key
        }
    }

    /// Whether a file is what it was when its digest was asked for.
    package func isAsRead(_ file: FileNode) -> Bool {
        guard case .directory(let fingerprint) = file.origin else { return true }
        return digests.knows(fingerprint)
    }

    package func node(at path: PathBytes) throws -> FileNode? {
        if path.isEmpty { return try makeNode("", root.status("."), in: root, name: ".") }
        guard !isInStore(path), !path.components.contains(where: form.hides), let parent = try openParent(of: path)
        else { return nil }
        let name = path.lastComponent
        guard let status = try parent.statusIfExists(name) else { return nil }
        guard try isVisible(path, status, ignoreState(of: path), in: parent, name: name) else { return nil }
        return try makeNode(path, status, in: parent, name: name)
    }

    private func isInStore(_ path: PathBytes) -> Bool { store.map { path.isWithin($0) } ?? false }

    /// `nil` when there is no such directory or a component is a link.
    private func openParent(of path: PathBytes) throws -> Directory? {
        do { return try root.directory(path.parent, resolving: .noSymlinks) } catch let error as LinuxError
            where error.code == .notFound || error.errno == .tooManySymbolicLinkLevels
        {
            return nil
        }
    }

    package func contents(of directory: FileNode) throws -> DirectoryContents {
        guard directory.path.depth < PathBytes.depthLimit else { throw TreesError.tooDeep }
        let state = ignoreState(of: directory.path)
        let names = try root.directory(directory.path, resolving: .noSymlinks).names()
        return DirectoryContents(names: names) { [self] names in
            try files(names, in: directory.path, state)
        }
    }

    /// The files of some names in a directory that are part of the context; `state` is that of the ignore rules there.
    private func files(
        _ names: some Collection<PathBytes>, in directory: PathBytes, _ state: IgnoreRules.State
    ) throws -> [FileNode] {
        let opened = try root.directory(directory, resolving: .noSymlinks)
        var nodes: [FileNode] = []
        nodes.reserveCapacity(names.count)
        for name in names where !form.hides(name) {
            let path = directory.appending(name)
            if path == store { continue }
            let childState = rules.state(of: path.bytes, in: state)
            // A file that vanishes during the walk was never there.
            guard let status = try opened.statusIfExists(name),
                try isVisible(path, status, childState, in: opened, name: name)
            else { continue }
            nodes.append(try makeNode(path, status, in: opened, name: name))
        }
        return nodes
    }

    package func forWalk() -> any FileTree { ContextWalk(self) }

    /// Whether a file and all below it look on the disk just as this tree has them: nothing is ignored, all belongs to
    /// root, and nothing has attributes that this tree leaves out. A file that is not there is not.
    package func isPlain(_ path: PathBytes) throws -> Bool {
        if path.isEmpty {
            return try isPlain(root.status("."), "", rules.root, in: root, name: ".")
                && allBelow("", rules.root, in: root, isPlain)
        }
        let name = path.lastComponent
        guard let parent = try openParent(of: path), let status = try parent.statusIfExists(name) else { return false }
        let state = ignoreState(of: path)
        guard try isPlain(status, path, state, in: parent, name: name) else { return false }
        guard status.type == .directory else { return true }
        return try allBelow(path, state, in: parent.directory(name, resolving: .noSymlinks), isPlain)
    }

    private func isPlain(
        _ status: FileStatus, _ path: PathBytes, _ state: IgnoreRules.State, in directory: borrowing Directory,
        name: PathBytes
    ) throws -> Bool {
        try status.owner == 0 && status.group == 0 && status.type != .socket && !rules.ignores(state)
            && !form.hides(path.lastComponent) && path != store && form.permissions(status) == status.permissions
            && !directory.hasVisibleAttributes(name)
    }

    /// Whether something is true of all files below a directory. The condition gets the path of a file, the state of the
    /// ignore rules there, and its directory and name; one that is `nil` for a directory leaves out what is in it.
    private func allBelow(
        _ path: PathBytes, _ state: IgnoreRules.State, in directory: borrowing Directory,
        _ condition: (FileStatus, PathBytes, IgnoreRules.State, borrowing Directory, PathBytes) throws -> Bool?
    ) throws -> Bool {
        let walk = try DirectoryStack(directory)
        var open = [(path: path, state: state, rest: try directory.names()[...])]
        while !open.isEmpty {
            guard let name = open[open.count - 1].rest.popFirst() else {
                open.removeLast()
                if !open.isEmpty { try walk.leave() }
                continue
            }
            let child = open[open.count - 1].path.appending(name)
            guard let status = try walk.current.directory.statusIfExists(name) else { continue }
            let state = rules.state(of: child.bytes, in: open[open.count - 1].state)
            guard let isTrue = try condition(status, child, state, walk.current.directory, name) else { continue }
            guard isTrue else { return false }
            guard status.type == .directory else { continue }
            guard child.depth < PathBytes.depthLimit else { throw TreesError.tooDeep }
            try walk.enter(name)
            open.append((child, state, try walk.current.directory.names()[...]))
        }
        return true
    }

    private func ignoreState(of path: PathBytes) -> IgnoreRules.State {
        path.components.reduce((rules.root, PathBytes(""))) { pair, name in
            let next = pair.1.appending(name)
            return (rules.state(of: next.bytes, in: pair.0), next)
        }.0
    }

    /// An ignored directory is seen when an exception lets something below it be seen.
    private func isVisible(
        _ path: PathBytes, _ status: FileStatus, _ state: IgnoreRules.State, in directory: borrowing Directory,
        name: PathBytes
    ) throws -> Bool {
        guard rules.ignores(state) else { return true }
        guard status.type == .directory, !rules.canSkipDirectory(path.bytes, state) else { return false }
        // Whether there is one file below that can be seen.
        let opened = try directory.directory(name, resolving: .noSymlinks)
        return try !allBelow(path, state, in: opened) { status, child, state, _, _ in
            if child == store { return nil }
            guard rules.ignores(state) else { return false }
            return status.type == .directory && !rules.canSkipDirectory(child.bytes, state) ? true : nil
        }
    }

    private func makeNode(
        _ path: PathBytes, _ status: FileStatus, in directory: borrowing Directory, name: PathBytes
    ) throws -> FileNode {
        let entry = LayerEntry(
            path: path, kind: Self.kind(status.type), permissions: form.permissions(status),
            size: status.type == .regular ? status.size : 0, modified: status.modified,
            linkTarget: status.type == .symlink ? try directory.linkTarget(name) : "",
            deviceMajor: status.deviceMajor, deviceMinor: status.deviceMinor,
            attributes: try attributes(path, status, in: directory, name: name))
        let identity =
            status.type == .regular && status.links > 1 && form == .disk
            ? LinkIdentity(space: status.device, file: PathBytes("\(status.inode)")) : nil
        return FileNode(path: path, entry: entry, linkIdentity: identity, origin: .directory(FileFingerprint(status)))
    }

    /// A socket arrives as an empty regular file, as BuildKit's context transfer has it.
    private static func kind(_ type: Linux.FileType) -> LayerEntry.Kind {
        switch type {
        case .regular, .socket: .regular
        case .directory: .directory
        case .symlink: .symlink
        case .characterDevice: .characterDevice
        case .blockDevice: .blockDevice
        case .fifo: .fifo
        }
    }

    private func attributes(
        _ path: PathBytes, _ status: FileStatus, in directory: borrowing Directory, name: PathBytes
    ) throws -> [ExtendedAttribute] {
        guard form == .disk, status.type == .regular || status.type == .directory else { return [] }
        if let known = digests.lookup(FileFingerprint(status)), !known.hasAttributes { return [] }
        // Other attributes are the machine's own, and would make equal contexts differ: labels of its security modules,
        // and such as `user.xdg.origin.url`, where a browser keeps the address that a file came from.
        return try directory.extendedAttributes(name).filter { $0.name == "security.capability" }
    }

    package func open(_ file: FileNode) throws -> OwnedDescriptor {
        try root.open(file.path, resolving: .noSymlinks)
    }

    package func contentDigest(of file: FileNode) throws -> [UInt8] {
        if case .directory(let fingerprint) = file.origin, let known = digests.lookup(fingerprint) {
            return known.digest
        }
        if file.entry.size == 0 {
            // It may be a socket, which cannot be opened.
            if case .directory(let fingerprint) = file.origin { digests.noteRead(fingerprint) }
            return DigestHasher().finishBytes()
        }
        let opened = try open(file)
        let status = try opened.status()
        guard status.type == .regular else { return DigestHasher().finishBytes() }
        guard status.unallocatedSize <= Tar.maximumHoles else {
            throw TreesError(
                .tooSparse, "the holes of '\(file.path)' in the build context take more than 1 TiB",
                hint: "Name the file in .dockerignore.")
        }
        let digest = try opened.contentDigest(of: status.size) { reading?.add($0) }
        digests.remember(
            FileFingerprint(status), digest: digest, hasAttributes: !file.entry.attributes.isEmpty)
        return digest
    }
}

/// The files that a COPY takes from a context.
package struct ContextSelection: Hashable {
    package let word: String
    package let keepsParents: Bool
    package let excludes: [String]

    package init(word: String, keepsParents: Bool, excludes: [String]) {
        self.word = word
        self.keepsParents = keepsParents
        self.excludes = excludes
    }
}

extension OwnedDescriptor {
    /// The SHA-256 of the rest of a file of about `size` bytes; `progress` gets the size of each piece that was read.
    package func contentDigest(of size: Int64, progress: (Int) -> Void = { _ in }) throws -> [UInt8] {
        var hasher = DigestHasher()
        try readPieces(of: size) { piece in
            hasher.update(piece)
            progress(piece.count)
        }
        return hasher.finishBytes()
    }
}

extension Directory {
    /// Whether a command would see attributes of the file that a context leaves out; see `ContextTree`.
    fileprivate func hasVisibleAttributes(_ name: PathBytes) throws -> Bool {
        // A command does not see those named `trusted`. A security module labels every file, also that of a copy.
        try extendedAttributes(name).contains { $0.name.hasPrefix("user.") || $0.name.hasPrefix("system.") }
    }
}
