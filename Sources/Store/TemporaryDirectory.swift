import Dispatch
import Glibc
import Linux
import Synchronization
package import SystemPackage

extension StoreRoot {
    /// A directory on the store's file system for as long as it is held: removed with all in it when it is dropped,
    /// at the end of this process, or by the next process when this one is killed.
    package func temporaryDirectory() throws -> TemporaryDirectory { try TemporaryDirectory(in: self) }
}

/// See ``StoreRoot/temporaryDirectory()``.
package final class TemporaryDirectory: Sendable {
    /// The names of the directories of this process, with the store of each.
    private static let held = Mutex<[PathBytes: FilePath]>([:])
    private static let removals = DispatchGroup()
    /// The end of the process does not wait for the thread that drops the last reference, so it removes them itself.
    private static let removesAtExit: Void = {
        _ = atexit {
            for (name, root) in held.withLock({ $0 }) { remove(name, root) }
            removals.wait()
        }
    }()

    private let root: FilePath
    private let name: PathBytes

    fileprivate init(in store: StoreRoot) throws {
        Self.removesAtExit
        let name = PathBytes("tmp/\(Leftovers.newName())")
        (root, self.name) = (store.path, name)
        // Opening the database claims the names of this process: what it makes is not taken for a dead one's.
        _ = try store.database()
        try store.explaining { try store.openDirectory().makeDirectory(name, permissions: 0o700) }
        Self.held.withLock { $0[name] = store.path }
    }

    deinit { remove() }

    /// Removes the directory before it is dropped.
    package func remove() { Self.remove(name, root) }

    private static func remove(_ name: PathBytes, _ root: FilePath) {
        let isFirst = held.withLock { held in
            if held[name] != nil { removals.enter() }
            return held.removeValue(forKey: name) != nil
        }
        guard isFirst else { return }
        defer { removals.leave() }
        Trash.remove(name, of: root)
    }

    package var path: FilePath { root.appending(name.text) }
}
