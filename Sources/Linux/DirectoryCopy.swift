import Diagnostics
import Glibc
import SystemPackage

extension Directory {
    /// Copies a name, with all below it when it is a directory, as it is: with owners, modes, times, extended attributes
    /// and hard links. Blocks of the disk are shared where the file system can. Sockets and devices are left out.
    package func copyTree(_ name: PathBytes, to newName: PathBytes, in target: borrowing Directory) throws {
        var copy = DirectoryCopy(
            from: try DirectoryStack(self), to: try DirectoryStack(target), root: try target.directory("."))
        try copy.run(name, to: newName)
    }
}

/// A copy of one tree.
private struct DirectoryCopy: ~Copyable {
    let from: DirectoryStack
    let to: DirectoryStack
    /// The directory that the walk through the copies began in.
    let root: Directory
    /// The copies of files with several names, from the root.
    private var links: [FileNumber: PathBytes] = [:]
    /// The directories that are being copied.
    private var open: [Open] = []

    private struct Open {
        let name: PathBytes
        let newName: PathBytes
        let status: FileStatus
        let path: PathBytes
        var rest: ArraySlice<PathBytes>
    }

    init(from: DirectoryStack, to: DirectoryStack, root: consuming Directory) {
        self.from = from
        self.to = to
        self.root = root
    }

    mutating func run(_ name: PathBytes, to newName: PathBytes) throws {
        try begin(name, as: newName, at: newName)
        while !open.isEmpty {
            if let child = open[open.count - 1].rest.popFirst() {
                try begin(child, as: child, at: open[open.count - 1].path.appending(child))
            } else {
                let directory = open.removeLast()
                try from.leave()
                try to.leave()
                try copyMetadata(directory.name, to: directory.newName, directory.status)
            }
        }
    }

    /// Copies a file, or makes a directory and goes into it.
    private mutating func begin(_ name: PathBytes, as newName: PathBytes, at path: PathBytes) throws {
        let status = try from.current.directory.status(name)
        if status.links > 1, status.type != .directory {
            let number = FileNumber(device: status.device, inode: status.inode)
            if let first = links[number] {
                let parent = try root.directory(first.parent, resolving: .noSymlinks)
                return try to.current.directory.makeHardLink(newName, to: first.lastComponent, in: parent)
            }
            links[number] = path
        }
        switch status.type {
        case .directory:
            try to.current.directory.makeDirectory(newName, permissions: 0o700)
            try from.enter(name)
            try to.enter(newName)
            let names = try from.current.directory.names()
            return open.append(Open(name: name, newName: newName, status: status, path: path, rest: names[...]))
        case .regular:
            try from.current.directory.open(name, O_RDONLY | O_NOFOLLOW, resolving: .noSymlinks)
                .copyContent(to: to.current.directory.create(newName))
        case .symlink:
            try to.current.directory.makeSymlink(newName, to: try from.current.directory.linkTarget(name))
        case .fifo: try to.current.directory.makeNode(newName, .fifo, permissions: status.permissions)
        case .socket, .characterDevice, .blockDevice: return
        }
        try copyMetadata(name, to: newName, status)
    }

    private func copyMetadata(_ name: PathBytes, to newName: PathBytes, _ status: FileStatus) throws {
        let (source, target) = (from.current, to.current)
        // The owner first: a change of it takes bits of the mode and capabilities away.
        try target.directory.setOwner(newName, status.owner, status.group)
        if status.type != .symlink { try target.directory.setPermissions(newName, status.permissions) }
        for attribute in try source.directory.extendedAttributes(name) {
            do { try target.directory.setExtendedAttribute(newName, attribute) } catch let error as LinuxError
                where error.errno == .notSupported || error.code == .permission
            {
                // Of what only the system sets, such as labels, the copy has its own.
            }
        }
        try target.directory.setModified(newName, status.modified)
    }
}

/// Tells the names of one file from those of others.
private struct FileNumber: Hashable {
    let device: UInt64
    let inode: UInt64
}
