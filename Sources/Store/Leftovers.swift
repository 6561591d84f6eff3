import Diagnostics
import Dispatch
import Linux
import SQLite
import Synchronization
import SystemPackage

/// Names of things in the making, which tell their owner, and the sweep of those whose owner is dead.
///
/// An owner is alive when `/proc` has it, or when somebody holds its lock file: the first is not enough where two
/// containers with process numbers of their own share a store.
struct Leftovers {
    let root: FilePath

    /// A process that has begun again, to enter a user namespace, may have used the first numbers before.
    private static let counter = Atomic<Int>(UserNamespace.isEntered ? 1 << 24 : 0)

    /// A name that no other thread or process uses, `<pid>-<start time>-<n>`.
    static func newName() -> String {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(ProcessIdentity.current)-\(number)"
    }

    /// Takes over what dead processes left, by renaming it, so that it can be deleted without anybody waiting.
    ///
    /// Call with `db.lock` held.
    func claim(from queue: SQLiteDatabase) throws -> Trash {
        let directory = try Directory(opening: root)
        try CacheMountStore.recoverMovedDirectories(in: root)
        var trash = Trash(root: root)
        var known: [ProcessIdentity: Bool] = [:]
        func isDead(_ owner: ProcessIdentity) -> Bool {
            if let dead = known[owner] { return dead }
            let dead = self.isDead(owner)
            known[owner] = dead
            return dead
        }
        for folder in ["tmp", "snapshots"] {
            for name in try directory.directory(PathBytes(folder)).names() {
                guard let owner = Self.owner(of: name), isDead(owner) else { continue }
                let path = PathBytes(folder).appending(name)
                // An empty file is deleted as fast as it is renamed, and so nothing is left when this process ends soon.
                if Self.isLock(name) {
                    try directory.unlinkIfExists(path)
                } else {
                    try trash.take(path, from: directory)
                }
            }
        }
        try claimSnapshotsWithoutRow(from: queue, directory, into: &trash)
        return trash
    }

    /// A numbered snapshot gets its name inside the transaction that makes its row: so one that has none, while we have
    /// the write lock, never will.
    private func claimSnapshotsWithoutRow(
        from queue: SQLiteDatabase, _ directory: borrowing Directory, into trash: inout Trash
    ) throws {
        func strays() throws -> Set<Int64> {
            Set(try directory.directory("snapshots").names().compactMap { Int64($0.text) })
        }
        func numbers(_ db: SQLiteConnection) throws -> Set<Int64> {
            Set(try db.rows("SELECT number FROM snapshots").map { try $0[0] })
        }
        let found = try strays()
        guard try !found.isSubset(of: queue.read(numbers)) else { return }
        var taken = trash
        try queue.write { db in
            for number in try strays().subtracting(numbers(db)) {
                try taken.take(PathBytes("snapshots/\(number)"), from: directory)
            }
        }
        trash = taken
    }

    /// Whether a process has ended, so that what bears its name can be removed.
    func isDead(_ owner: ProcessIdentity) -> Bool { !owner.isAlive && isUnlocked(owner) }

    private func isUnlocked(_ owner: ProcessIdentity) -> Bool {
        let path = root.appending("tmp/\(owner).lock")
        // Attempting would create the file; what cannot be opened is not known to be dead.
        do {
            _ = try OwnedDescriptor.open(path)
            return try FileLock.attempt(path, .exclusive) != nil
        } catch {
            return (error as? LinuxError)?.code == .notFound
        }
    }

    private static func isLock(_ name: PathBytes) -> Bool { name.text.hasSuffix(".lock") }

    /// `<pid>-<start time>-<n>` or `<pid>-<start time>.lock`.
    private static func owner(of name: PathBytes) -> ProcessIdentity? {
        let text = name.text
        if isLock(name) { return ProcessIdentity(text.dropLast(5)) }
        return text.lastIndex(of: "-").flatMap { ProcessIdentity(text[..<$0]) }
    }
}

/// Things that were renamed into `tmp` under a name of this process, to be deleted: if the process is killed before
/// that, they are leftovers like any other.
struct Trash: Sendable {
    let root: FilePath
    private var names: [PathBytes] = []

    init(root: FilePath) { self.root = root }

    /// Moves a name of the root directory into the trash, at once whatever its size; one that is gone already is none.
    mutating func take(_ name: PathBytes, from directory: borrowing Directory) throws {
        let target = PathBytes("tmp/\(Leftovers.newName())")
        do {
            try directory.rename(name, to: target, in: directory)
            names.append(target)
        } catch let error as LinuxError where error.code == .notFound {
            return
        }
    }

    /// Deletes what was taken. What cannot be deleted, or not until `deadline`, stays: the next sweep tries again.
    ///
    /// - Returns: the sizes of the deleted files, in bytes.
    @discardableResult
    func remove(until deadline: ContinuousClock.Instant? = nil) -> Int64 {
        guard !names.isEmpty, let directory = try? Directory(opening: root) else { return 0 }
        var size = TreeSize()
        for name in names {
            if let deadline, .now > deadline { break }
            size.add(name, in: directory)
            try? directory.removeTree(name, changingModes: true)
        }
        return size.bytes
    }

    /// Moves a name of a root directory out of sight and deletes it.
    static func remove(_ name: PathBytes, of root: FilePath) {
        guard let directory = try? Directory(opening: root) else { return }
        var trash = Trash(root: root)
        do { try trash.take(name, from: directory) } catch {
            // On a full disk even a rename can fail.
            try? directory.removeTree(name, changingModes: true)
        }
        trash.remove()
    }

    /// As ``remove()``, but in the background, as work of `group`.
    func remove(in group: DispatchGroup) {
        guard !names.isEmpty else { return }
        DispatchQueue(label: "store.trash", qos: .utility).async(group: group) { remove() }
    }
}
