import Diagnostics
import Glibc
import SystemPackage

extension Directory {
    /// Copies a name, with all below it when it is a directory, as it is: with owners, modes, times, extended attributes
    /// and hard links. Blocks of the disk are shared where the file system can. Sockets and devices are left out.
    package func copyTree(_ name: PathBytes, to newName: PathBytes, in target: borrowing Directory) throws {
        var links: [FileNumber: PathBytes] = [:]
        let root = try target.directory(".")
        try copy(name, to: newName, in: target, at: newName, root: root, &links)
    }

    /// `path` is where the copy is from `root`.
    private func copy(
        _ name: PathBytes, to newName: PathBytes, in target: borrowing Directory, at path: PathBytes,
        root: borrowing Directory, _ links: inout [FileNumber: PathBytes]
    ) throws {
        let status = try status(name)
        if status.links > 1, status.type != .directory {
            let number = FileNumber(device: status.device, inode: status.inode)
            if let first = links[number] {
                let parent = try root.directory(first.parent, resolving: .noSymlinks)
                return try target.makeHardLink(newName, to: first.lastComponent, in: parent)
            }
            links[number] = path
        }
        switch status.type {
        case .directory:
            try target.makeDirectory(newName, permissions: 0o700)
            let source = try directory(name, resolving: .noSymlinks)
            let copy = try target.directory(newName, resolving: .noSymlinks)
            for child in try source.names() {
                try source.copy(child, to: child, in: copy, at: path.appending(child), root: root, &links)
            }
        case .regular:
            try open(name, O_RDONLY | O_NOFOLLOW, resolving: .noSymlinks).copyContent(to: target.create(newName))
        case .symlink: try target.makeSymlink(newName, to: try linkTarget(name))
        case .fifo: try target.makeNode(newName, .fifo, permissions: status.permissions)
        case .socket, .characterDevice, .blockDevice: return
        }
        // The owner first: a change of it takes bits of the mode and capabilities away.
        try target.setOwner(newName, status.owner, status.group)
        if status.type != .symlink { try target.setPermissions(newName, status.permissions) }
        for attribute in try extendedAttributes(name) {
            do { try target.setExtendedAttribute(newName, attribute) } catch let error as LinuxError
                where error.errno == .notSupported || error.code == .permission
            {
                // Of what only the system sets, such as labels, the copy has its own.
            }
        }
        try target.setModified(newName, status.modified)
    }
}

/// Tells the names of one file from those of others.
private struct FileNumber: Hashable {
    let device: UInt64
    let inode: UInt64
}
