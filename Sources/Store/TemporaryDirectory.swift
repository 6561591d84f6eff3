import Linux
package import SystemPackage

extension StoreRoot {
    /// A directory on the store's file system for as long as it is held: removed with all in it when it is dropped,
    /// and by the next process when this one is killed.
    package func temporaryDirectory() throws -> TemporaryDirectory {
        try TemporaryDirectory(in: self)
    }
}

/// See ``StoreRoot/temporaryDirectory()``.
package final class TemporaryDirectory: Sendable {
    private let root: FilePath
    private let name: PathBytes

    fileprivate init(in store: StoreRoot) throws {
        root = store.path
        name = PathBytes("tmp/\(Leftovers.newName())")
        // Opening the database claims the names of this process: what it makes is not taken for a dead one's.
        _ = try store.database()
        let name = name
        try store.explaining { try store.openDirectory().makeDirectory(name, permissions: 0o700) }
    }

    deinit { remove() }

    /// Removes the directory before it is dropped: at the end of a process nobody waits for the last reference to go.
    package func remove() {
        guard let directory = try? Directory(opening: root) else { return }
        var trash = Trash(root: root)
        try? trash.take(name, from: directory)
        trash.remove()
    }

    package var path: FilePath { root.appending(name.text) }
}
