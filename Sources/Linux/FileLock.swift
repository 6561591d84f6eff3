import CLinux
import Diagnostics
import Glibc
package import SystemPackage

/// An advisory lock on a file, held until it is dropped; the kernel drops it when the process dies.
///
/// The corresponding system call is `flock(2)`.
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    package enum Mode: Sendable {
        case shared
        case exclusive
    }

    /// Waits for the lock; the file is created when it is missing.
    package init(_ path: FilePath, _ mode: Mode) throws {
        let descriptor = try Self.open(path)
        let number = descriptor.number
        try check("lock", path) { linux_flock(number, mode == .shared ? LOCK_SH : LOCK_EX) }
        self.descriptor = descriptor
    }

    private init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Takes the lock if it is free; `nil` otherwise.
    package static func attempt(_ path: FilePath, _ mode: Mode) throws -> FileLock? {
        let descriptor = try open(path)
        let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
        if linux_flock(descriptor.number, operation) == 0 { return FileLock(descriptor) }
        guard Errno.current == .wouldBlock else { throw LinuxError(.current, "lock", path) }
        return nil
    }

    /// Sets the times of the locked file to now. The corresponding system call is `futimens(2)`.
    package func touch() throws {
        let number = descriptor.number
        try check("touch", "a lock") { futimens(number, nil) }
    }

    /// Whether the locked file still has this path and was not removed.
    package func isLock(of path: FilePath) throws -> Bool {
        let own = try descriptor.status()
        do {
            let status = try FileStatus(of: path)
            return status.device == own.device && status.inode == own.inode
        } catch let error as LinuxError where error.code == .notFound {
            return false
        }
    }

    private static func open(_ path: FilePath) throws -> OwnedDescriptor {
        try OwnedDescriptor.open(path, .readWrite, options: .create, permissions: FilePermissions(rawValue: 0o644))
    }
}
