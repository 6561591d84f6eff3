import CLinux
import Diagnostics
import Glibc
import SystemPackage

extension PathBytes {
    /// The most components of a path in a layer or a context: more than the kernel takes in one path, which has at most
    /// 4,095 bytes.
    package static let depthLimit = 2048

    /// The number of components, where there are no two slashes in a row.
    package var depth: Int { bytes.isEmpty ? 0 : 1 + bytes.count { $0 == UInt8(ascii: "/") } }
}

/// The directories on the way down a tree, for walks that neither call themselves nor keep many directories open, however
/// deep the tree is.
///
/// Directories far above the current one are closed, and opened again through `..` on the way back. One that is another
/// by then is an error, so that a process that moves directories meanwhile leads the walk nowhere else.
package final class DirectoryStack {
    /// An open directory.
    package final class Level {
        package let directory: Directory

        init(_ directory: consuming Directory) { self.directory = directory }
    }

    private struct Closed {
        let device: UInt64
        let inode: UInt64
    }

    private static let openLimit = 64

    /// The directories that were closed, from the top.
    private var closed: [Closed] = []
    /// The open directories below those; never empty.
    private var open: [Level]

    /// Begins at a directory.
    package init(_ top: borrowing Directory) throws { open = [Level(try top.directory("."))] }

    /// The number of directories that were entered and not left.
    package var depth: Int { closed.count + open.count - 1 }

    /// The directory that was entered last.
    package var current: Level { open[open.count - 1] }

    /// Goes into a directory of the current one; a link to a directory is an error.
    package func enter(_ name: PathBytes) throws {
        open.append(Level(try current.directory.directory(name, resolving: .noSymlinks)))
        guard open.count > Self.openLimit else { return }
        let status = try open.removeFirst().directory.descriptor.status()
        closed.append(Closed(device: status.device, inode: status.inode))
    }

    /// Goes back to the directory above, down to where the walk began.
    package func leave() throws {
        precondition(depth > 0, "there is no way back from the top")
        if open.count == 1, let known = closed.popLast() {
            let parent = try current.directory.parent()
            let status = try parent.descriptor.status()
            guard status.device == known.device, status.inode == known.inode else {
                throw LinuxError(.other, "a directory was moved while its files were looked at")
            }
            open.insert(Level(parent), at: 0)
        }
        open.removeLast()
    }
}

extension Directory {
    /// The directory above. The corresponding system call is `openat2(2)`.
    fileprivate func parent() throws -> Directory {
        let flags = UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let number = try check("open", "..") { unsafe linux_openat2(descriptor.number, "..", flags, 0, 0) }
        return Directory(OwnedDescriptor(FileDescriptor(rawValue: number)))
    }
}

extension Directory {
    /// Removes a name and, when it is a directory, all below it. Links are not followed, mounts are not expected.
    ///
    /// - Parameters:
    ///   - name: a name in this directory; one that is not there is no error.
    ///   - changingModes: whether directories that their owner, the caller, may not write are made writable where that
    ///     is needed: overlay makes one of mode 0000, and a build may make any.
    /// - Throws: `LinuxError`.
    package func removeTree(_ name: PathBytes, changingModes: Bool = false) throws {
        do { return try removeAll(name) } catch {
            guard changingModes else { throw error }
            makeAccessible(name)
            try removeAll(name)
        }
    }

    private func makeAccessible(_ name: PathBytes) {
        guard let status = try? status(name), status.type == .directory else { return }
        try? setPermissions(name, 0o700)
        let child = try? directory(name, resolving: .noSymlinks)
        guard let child, let entries = try? child.names() else { return }
        for entry in entries { child.makeAccessible(entry) }
    }

    private func removeAll(_ name: PathBytes) throws {
        guard let status = try statusIfExists(name) else { return }
        guard status.type == .directory else { return try unlink(name) }
        let walk = try DirectoryStack(self)
        try walk.enter(name)
        var open = [(name: name, rest: try walk.current.directory.names())]
        while !open.isEmpty {
            guard let child = open[open.count - 1].rest.popLast() else {
                try walk.leave()
                try walk.current.directory.removeDirectory(open.removeLast().name)
                continue
            }
            guard let status = try walk.current.directory.statusIfExists(child) else { continue }
            if status.type == .directory {
                try walk.enter(child)
                open.append((child, try walk.current.directory.names()))
            } else {
                try walk.current.directory.unlink(child)
            }
        }
    }
}
