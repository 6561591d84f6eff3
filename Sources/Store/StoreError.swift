package import Diagnostics
import Linux
import SQLite
import SystemPackage

/// The kinds of failure of a store.
package enum StoreCode: String, FailureCode {
    case notWritable = "store.not-writable"
    case noSpace = "store.no-space"
    /// The database was made by another version of this program.
    case olderSchema = "store.older-schema"
    case newerSchema = "store.newer-schema"
    case corrupt = "store.corrupt"
    /// Another process holds the database's lock for longer than the time-out.
    case busy = "store.busy"
    case notFound = "store.not-found"
    case digestMismatch = "store.digest-mismatch"
    case sizeMismatch = "store.size-mismatch"
    case ambiguous = "store.ambiguous"
    case failed = "store.failed"
}

package typealias StoreError = Failure<StoreCode>

extension Failure<StoreCode> {
    /// Translates a failure of the file system or the database into terms of the store at `root`; returns others unchanged.
    static func explaining(_ error: any Error, root: FilePath) -> any Error {
        switch error {
        case let error as LinuxError where error.code == .noSpace: noSpace(root, error)
        case let error as LinuxError where error.code == .permission: notWritable(root, error)
        case let error as SQLiteError: explaining(error, root: root)
        default: error
        }
    }

    private static func explaining(_ error: SQLiteError, root: FilePath) -> StoreError {
        switch error.kind {
        case .full: noSpace(root, error)
        case .inputOutput where error.lacksSharedMemory: noSpace(root, error)
        case .corrupt, .notADatabase:
            StoreError(
                .corrupt, "the database of the store '\(root)' is corrupt",
                hint: "Remove the directory; what was in it must be built or pulled again.", cause: error)
        case .busy, .locked:
            StoreError(
                .busy, "another process keeps the database of the store '\(root)' locked",
                hint: "Wait for it to end and try again.", cause: error)
        case .cannotOpen where isFull(root): noSpace(root, error)
        case .readOnly, .cannotOpen, .permission: notWritable(root, error)
        case .inputOutput, .other:
            StoreError(
                .failed,
                """
                the database of the store '\(root)' failed: \(error.message) (SQLite's code \(error.code))
                """, cause: error)
        }
    }

    /// Whether nothing can be made on the file system of the store, for want of bytes or of inodes.
    private static func isFull(_ root: FilePath) -> Bool {
        guard let space = try? FileSystemSpace(of: root) else { return false }
        return space.lacksInodes || space.available == 0
    }

    static func noSpace(_ root: FilePath, _ cause: any Error) -> StoreError {
        if let space = try? FileSystemSpace(of: root), space.lacksInodes {
            return StoreError(
                .noSpace, "no inodes are left on the file system of the store '\(root)'",
                hint: "Remove files there, e.g. images that are not needed.", cause: cause)
        }
        return StoreError(
            .noSpace, "no space is left on the file system of the store '\(root)'",
            hint: "Free some space there, e.g. by removing images that are not needed.", cause: cause)
    }

    static func notDirectory(_ root: FilePath) -> StoreError {
        StoreError(
            .notWritable, "the store '\(root)' is not a directory", hint: "Set LAMINA_ROOT to a directory.")
    }

    static func notWritable(_ root: FilePath, _ cause: any Error) -> StoreError {
        StoreError(
            .notWritable, "the store '\(root)' cannot be written to",
            hint: "Set LAMINA_ROOT to a directory that you own.", cause: cause)
    }
}
