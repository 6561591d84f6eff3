import Diagnostics
import Glibc
import Linux
import SQLite
import Synchronization
package import SystemPackage

/// The directory that holds everything: blobs, layers, snapshots, and the database that says what they are.
///
/// ```
/// db.sqlite                  what exists: only what has a row here does
/// blobs/sha256/<hex>         blobs, mode 0444
/// layers/<aa>/<hex>.files    the file list of the layer with this DiffID
/// snapshots/<n>/fs           the files of one layer, unpacked
/// snapshots/<owner>-<n>/     a snapshot being made: fs and work
/// tmp/<owner>-<n>            anything else being made or being deleted
/// tmp/<owner>.lock           locked as long as the owner runs
/// contexts/                  the caller's own caches of file digests
/// builds/logs/<id>           the log of a build, see ``BuildIndex``
/// builds/running/<id>.<owner>  the log of a build that has not ended, see ``UnfinishedBuild``
/// builds/files/<hex>         a list of files that went into a key
/// cache-mounts/              the directories of cache mounts, see ``CacheMountStore``
/// containers/<id>/           a container; `uses` says what it needs, see ``ContainerUse``
/// claims/<hex>               locked by the build that makes what has this key, see ``StepClaims``
/// lock                       shared by the processes that use the store, exclusive for the collector
/// collect                    there when something was removed that a lease still held
/// collected                  when the store was cleaned up last, see ``CollectionMark``
/// damaged/<n>                a snapshot that was taken out of use because it was changed
/// db.lock                    held while the database is opened
/// reserve                    space that is given up on a full disk, so that something can be removed
/// ```
///
/// **Many processes.** Any number may share a root. Files and directories are made under a name that tells their
/// owner (``Linux/ProcessIdentity``) and appear by `rename(2)` inside the database transaction that adds their row, so
/// the holder of the database's write lock sees files and rows agree. A process that is killed leaves files without
/// rows: those are invisible, and swept by the next process that opens the store for writing.
///
/// **Power loss.** Nothing is synced step by step: a build would spend its time there, and a killed process loses
/// nothing anyway, since the page cache survives it. Instead every row is stamped with the current *generation*.
/// ``synchronize()`` ends the generation, flushes the file system once, and then notes the generation as durable; the
/// log of the database is flushed with the rest, and its records survive a power loss as a prefix. The first process
/// that opens the database after a restart (another boot id of the kernel) drops all rows of generations that are not
/// durable: their files may be torn. Images and names are written only after a ``synchronize()``, so a name never
/// refers to anything that could be dropped.
package final class StoreRoot: Sendable {
    package enum Mode: Sendable {
        case readWrite
        /// Creates and changes nothing; a store that is not there reads as an empty one.
        case readOnly
    }

    package let path: FilePath
    package let mode: Mode
    private let bootID: String
    private let opened = Mutex<StoreDatabase?>(nil)
    let stacks = StackTable()

    /// Opens the store in a directory, which is created with mode 0700 when it is missing.
    ///
    /// - Parameters:
    ///   - path: an absolute path.
    ///   - mode: whether the store may be changed.
    ///   - bootID: what tells one run of the kernel from the next; by default the kernel's own.
    /// - Throws: ``StoreError`` `.notWritable` or `.noSpace`. The database is opened, and can fail, at its first use.
    package init(at path: FilePath, mode: Mode = .readWrite, bootID: String? = nil) throws {
        self.path = path
        self.mode = mode
        self.bootID = bootID ?? Self.kernelBootID()
        guard mode == .readWrite else { return }
        try explaining { try createLayout() }
    }

    /// The root where the user names none: `LAMINA_ROOT`, `/var/lib/lamina` for root, else `lamina` in the user's data
    /// directory (`XDG_DATA_HOME` or `~/.local/share`).
    ///
    /// - Throws: ``StoreError`` `.notFound` when no variable says where that is.
    package static func defaultRoot(environment: [String: String], isRoot: Bool) throws -> FilePath {
        func variable(_ name: String) -> FilePath? {
            environment[name].flatMap { $0.isEmpty ? nil : FilePath($0) }
        }
        if let root = variable("LAMINA_ROOT") { return root }
        if isRoot { return "/var/lib/lamina" }
        // The XDG base directory specification has relative paths ignored.
        if let data = variable("XDG_DATA_HOME"), data.isAbsolute { return data.appending("lamina") }
        if let home = variable("HOME") { return home.appending(".local/share/lamina") }
        throw StoreError(
            .notFound, "there is no home directory to keep the store in", hint: "Set LAMINA_ROOT to a directory.")
    }

    /// The caller's own caches of file digests.
    package var contexts: FilePath { path.appending("contexts") }

    package var content: ContentStore { ContentStore(root: self) }
    package var layers: LayerIndex { LayerIndex(root: self) }
    package var snapshots: SnapshotStore { SnapshotStore(root: self) }
    package var cache: CacheIndex { CacheIndex(root: self) }
    package var images: ImageIndex { ImageIndex(root: self) }
    package var cacheMounts: CacheMountStore { CacheMountStore(root: self) }
    package var builds: BuildIndex { BuildIndex(root: self) }
    package var collector: GarbageCollector { GarbageCollector(root: self) }
    package var pruner: Pruner { Pruner(root: self) }
    package var claims: StepClaims { StepClaims(root: self) }

    /// Keeps the collector away until the lease is dropped; waits while it runs.
    ///
    /// Every process that writes to the store or relies on its contents needs one: new data has no name yet.
    package func lease() throws -> StoreLease {
        try explaining { StoreLease(lock: try FileLock(lockPath, .shared)) }
    }

    /// Makes durable all that was written, by any process, before the call; see the type for how. Does nothing when
    /// nothing was written since the last time.
    package func synchronize() throws {
        guard let generation = try write({ try $0.endGeneration() }) else { return }
        try explaining { try OwnedDescriptor.open(path, options: .directory).synchronizeFileSystem() }
        try write { try $0.markDurable(generation) }
    }

    /// Whether something waits for the collector that could not run because of a lease.
    var isCollectionDue: Bool {
        get { (try? openDirectory().statusIfExists("collect")) != nil }
        set {
            // Lost, this only lets what is unneeded wait for the next occasion.
            if newValue {
                _ = try? openDirectory().open("collect", O_WRONLY | O_CREAT, mode: 0o600)
            } else {
                try? openDirectory().unlinkIfExists("collect")
            }
        }
    }

    /// Keeps leases away; `nil` when there is one.
    func attemptExclusive() throws -> FileLock? {
        try explaining { try FileLock.attempt(lockPath, .exclusive) }
    }

    private var lockPath: FilePath { path.appending("lock") }

    private static func kernelBootID() -> String {
        // Where the kernel has no such file, as in some sandboxes, restarts go unnoticed.
        guard let file = try? OwnedDescriptor.open("/proc/sys/kernel/random/boot_id"),
            let content = try? file.readAll(limit: 256)
        else { return "unknown" }
        return String(decoding: content.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private func createLayout() throws {
        try Self.createDirectories(path)
        let directory = try openDirectory()
        // Of the first of these that fails, the error tells whether the root can be written to.
        for name in [
            "blobs", "blobs/sha256", "layers", "snapshots", "tmp", "contexts", StepClaims.folder,
            CacheMountStore.folder,
        ] {
            try Self.createDirectory(PathBytes(name), in: directory)
        }
        _ = try directory.open("lock", O_RDWR | O_CREAT, mode: 0o600)
        createReserve(in: directory)
    }

    /// Space for a full log of the database; a disk that is full already has none.
    private func createReserve(in directory: borrowing Directory) {
        guard let file = try? directory.open("reserve", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600) else { return }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        do { try file.write(zeros.span) } catch { try? directory.unlink("reserve") }
    }

    private static func createDirectories(_ path: FilePath) throws {
        if (try? Directory(opening: path)) != nil { return }
        let parent = path.removingLastComponent()
        guard let name = path.lastComponent, !parent.isEmpty else {
            throw StoreError(.failed, "'\(path)' is not an absolute path", hint: "Set LAMINA_ROOT to one.")
        }
        try createDirectories(parent)
        try createDirectory(PathBytes(name.string), in: try Directory(opening: parent))
    }

    static func createDirectory(_ name: PathBytes, in directory: borrowing Directory) throws {
        if let status = try directory.statusIfExists(name) {
            guard status.type != .directory, status.type != .symlink else { return }
            throw StoreError(
                .notWritable, "'\(name)' on the way to the store is not a directory",
                hint: "Set LAMINA_ROOT to a directory.")
        }
        do {
            try directory.makeDirectory(name, permissions: 0o700)
        } catch let error as LinuxError where error.code == .exists {
            // Another process was faster.
        }
    }
}

extension StoreRoot {
    /// The root directory. Names given to it are relative to the root.
    func openDirectory() throws -> Directory { try Directory(opening: path) }

    /// The database, opened at the first use.
    func database() throws -> StoreDatabase {
        try explaining {
            try opened.withLock { database in
                if let database { return database }
                let new = try freeingReserve { try StoreDatabase(path, mode, bootID: bootID) }
                database = new
                return new
            }
        }
    }

    /// Reads from the database, all from one state of it.
    func read<Value: Sendable>(_ body: (Transaction) throws -> Value) throws -> Value {
        let database = try database()
        return try explaining { try database.queue.read { try body(Transaction(db: $0)) } }
    }

    /// Changes the database, all or nothing, while no other process does.
    func write<Value: Sendable>(_ body: (Transaction) throws -> Value) throws -> Value {
        guard mode == .readWrite else {
            throw StoreError(.notWritable, "the store '\(path)' was opened for reading only")
        }
        let database = try database()
        return try explaining { try database.queue.write { try body(Transaction(db: $0)) } }
    }

    /// As ``write(_:)``, for what frees space: on a full disk it may use the reserve.
    func writeFreeingSpace<Value: Sendable>(_ body: (Transaction) throws -> Value) throws -> Value {
        try freeingReserve { try write(body) }
    }

    /// Runs `body`, and once more with the reserve given up if there was no space. The next process makes a new one.
    private func freeingReserve<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try explaining(body) } catch let error as StoreError where error.code == .noSpace {
            guard mode == .readWrite, (try? openDirectory().unlink("reserve")) != nil else { throw error }
            return try body()
        }
    }

    /// Runs `body` with errors put in terms of this store.
    func explaining<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw StoreError.explaining(error, root: path) }
    }
}

/// The promise that nothing in the store is collected; see ``StoreRoot/lease()``.
package struct StoreLease: ~Copyable, Sendable {
    private let lock: FileLock

    init(lock: consuming FileLock) { self.lock = lock }
}
