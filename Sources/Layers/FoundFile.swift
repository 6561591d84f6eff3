import Glibc
package import Linux

/// A file found on the disk that may become a member of a layer, or a mark.
package struct FoundFile: Hashable, Sendable {
    /// As it is there: never a hard link, and with its own size.
    package var entry: LayerEntry
    /// Equal for the names of one file; `nil` where there is only one, and for directories and marks.
    package var identity: FileIdentity?
    /// Whether it was there below, and was copied for fuse-overlayfs before it was changed: known of regular files.
    package var isCopy = false

    package init(_ entry: LayerEntry, identity: FileIdentity? = nil) {
        self.entry = entry
        self.identity = identity
    }

    /// A file with its link target and its extended attributes; `nil` for a socket, which no archive can hold.
    init?(
        _ name: PathBytes, at path: PathBytes, _ status: FileStatus, in directory: borrowing Directory,
        readsAttributes: Bool = true
    ) throws {
        guard var entry = LayerEntry(path: path, status: status) else { return nil }
        if readsAttributes { entry.attributes = try directory.extendedAttributes(name) }
        if entry.kind == .symlink { entry.linkTarget = try directory.linkTarget(name) }
        let hasNames = status.links > 1 && entry.kind != .directory
        self.init(entry, identity: hasNames ? FileIdentity(device: status.device, inode: status.inode) : nil)
    }
}

/// The identity of a file on a machine.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

extension [FoundFile] {
    /// The members of a layer that these become: of the names of one file all but the first are hard links to that.
    package var members: [LayerEntry] {
        var first: [FileIdentity: PathBytes] = [:]
        return map { file in
            guard let identity = file.identity else { return file.entry }
            guard let target = first[identity] else {
                first[identity] = file.entry.path
                return file.entry
            }
            var entry = file.entry
            entry.kind = .hardLink
            entry.size = 0
            entry.contentHash = 0
            entry.linkTarget = target
            return entry
        }
    }
}

extension LayerWriter {
    /// Adds members, in the order of a walk, with the content that the files of their names have below `root`.
    ///
    /// Throws ``LayerError`` `.fileChanged` when a file does not have the size that its entry says.
    package mutating func add(_ members: [LayerEntry], from root: borrowing Directory) throws {
        let files = try FileOpener(root)
        for member in members {
            if member.kind == .regular, member.size > 0 {
                try add(member, content: files.open(member.path))
            } else {
                try add(member)
            }
        }
    }
}

/// Opens files below a directory, keeping the directory of the last one open: in a walk the next is mostly in it too.
package final class FileOpener {
    private let root: OpenDirectory
    private var current: OpenDirectory

    package init(_ root: borrowing Directory) throws {
        self.root = OpenDirectory(try root.directory("."), path: "")
        current = self.root
    }

    /// Opens a file for reading. No link is followed on the way.
    package func open(_ path: PathBytes) throws -> OwnedDescriptor {
        if current.path != path.parent { current = try root.descendant(path.parent) }
        return try current.directory.open(path.lastComponent, O_RDONLY | O_NOFOLLOW, resolving: .noSymlinks)
    }

    /// The ``LayerEntry/contentHash`` of a regular file.
    package func contentHash(of path: PathBytes) throws -> UInt64 {
        let file = try open(path)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var hash: UInt64 = 0
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { return hash }
            hash = ContentHash.update(hash, buffer.span.extracting(..<count))
        }
    }
}
