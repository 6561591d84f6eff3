import Diagnostics
import Glibc
import Linux
package import OCI
import SQLite
import SystemPackage

/// A blob being written. Dropped without a commit, it leaves nothing.
package struct Ingest: ~Copyable {
    private var file: TemporaryFile
    private var hasher: DigestHasher?
    private var size: Int64 = 0
    private var space = SpaceGuard()

    /// `expected` is the size of the blob in bytes as far as it is known, for which there must be room.
    init(file: consuming TemporaryFile, expecting expected: Int64) throws {
        // What is small is found out by writing it.
        if expected > 1 << 20 { try SpaceGuard.require(expected, on: file.content.descriptor.raw) }
        self.file = file
    }

    /// Appends bytes.
    package mutating func write(_ bytes: Span<UInt8>) throws {
        do {
            try space.spend(Int64(bytes.count), on: file.content.descriptor.raw)
            try file.content.descriptor.write(bytes)
        } catch {
            throw StoreError.explaining(error, root: file.root.path)
        }
        if hasher == nil { hasher = DigestHasher() }
        hasher?.update(bytes)
        size += Int64(bytes.count)
    }

    /// Takes the bytes of a writer that computes the digest on its own and ends with ``commit(as:size:)``.
    package var sink: (Span<UInt8>) throws -> Void {
        let (content, root) = (file.content, file.root)
        var space = SpaceGuard()
        return { bytes in
            try root.explaining {
                try space.spend(Int64(bytes.count), on: content.descriptor.raw)
                try content.descriptor.write(bytes)
            }
        }
    }

    /// Makes the blob visible, after all was given to ``write(_:)``.
    ///
    /// - Throws: ``StoreError`` `.digestMismatch` when it is not the blob that was expected.
    package consuming func commit(expecting: Digest? = nil) throws -> (digest: Digest, size: Int64) {
        try commit { digest in
            guard let expecting, expecting != digest else { return }
            throw StoreError(
                .digestMismatch, "the content has the digest \(digest), not \(expecting)",
                hint: "Try again; if it stays so, whoever serves it has changed or damaged it.")
        }
    }

    /// Makes the blob visible, after all was given to ``write(_:)``, unless `check` throws at its digest.
    package consuming func commit(checking check: (Digest) throws -> Void) throws -> (digest: Digest, size: Int64) {
        let size = size
        let hasher = hasher ?? DigestHasher()
        let digest = hasher.finish()
        try check(digest)
        try file.publish(as: digest, size: size)
        return (digest, size)
    }

    /// Makes a blob visible that was written to ``sink`` by code of this process that has computed its digest.
    ///
    /// - Throws: ``StoreError`` `.sizeMismatch` when the file has another size.
    package consuming func commit(as digest: Digest, size: Int64) throws {
        let actual = try file.content.descriptor.status().size
        guard actual == size else {
            throw StoreError(.sizeMismatch, "the blob \(digest) has \(actual) bytes, not \(size)")
        }
        try file.publish(as: digest, size: size)
    }
}

/// A file, in `tmp` if nothing else is said, that is deleted unless it gets a final name.
struct TemporaryFile: ~Copyable, Sendable {
    let root: StoreRoot
    let content: SharedDescriptor
    private let name: PathBytes
    private var isMoved = false

    init(_ root: StoreRoot) throws { try self.init(root, name: PathBytes("tmp/\(Leftovers.newName())")) }

    /// A file elsewhere than in `tmp`, which the sweep does not find.
    init(_ root: StoreRoot, name: PathBytes) throws {
        content = SharedDescriptor(try root.openDirectory().open(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600))
        self.root = root
        self.name = name
    }

    deinit {
        if !isMoved { try? root.openDirectory().unlink(name) }
    }

    /// Gives the file its final name, relative to the root. Call inside the transaction that adds the row.
    mutating func move(to target: PathBytes) throws {
        let directory = try root.openDirectory()
        try directory.setPermissions(name, 0o444)
        try directory.rename(name, to: target, in: directory)
        isMoved = true
    }

    /// Makes the file a blob. If the blob is there already, that one stays.
    mutating func publish(as digest: Digest, size: Int64) throws {
        let target = ContentStore.name(digest)
        do {
            try root.write { transaction in
                if try transaction.blobSize(digest) == size, try root.hasFile(target, size: size) { return }
                try transaction.execute(
                    "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", [digest.description, size, transaction.stamp()])
                try move(to: target)
            }
        } catch {
            // The rename happened and the commit of the transaction failed, as on a full disk: give the space back,
            // unless another process has made the same blob meanwhile.
            let root = root
            if isMoved {
                try? root.write { transaction in
                    if try transaction.blobSize(digest) == nil { try root.openDirectory().unlinkIfExists(target) }
                }
            }
            throw error
        }
    }
}
