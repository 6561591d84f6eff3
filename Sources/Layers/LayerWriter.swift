import Diagnostics
package import Linux
package import OCI

/// The result of writing a layer.
package struct WrittenLayer: Sendable {
    package let diffID: DiffID
    package let files: EncodedFileList
    /// The blob that was written; `nil` when the layer was only hashed.
    package let blob: Descriptor?

    /// The size of the uncompressed archive in bytes.
    package var tarSize: Int64 { files.tarSize }
}

/// Turns entries into a layer: archive, digest, file list and, if there is a place for it, the blob, in one pass.
///
/// Add entries in the order of a walk, directories first. Never holds more than a few buffers of content, and of
/// the entries the list as bytes.
package struct LayerWriter: ~Copyable {
    private var tar: TarWriter<LayerSink>
    private var files = FileListBuilder()
    /// The bytes of files that take no space on the disk.
    private var holes: Int64 = 0

    /// Hashes a layer without writing it anywhere.
    package init() { tar = TarWriter(LayerSink(blob: nil)) }

    /// Writes the blob to `sink` piece by piece.
    package init(_ options: CompressionOptions, to sink: @escaping (Span<UInt8>) throws -> Void) throws {
        tar = TarWriter(LayerSink(blob: try CompressedBlobWriter(options, to: sink)))
    }

    /// Writes the blob to a file from its position on.
    package init(_ options: CompressionOptions, to file: consuming OwnedDescriptor) throws {
        tar = TarWriter(LayerSink(blob: try CompressedBlobWriter(options, to: file)))
    }

    /// Adds an entry without content: everything but a regular file that has some.
    ///
    /// This and the others throw ``LayerError`` `.reservedName` for a file whose name means something else in a layer.
    package mutating func add(_ entry: LayerEntry) throws {
        precondition(entry.size == 0 || entry.kind != .regular, "a regular file needs its content")
        try Whiteout.refuse(entry)
        try tar.writeHeader(entry)
        files.add(entry)
    }

    /// Adds a regular file with these bytes; the size of the entry is set to their number.
    package mutating func add(_ entry: LayerEntry, content: Span<UInt8>) throws {
        var entry = entry
        entry.size = Int64(content.count)
        try Whiteout.refuse(entry)
        try tar.writeHeader(entry)
        entry.contentHash = try tar.writeContent(content)
        files.add(entry)
    }

    /// Adds a regular file whose content is read from the descriptor's position to its end.
    ///
    /// Throws ``LayerError`` `.fileChanged` when that is not as long as the entry says; the layer is then spoilt. And
    /// `.unsupported` for holes that would take hours to hash, as all their zeros are bytes of the archive.
    package mutating func add(_ entry: LayerEntry, content: borrowing OwnedDescriptor) throws {
        var entry = entry
        try Whiteout.refuse(entry)
        holes = holes.addingClamped(try content.status().unallocatedSize)
        guard holes <= Tar.maximumHoles else {
            throw LayerError(
                .unsupported, "the holes of '/\(entry.path.text)' and the files before it take more than 1 TiB",
                hint: "Remove sparse files, such as /var/log/lastlog, in the step that makes them.")
        }
        try tar.writeHeader(entry)
        entry.contentHash = try tar.writeContent(of: entry, from: content)
        files.add(entry)
    }

    /// Adds a regular file with the content that a reader is at.
    package mutating func add(_ entry: LayerEntry, content reader: inout LayerReader) throws {
        var entry = entry
        try Whiteout.refuse(entry)
        try tar.writeHeader(entry)
        entry.contentHash = try tar.writeContent(of: entry) { write in try reader.readContent(write) }
        files.add(entry)
    }

    /// Ends the layer.
    package consuming func finish() throws -> WrittenLayer {
        let files = files
        let sink = try tar.finish()
        let tarSize = sink.size
        let (digest, blob) = try sink.finish()
        return WrittenLayer(
            diffID: DiffID(digest), files: try files.finish(tarSize: tarSize), blob: blob)
    }
}

/// Hashes the archive and passes it on.
private struct LayerSink: ByteSink, ~Copyable {
    private var hasher = DigestHasher()
    private var blob: CompressedBlobWriter?
    private(set) var size: Int64 = 0

    init(blob: consuming CompressedBlobWriter?) { self.blob = blob }

    mutating func write(_ bytes: Span<UInt8>) throws {
        // The blob first: its threads compress while this one hashes.
        try blob?.write(bytes)
        hasher.update(bytes)
        size += Int64(bytes.count)
    }

    consuming func finish() throws -> (Digest, Descriptor?) {
        let digest = hasher.finish()
        guard let blob else { return (digest, nil) }
        return (digest, try blob.finish(uncompressed: digest))
    }
}
