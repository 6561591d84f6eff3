import Diagnostics
package import Linux
package import OCI
import SQLite
package import SystemPackage

/// The blobs of the store, each under its digest. A blob never changes.
package struct ContentStore: Sendable {
    package let root: StoreRoot

    /// Whether the blob is here, whole.
    package func contains(_ digest: Digest) throws -> Bool { try size(of: digest) != nil }

    /// The size of a blob in bytes; `nil` when it is not here.
    package func size(of digest: Digest) throws -> Int64? {
        guard let size = try root.read({ try $0.blobSize(digest) }) else { return nil }
        return try root.hasFile(Self.name(digest), size: size) ? size : nil
    }

    /// Opens a blob for reading; `nil` when it is not here.
    package func open(_ digest: Digest) throws -> OwnedDescriptor? {
        guard let size = try root.read({ try $0.blobSize(digest) }) else { return nil }
        do {
            let file = try OwnedDescriptor.open(path(of: digest))
            guard try file.status().size == size else { return nil }
            return file
        } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    /// A whole blob, for those that are read at once; `nil` when it is not here.
    ///
    /// - Throws: ``StoreError`` `.sizeMismatch` when the blob is larger than `limit` bytes.
    package func bytes(of digest: Digest, limit: Int = 64 << 20) throws -> [UInt8]? {
        guard let size = try size(of: digest) else { return nil }
        guard size <= limit else {
            throw StoreError(.sizeMismatch, "the blob \(digest) has \(size) bytes, more than \(limit)")
        }
        guard let file = try open(digest) else { return nil }
        return try file.readAll(limit: limit)
    }

    /// The path of a blob, if it is here.
    package func path(of digest: Digest) -> FilePath { root.path.appending(Self.name(digest).text) }

    /// Begins a blob. Nothing is visible before it is committed.
    ///
    /// `size` is that of the blob in bytes as far as it is known. Throws ``StoreError`` `.noSpace` when there is no room.
    package func begin(expecting size: Int64 = 0) throws -> Ingest {
        _ = try root.database()
        let root = root
        return try root.explaining { try Ingest(file: try TemporaryFile(root), expecting: size) }
    }

    /// Stores a blob that is in memory.
    package func save(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        if try contains(digest) { return digest }
        var ingest = try begin()
        try ingest.write(bytes.span)
        return try ingest.commit(expecting: digest).digest
    }

    /// Removes a blob even if something needs it. Ignores a blob that is not here.
    package func remove(_ digest: Digest) throws {
        try root.writeFreeingSpace { transaction in
            guard try transaction.execute("DELETE FROM blobs WHERE digest = ?", [digest.description]) > 0 else {
                return
            }
            try root.openDirectory().unlinkIfExists(Self.name(digest))
        }
    }

    /// All blobs, in order of their digests.
    package func all() throws -> [(digest: Digest, size: Int64)] {
        try root.read { try $0.blobSizes() }.sorted { $0.key < $1.key }.map { (digest: $0.key, size: $0.value) }
    }

    /// The file of a blob, relative to the root.
    static func name(_ digest: Digest) -> PathBytes { PathBytes("blobs/sha256/\(digest.hex)") }
}

extension StoreRoot {
    /// Whether a regular file of this size is there.
    func hasFile(_ name: PathBytes, size: Int64) throws -> Bool {
        guard let status = try openDirectory().statusIfExists(name) else { return false }
        return status.type == .regular && status.size == size
    }
}

extension Directory {
    func unlinkIfExists(_ name: PathBytes) throws {
        do { try unlink(name) } catch let error as LinuxError where error.code == .notFound { return }
    }
}

extension Transaction {
    func blobSize(_ digest: Digest) throws -> Int64? {
        try row("SELECT size FROM blobs WHERE digest = ?", [digest.description])?[0]
    }

    func blobSizes() throws -> [Digest: Int64] {
        var sizes: [Digest: Int64] = [:]
        for row in try rows("SELECT digest, size FROM blobs") {
            sizes[try Digest(parsing: row[0] as String)] = try row[1]
        }
        return sizes
    }
}
