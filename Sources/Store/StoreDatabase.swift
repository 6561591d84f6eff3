import Diagnostics
import Dispatch
import Glibc
import Linux
import SQLite
import SystemPackage

/// The open database of a store, and this process's claim to the names it gives to files in the making.
///
/// Opened for writing, it has been swept of what dead processes left and of what another boot did not sync.
final class StoreDatabase: Sendable {
    let queue: SQLiteDatabase
    /// Shared as long as this process runs; see ``Leftovers``.
    private let owner: FileLock?
    /// The deleting of what dead processes left, in the background.
    let sweep = DispatchGroup()

    /// The database's shared-memory file is mapped, and may have holes where blocks are smaller than pages.
    private static let endsOnFullDisk: Void = BusError.endProgram(
        with: """
            ERROR: no space is left on the file system of the store
            hint: Free some space there, e.g. by removing files that are not needed.

            """)

    init(_ root: FilePath, _ mode: StoreRoot.Mode, bootID: String) throws {
        Self.endsOnFullDisk
        switch mode {
        case .readOnly:
            owner = nil
            queue = try Self.openForReading(root, bootID: bootID)
        case .readWrite:
            // One process at a time: to switch on the write-ahead log and to create tables needs that, and so does the
            // sweep, lest it meets an owner that has made its lock file but has not locked it yet.
            let opening = try FileLock(root.appending("db.lock"), .exclusive)
            owner = try FileLock(root.appending("tmp/\(ProcessIdentity.current).lock"), .shared)
            queue = try Self.openForWriting(root, bootID: bootID)
            // What cannot be swept is in nobody's way: it must not keep the store from being opened.
            let trash = try? Leftovers(root: root).claim(from: queue)
            _ = consume opening
            trash?.remove(in: sweep)
        }
    }

    private static func openForWriting(_ root: FilePath, bootID: String) throws -> SQLiteDatabase {
        try makePrivate(root)
        let queue = try SQLiteDatabase(path: root.appending("db.sqlite").string)
        // After a kill the whole log is read again: it is kept small, at 200 pages of 4 KiB.
        try queue.withoutTransaction {
            try $0.executeScript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 200")
        }
        let version = try checkedVersion(queue, root)
        let isOfBoot = try queue.read { try version > 0 && Transaction(db: $0).isOfBoot(bootID) }
        if version != StoreSchema.version || !isOfBoot {
            try queue.write { db in
                if version == 0 { try StoreSchema.create(db) }
                if !isOfBoot { try Transaction(db: db).beginBoot(bootID) }
                try migrate(Transaction(db: db), from: version, root, writesFiles: true)
            }
        }
        return queue
    }

    /// Keeps the database and the files that SQLite makes beside it, which take its mode, from other users: names,
    /// arguments and steps of builds are in them.
    ///
    /// An existing file is not opened; see ``exists(_:_:)``.
    private static func makePrivate(_ root: FilePath) throws {
        let directory = try Directory(opening: root)
        for name in ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm"] as [PathBytes] {
            if let status = try directory.statusIfExists(name) {
                // Another user's store may be written to with root's rights or a group's, but not be changed in mode.
                if status.permissions != 0o600 { try? directory.setPermissions(name, 0o600) }
            } else if name == "db.sqlite" {
                _ = try directory.open(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            }
        }
    }

    /// Throws ``StoreError`` `.failed` when it cannot be told: a store that must not be read is not an empty one.
    ///
    /// The file is not opened: SQLite's locks are those of `fcntl(2)`, of which a process loses all that it has on a file
    /// when it closes any descriptor of that file. Others would then take the log of an open database away.
    private static func exists(_ path: FilePath, _ root: FilePath) throws -> Bool {
        do {
            _ = try FileStatus(of: path)
            return true
        } catch let error as LinuxError where error.errno == .notDirectory {
            throw StoreError.notDirectory(root)
        } catch let error as LinuxError where error.code == .notFound {
            return false
        } catch let error as LinuxError where error.code == .permission {
            throw StoreError(
                .failed, "the store '\(root)' cannot be read: permission denied",
                hint: "Run as the user who owns it, or set LAMINA_ROOT to another directory.", cause: error)
        }
    }

    private static func openForReading(_ root: FilePath, bootID: String) throws -> SQLiteDatabase {
        let path = root.appending("db.sqlite")
        guard try exists(path, root) else {
            let empty = try SQLiteDatabase()
            try empty.write { try StoreSchema.create($0) }
            return empty
        }
        let queue = try SQLiteDatabase(path: path.string, readOnly: true)
        let version = try checkedVersion(queue, root)
        guard version > 0 else {
            throw StoreError(.busy, "the store '\(root)' is just being made", hint: "Try again.")
        }
        let isOfBoot = try queue.read { try Transaction(db: $0).isOfBoot(bootID) }
        if isOfBoot, version == StoreSchema.version { return queue }
        // A store opened for reading is not changed. Rows that another boot did not sync are dropped from a copy, and
        // an older schema is migrated in a copy.
        let copy = try SQLiteDatabase()
        try queue.copy(to: copy)
        try copy.write { db in
            if !isOfBoot { try Transaction(db: db).beginBoot(bootID) }
            try migrate(Transaction(db: db), from: version, root, writesFiles: false)
        }
        return copy
    }

    private static func migrate(
        _ transaction: Transaction, from version: Int, _ root: FilePath, writesFiles: Bool
    ) throws {
        if version == 3 { try StoreMigration(root: root, writesFiles: writesFiles).run(transaction) }
        if version == 3 || version == 4 { try StackMigration().run(transaction) }
    }

    private static func checkedVersion(_ queue: SQLiteDatabase, _ root: FilePath) throws -> Int {
        let version = try queue.read { try $0.row("PRAGMA user_version")?[0] ?? 0 }
        guard version <= StoreSchema.version else {
            throw StoreError(
                .newerSchema, "the store '\(root)' was made by a newer version of lamina",
                hint: "Use that version, or another directory as LAMINA_ROOT.")
        }
        guard version == 0 || version >= StoreSchema.oldestVersion else {
            throw StoreError(
                .olderSchema, "the store '\(root)' was made by an older version of lamina, whose layout is not read",
                hint: "Remove it, or move it away, or use another directory as LAMINA_ROOT.")
        }
        return version
    }
}
