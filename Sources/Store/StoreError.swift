package import Diagnostics
import GRDB
import Linux
import SystemPackage

/// What can go wrong with the store.
package enum StoreCode: String, FailureCode {
    case notWritable = "store.not-writable"
    case noSpace = "store.no-space"
    /// The database was made by another version of this program.
    case olderSchema = "store.older-schema"
    case newerSchema = "store.newer-schema"
    case corrupt = "store.corrupt"
    /// Another process holds the database for longer than anyone waits.
    case busy = "store.busy"
    case notFound = "store.not-found"
    case digestMismatch = "store.digest-mismatch"
    case sizeMismatch = "store.size-mismatch"
    case ambiguous = "store.ambiguous"
    case failed = "store.failed"
}

package typealias StoreError = Failure<StoreCode>

extension Failure<StoreCode> {
    /// What a failure below the store means to whoever uses the store at `root`; any other error comes back as it is.
    static func explaining(_ error: any Error, root: FilePath) -> any Error {
        switch error {
        case let error as LinuxError where error.code == .noSpace: noSpace(root, error)
        case let error as LinuxError where error.code == .permission: notWritable(root, error)
        case let error as DatabaseError: explaining(error, root: root)
        default: error
        }
    }

    private static func explaining(_ error: DatabaseError, root: FilePath) -> StoreError {
        switch error.resultCode {
        case .SQLITE_FULL: noSpace(root, error)
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE: noSpace(root, error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            StoreError(
                .corrupt, "the database of the store '\(root)' is corrupt",
                hint: "Remove the directory; what was in it must be built or pulled again.", cause: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            StoreError(
                .busy, "another process keeps the database of the store '\(root)' locked",
                hint: "Wait for it to end and try again.", cause: error)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: notWritable(root, error)
        default:
            StoreError(
                .failed,
                """
                the database of the store '\(root)' failed: \(error.message ?? "unknown") \
                (SQLite's code \(error.extendedResultCode.rawValue))
                """, cause: error)
        }
    }

    static func noSpace(_ root: FilePath, _ cause: any Error) -> StoreError {
        StoreError(
            .noSpace, "no space is left on the file system of the store '\(root)'",
            hint: "Free some space there, e.g. by removing images that are not needed.", cause: cause)
    }

    static func notWritable(_ root: FilePath, _ cause: any Error) -> StoreError {
        StoreError(
            .notWritable, "the store '\(root)' cannot be written to",
            hint: "Set LAMINA_ROOT to a directory that you own.", cause: cause)
    }
}
