/// A source of blobs: a store, an archive, a registry.
package protocol BlobSource: Sendable {
    /// Opens a blob for reading from `offset` (bytes) on.
    func reader(for descriptor: Descriptor, from offset: Int64) throws -> any BlobReader
}

/// A blob being read, in order.
package protocol BlobReader: Sendable {
    /// Fills the front of `buffer` and returns how many bytes it wrote; 0 at the end.
    func read(into buffer: inout [UInt8]) throws -> Int
}

/// A destination of blobs.
package protocol BlobSink: Sendable {
    /// Whether the sink has the blob already, whole.
    func contains(_ digest: Digest) throws -> Bool

    /// Begins to write a blob. Nothing is visible before ``BlobWriter/commit()``.
    func writer(for descriptor: Descriptor) throws -> any BlobWriter
}

/// A blob being written, in order.
package protocol BlobWriter: Sendable {
    /// Takes the next bytes of the blob.
    func write(_ bytes: Span<UInt8>) throws

    /// Makes the blob visible, whose digest the caller has computed from the bytes: they are not read once more.
    ///
    /// Throws when size or digest are not those announced; the bytes are then discarded.
    func commit(as digest: Digest) throws

    /// Drops what was written. Does nothing after ``commit(as:)``.
    func discard()
}
