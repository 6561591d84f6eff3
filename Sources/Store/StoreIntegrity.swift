import Linux
package import OCI
import SQLite
package import SystemPackage

// What a check of the whole store needs, and nobody else: all rows as they are, and ways to take broken ones out.

extension StoreRoot {
    /// The defects that SQLite finds in its own file; empty when it is sound.
    package func databaseDefects() throws -> [String] {
        try read { try $0.rows("PRAGMA quick_check").map { try $0[0] as String } }.filter { $0 != "ok" }
    }

    /// Keeps everybody else from relying on the store, as the collector does; `nil` while somebody holds a lease.
    package func exclusiveLease() throws -> StoreLease? {
        guard let lock = try attemptExclusive() else { return nil }
        return StoreLease(lock: lock)
    }
}

extension LayerIndex {
    /// All layers, in order.
    package func all() throws -> [LayerRecord] {
        try root.read { transaction in
            try transaction.rows(
                "SELECT diff_id, content_size, file_count, tar_size FROM layers ORDER BY diff_id"
            ).map {
                LayerRecord(
                    diffID: try DiffID(parsing: $0[0] as String), contentSize: try $0[1], fileCount: try $0[2],
                    tarSize: try $0[3])
            }
        }
    }

    /// All blobs that are known to hold layers, here or not, in order of their digests.
    package func allBlobs() throws -> [(diffID: DiffID, blob: Descriptor)] {
        try root.read { transaction in
            try transaction.rows("SELECT diff_id, digest, media_type, size FROM layer_blobs ORDER BY digest").map {
                (
                    try DiffID(parsing: $0[0] as String),
                    Descriptor(
                        mediaType: MediaType(rawValue: try $0[2]), digest: try Digest(parsing: $0[1] as String),
                        size: try $0[3]
                    )
                )
            }
        }
    }

    /// Forgets what a layer holds.
    package func remove(_ diffID: DiffID) throws {
        _ = try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM layers WHERE diff_id = ?", [diffID.description])
            try root.openDirectory().unlinkIfExists(Self.fileListName(diffID))
        }
    }

    /// Forgets that a blob holds a layer.
    package func removeBlob(_ digest: Digest) throws {
        _ = try root.writeFreeingSpace {
            try $0.execute("DELETE FROM layer_blobs WHERE digest = ?", [digest.description])
        }
    }
}

extension SnapshotStore {
    /// All snapshots in the order in which they were made, whether their directories are there or not.
    package func all() throws -> [Snapshot] {
        try root.read { transaction in
            try transaction.rows("SELECT DISTINCT chain_id FROM snapshots")
                .flatMap { try transaction.snapshots(ChainID(parsing: $0[0] as String), root.path) }
                .sorted { $0.number < $1.number }
        }
    }

    /// Takes a snapshot out of use and keeps its files.
    ///
    /// - Returns: where they are now; `nil` when there were none.
    package func setAside(_ snapshot: Snapshot) throws -> FilePath? {
        try StoreRoot.createDirectory("damaged", in: try root.openDirectory())
        return try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM snapshots WHERE number = ?", [snapshot.number])
            let directory = try root.openDirectory()
            let (name, target) = ("snapshots/\(snapshot.number)", "damaged/\(snapshot.number)")
            guard try directory.statusIfExists(PathBytes(name)) != nil else { return nil }
            try directory.rename(PathBytes(name), to: PathBytes(target), in: directory)
            return root.path.appending(target)
        }
    }

    /// Removes a snapshot that can be made again.
    package func remove(_ snapshot: Snapshot) throws {
        var trash = Trash(root: root.path)
        try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM snapshots WHERE number = ?", [snapshot.number])
            try trash.take(PathBytes("snapshots/\(snapshot.number)"), from: root.openDirectory())
        }
        trash.remove()
    }
}

extension ImageIndex {
    /// Names that lead to no root.
    package func lostNames() throws -> [ImageReference] {
        try root.read { transaction in
            try transaction.rows(
                "SELECT reference FROM names WHERE root NOT IN (SELECT digest FROM roots) ORDER BY reference"
            ).map { try ImageReference(parsing: $0[0] as String) }
        }
    }
}
