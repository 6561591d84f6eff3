import Synchronization

/// A database that one thread of this process uses at a time, and several processes at once.
///
/// A transaction in the body of another on the same thread never begins: the body uses the connection it was given.
package final class SQLiteDatabase: @unchecked Sendable {
    // Sendable: `connection` is used only while `lock` is held, and the bodies that get it do not keep it.
    private let connection: SQLiteConnection
    private let lock = Mutex(())

    /// How long a process waits for the lock of another.
    private static let busyMilliseconds: Int32 = 30_000

    /// Opens the database in a file, which is made unless it is opened for reading only.
    ///
    /// - Throws: ``SQLiteError``.
    package init(path: String, readOnly: Bool = false) throws {
        connection = try SQLiteConnection(path: path, readOnly: readOnly, busyMilliseconds: Self.busyMilliseconds)
    }

    /// Opens an empty database in memory.
    ///
    /// - Throws: ``SQLiteError``.
    package init() throws {
        connection = try SQLiteConnection(path: nil, readOnly: false, busyMilliseconds: Self.busyMilliseconds)
    }

    /// Runs `body`, which only reads, on one state of the database.
    ///
    /// - Throws: ``SQLiteError``, and what `body` throws.
    package func read<Value: Sendable>(_ body: (SQLiteConnection) throws -> Value) throws -> Value {
        try lock.withLock { _ in try connection.transaction("BEGIN DEFERRED", body) }
    }

    /// Runs `body` while nobody else writes: all that it changes, or nothing.
    ///
    /// - Throws: ``SQLiteError``, and what `body` throws.
    package func write<Value: Sendable>(_ body: (SQLiteConnection) throws -> Value) throws -> Value {
        try lock.withLock { _ in try connection.transaction("BEGIN IMMEDIATE", body) }
    }

    /// Runs `body` outside of a transaction, e.g. for settings that must not be in one.
    ///
    /// - Throws: ``SQLiteError``, and what `body` throws.
    package func withoutTransaction<Value: Sendable>(_ body: (SQLiteConnection) throws -> Value) throws -> Value {
        try lock.withLock { _ in try body(connection) }
    }

    /// Copies the whole database into `other`, which loses what it had.
    ///
    /// - Throws: ``SQLiteError``.
    package func copy(to other: SQLiteDatabase) throws {
        try lock.withLock { _ in
            try other.lock.withLock { _ in try connection.copy(to: other.connection) }
        }
    }
}
