import Diagnostics
package import Linux
import Synchronization
package import SystemPackage

/// A file being written that takes the place of another one when all of it is there. Without that, it leaves nothing.
package final class FileReplacement: Sendable {
    /// The file to write to.
    package let file: OwnedDescriptor
    private let path: FilePath
    /// Whether the file has a name of its own that must go.
    private let isPending: Mutex<Bool>

    /// Begins a file. A device or a pipe at the path is written to itself.
    package init(_ path: FilePath) throws {
        self.path = path
        if let node = try? OwnedDescriptor.open(path, .writeOnly), try node.status().type != .regular {
            file = node
            isPending = Mutex(false)
            return
        }
        do {
            file = try OwnedDescriptor.open(
                Self.parent(of: path).appending(Self.temporaryName(path).text), .readWrite,
                options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch let error as LinuxError {
            // The user knows the file by its own name, not by that of its unfinished copy.
            guard let errno = error.errno else { throw error }
            throw LinuxError(errno, "write", path)
        }
        isPending = Mutex(true)
    }

    deinit { discard() }

    /// Gives the file its name.
    package func commit() throws {
        guard isPending.withLock({ $0 }), let name = path.lastComponent else { return }
        let directory = try Directory(opening: Self.parent(of: path))
        try directory.rename(Self.temporaryName(path), to: PathBytes(name.string), in: directory)
        isPending.withLock { $0 = false }
    }

    /// Removes the file. Does nothing after ``commit()``.
    package func discard() {
        guard
            isPending.withLock({ isPending in
                defer { isPending = false }
                return isPending
            }), let directory = try? Directory(opening: Self.parent(of: path))
        else { return }
        try? directory.unlink(Self.temporaryName(path))
    }

    private static func parent(of path: FilePath) -> FilePath {
        let parent = path.removingLastComponent()
        return parent.isEmpty ? "." : parent
    }

    private static func temporaryName(_ path: FilePath) -> PathBytes {
        PathBytes(".\(path.lastComponent?.string ?? "output").\(ProcessIdentity.current)")
    }
}
