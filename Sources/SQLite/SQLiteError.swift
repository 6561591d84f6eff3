import CSQLite

/// A failure that SQLite reports.
package struct SQLiteError: Error, CustomStringConvertible {
    /// The primary result codes that callers tell apart; see <https://www.sqlite.org/rescode.html>.
    package enum Kind: Hashable, Sendable {
        case full, inputOutput, corrupt, notADatabase, busy, locked, cannotOpen, readOnly, permission
        /// Any other code, and a value of another type than the one asked for.
        case other
    }

    /// SQLite's extended result code.
    package let code: Int32
    package let message: String

    package init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    package var kind: Kind {
        switch code & 0xff {
        case SQLITE_FULL: .full
        case SQLITE_IOERR: .inputOutput
        case SQLITE_CORRUPT: .corrupt
        case SQLITE_NOTADB: .notADatabase
        case SQLITE_BUSY: .busy
        case SQLITE_LOCKED: .locked
        case SQLITE_CANTOPEN: .cannotOpen
        case SQLITE_READONLY: .readOnly
        case SQLITE_PERM: .permission
        default: .other
        }
    }

    /// Whether the shared-memory file beside the database could not be made large enough: SQLITE_IOERR_SHMSIZE.
    package var lacksSharedMemory: Bool { code == SQLITE_IOERR | 19 << 8 }

    package var description: String { "SQLite: \(message) (code \(code))" }

    /// A failure of a database whose contents are not what this program writes.
    package static func corrupt(_ message: String) -> SQLiteError {
        SQLiteError(code: SQLITE_CORRUPT, message: message)
    }
}
