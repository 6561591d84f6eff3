import Diagnostics
import Glibc
import Linux
package import OCI
package import SystemPackage

/// The directories of `RUN --mount=type=cache`: they belong to no image and no cache record, and stay until they are
/// removed.
///
/// ```
/// cache-mounts/lock            held while a directory is chosen, made or removed
/// cache-mounts/<hex>/info      the name of the cache; the time of the file is that of the last use
/// cache-mounts/<hex>/<n>/fs    its files; there is more than one <n> where users wanted it for themselves
/// cache-mounts/<hex>/<n>/lock  locked as long as somebody uses them
/// cache-mounts/<hex>/<n>/lent  the path of `fs` below the root of the store, while it is in a command's chroot
/// ```
package struct CacheMountStore: Sendable {
    let root: StoreRoot

    /// How a cache is shared with those that use it at the same time, in this process or another.
    package enum Access: Hashable, Sendable {
        /// Shared by every command that asks for the same cache.
        case shared
        /// Exclusive; if busy, use another directory.
        case `private`
        /// Exclusive; if busy, wait.
        case locked
    }

    /// Takes a directory of the cache, until the lease is dropped.
    ///
    /// - Parameters:
    ///   - key: what tells the cache from others.
    ///   - name: what people know it by.
    ///   - access: how it is shared.
    ///   - prepare: puts into a new directory what it starts with, and gives it its mode and owner.
    /// - Returns: `nil` when the cache is in use and `access` is `.locked`: try again later.
    /// - Throws: ``StoreError``, and what `prepare` throws.
    package func acquire(
        _ key: Digest, named name: String, _ access: Access, prepare: (FilePath) throws -> Void
    ) throws -> CacheMountLease? {
        var prepared: TemporaryDirectory?
        while true {
            let choice = try root.explaining {
                try withTableLocked { try choose(key, named: name, access, new: prepared) }
            }
            switch choice {
            case .lease(let lease): return lease
            case .busy: return nil
            case .missing: break
            }
            // Without the lock: this may take as long as copying an image.
            let directory = try root.temporaryDirectory()
            try root.explaining {
                let opened = try Directory(opening: directory.path)
                try opened.makeDirectory("new", permissions: 0o700)
                try opened.makeDirectory("new/fs", permissions: 0o755)
            }
            try prepare(directory.path.appending("new/fs"))
            prepared = directory
        }
    }

    /// All caches in the order of their names.
    package func list() throws -> [StoredCacheMount] {
        try root.explaining {
            guard let caches = try openExisting() else { return [] }
            var mounts: [StoredCacheMount] = []
            for name in try caches.names() {
                guard let key = try? Digest(parsing: "sha256:\(name.text)"),
                    let info = try caches.statusIfExists(name.appending("info"))
                else { continue }
                let text = try caches.open(name.appending("info")).readAll(limit: 1 << 20)
                mounts.append(
                    StoredCacheMount(
                        key: key, name: String(decoding: text, as: UTF8.self),
                        bytes: TreeSize(of: name, in: caches).bytes - info.size,
                        createdAt: try created(key, in: caches) ?? Timestamp(info.modified),
                        lastUsed: Timestamp(info.modified),
                        // Who may not look does not know.
                        isInUse: (try? isInUse(key)) ?? true))
            }
            return mounts.sorted { ($0.name, $0.key.hex) < ($1.name, $1.key.hex) }
        }
    }

    /// Takes the table's lock first: else a build that wants a directory would meet our lock and make another one.
    private func isInUse(_ key: Digest) throws -> Bool {
        try withTableLocked {
            for number in try numbers(of: key, in: openCaches()) where try attempt(key, number, .exclusive) == nil {
                return true
            }
            return false
        }
    }

    /// The lock of a directory is not touched after it was made.
    private func created(_ key: Digest, in caches: borrowing Directory) throws -> Timestamp? {
        let number = try numbers(of: key, in: caches).first
        return try number.flatMap { number in
            try caches.directory(PathBytes("\(key.hex)/\(number)")).statusIfExists("lock").map {
                Timestamp($0.modified)
            }
        }
    }

    /// Deletes a cache with all its directories.
    ///
    /// - Returns: whether it is gone; one that is in use stays.
    package func remove(_ key: Digest) throws -> Bool {
        let trash: Trash? = try root.explaining {
            try withTableLocked {
                var leases: [CacheMountLease] = []
                for number in try numbers(of: key, in: openCaches()) {
                    guard let lease = try attempt(key, number, .exclusive) else { return nil }
                    leases.append(lease)
                }
                var trash = Trash(root: root.path)
                // Whoever comes next finds no directory, as nobody looks without the lock.
                try withExtendedLifetime(leases) {
                    try trash.take(PathBytes(Self.folder).appending(PathBytes(key.hex)), from: root.openDirectory())
                }
                return trash
            }
        }
        trash?.remove()
        return trash != nil
    }
}

/// A directory of a cache, which is not removed until this is dropped. See ``CacheMountStore``.
package final class CacheMountLease: Sendable {
    package let path: FilePath
    private let lock: FileLock

    fileprivate init(path: FilePath, lock: consuming FileLock) {
        self.path = path
        self.lock = lock
    }
}

/// A cache as it is on disk.
package struct StoredCacheMount: Hashable, Sendable {
    package let key: Digest
    package let name: String
    package let bytes: Int64
    package let createdAt: Timestamp
    package let lastUsed: Timestamp
    /// Whether a command has it mounted now.
    package let isInUse: Bool
}

extension CacheMountStore {
    static let folder = "cache-mounts"

    /// Moves directories back that were in a chroot when their builder was killed, before its files are deleted.
    static func recoverMovedDirectories(in root: FilePath) throws {
        let store = try Directory(opening: root)
        let folder = PathBytes(Self.folder)
        for cache in try store.directory(folder).names() {
            let path = folder.appending(cache)
            guard try store.status(path).type == .directory else { continue }
            for number in try store.directory(path).names() where Int(number.text) != nil {
                let own = path.appending(number)
                let note = own.appending("lent")
                guard try store.statusIfExists(note) != nil,
                    let lock = try FileLock.attempt(root.appending(own.appending("lock").text), .exclusive)
                else { continue }
                let place = PathBytes(try store.open(note).readAll(limit: 1 << 16))
                // A process of that builder's command would be outside of its root once this directory is.
                let mayMove = ChrootProcesses.end(
                    around: root.appending(place.text), below: root, areDescendants: false)
                try Self.takeBack(from: place, to: own.appending("fs"), in: store, mayMove)
                try store.unlink(note)
                _ = consume lock
            }
        }
    }

    private static func takeBack(
        from place: PathBytes, to home: PathBytes, in store: borrowing Directory, _ mayMove: Bool
    ) throws {
        // Written before the directory was moved, or left after it was moved back.
        guard try store.statusIfExists(home) == nil else { return }
        do {
            let parent = try store.directory(place.parent, resolving: .noSymlinks)
            if mayMove { return try parent.rename(place.lastComponent, to: home, in: store) }
            let unfinished = home.parent.appending("copy")
            try store.directory(home.parent).removeTree(unfinished.lastComponent)
            try parent.copyTree(place.lastComponent, to: unfinished, in: store)
            try store.rename(unfinished, to: home, in: store)
        } catch let error as LinuxError where error.code == .notFound || error.errno == .tooManySymbolicLinkLevels {
            // The command has put it elsewhere: what was in it is lost with the rest of its files.
            try store.makeDirectory(home, permissions: 0o755)
        }
    }

    private enum Choice {
        case lease(CacheMountLease)
        case busy
        case missing
    }

    private var path: FilePath { root.path.appending(Self.folder) }

    private func withTableLocked<Value>(_ body: () throws -> Value) throws -> Value {
        let lock = try FileLock(path.appending("lock"), .exclusive)
        let result = Result { try body() }
        _ = consume lock
        return try result.get()
    }

    private func openCaches() throws -> Directory { try Directory(opening: path) }

    private func openExisting() throws -> Directory? {
        do { return try openCaches() } catch let error as LinuxError where error.code == .notFound { return nil }
    }

    /// Finds a directory that is free, else puts the prepared one in place. Call with the table locked.
    private func choose(
        _ key: Digest, named name: String, _ access: Access, new: TemporaryDirectory?
    ) throws -> Choice {
        let caches = try openCaches()
        let cache = PathBytes(key.hex)
        let numbers = try numbers(of: key, in: caches)
        let mode: FileLock.Mode = access == .shared ? .shared : .exclusive
        for number in numbers {
            guard let lease = try attempt(key, number, mode) else { continue }
            try caches.directory(cache).setModified("info", FileTime.now)
            return .lease(lease)
        }
        if access == .locked, !numbers.isEmpty { return .busy }
        guard let new else { return .missing }
        if try caches.statusIfExists(cache) == nil { try caches.makeDirectory(cache, permissions: 0o700) }
        let own = try caches.directory(cache)
        let number = (numbers.last ?? -1) + 1
        try own.open("info", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600).write(Array(name.utf8).span)
        try Directory(opening: new.path).rename("new", to: PathBytes("\(number)"), in: own)
        return try attempt(key, number, mode).map { .lease($0) } ?? .busy
    }

    private func numbers(of key: Digest, in caches: borrowing Directory) throws -> [Int] {
        guard try caches.statusIfExists(PathBytes(key.hex)) != nil else { return [] }
        return try caches.directory(PathBytes(key.hex)).names().compactMap { Int($0.text) }.sorted()
    }

    private func attempt(_ key: Digest, _ number: Int, _ mode: FileLock.Mode) throws -> CacheMountLease? {
        let directory = path.appending(key.hex).appending("\(number)")
        guard let lock = try FileLock.attempt(directory.appending("lock"), mode) else { return nil }
        return CacheMountLease(path: directory.appending("fs"), lock: lock)
    }
}
