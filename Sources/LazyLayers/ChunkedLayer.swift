import Diagnostics
import Layers
package import Linux
package import OCI

/// Writes an archive as a layer in the format zstd:chunked, as containers/storage reads it.
///
/// Each piece of a file begins a zstd frame. The table of contents and the headers of the archive follow in frames that
/// decoders skip, so that the archive stays as it is.
/// Source: containers/storage, `pkg/chunked`.
package enum ChunkedLayer {
    /// The archive in the file must not be compressed.
    ///
    /// - Returns: the blob with its annotations, and the digest of the archive.
    package static func write(
        _ archive: SharedDescriptor, level: Int? = nil, threads: Int? = nil,
        to sink: @escaping (Span<UInt8>) throws -> Void
    ) throws -> (blob: Descriptor, diffID: DiffID) {
        let index = try TarIndex(archive)
        try checkPaths(index.members)
        let writer = try ChunkedWriter(archive, CompressionOptions(.zstd, level: level, threads: threads), to: sink)
        for member in index.members { try writer.add(member) }
        return try writer.finish(size: index.size)
    }

    /// Readers refuse a table that names a path twice.
    private static func checkPaths(_ members: [TarIndex.Member]) throws {
        var seen: Set<PathBytes> = []
        for member in members where !seen.insert(member.path).inserted {
            throw LazyLayersError(
                .unsupported, "a layer holds '\(member.path.text)' twice, which zstd:chunked cannot hold",
                hint: "Compress the layers with zstd.")
        }
    }
}

private final class ChunkedWriter {
    private let options: CompressionOptions
    private let output: BlobOutput
    private let pipeline: MemberPipeline
    private var window: FileWindow
    private let hasher = ArchiveHasher()
    private var entries: [TableEntry] = []
    private var split: TarSplit
    /// The end of the last member's content in the archive, in bytes.
    private var end: Int64 = 0

    init(
        _ archive: SharedDescriptor, _ options: CompressionOptions, to sink: @escaping (Span<UInt8>) throws -> Void
    ) throws {
        self.options = options
        output = BlobOutput(sink, isHashed: true)
        pipeline = try MemberPipeline(options, output)
        window = FileWindow(archive)
        split = TarSplit(options)
    }

    private func emit(_ bytes: Span<UInt8>) throws {
        hasher.update(bytes)
        try pipeline.write(bytes)
    }

    func add(_ member: TarIndex.Member) throws {
        let head = try window.bytes(end..<member.header.upperBound)
        try split.add(segment: head)
        try emit(head.span)
        let name = String(decoding: member.fields.name, as: UTF8.self)
        var entry = TableEntry(fields: member.fields, name: name)
        var checksum: UInt64?
        if member.content.isEmpty {
            end = member.header.upperBound
        } else {
            let sum = try addContent(of: member, to: &entry)
            checksum = sum
            end = member.content.upperBound
        }
        try split.add(file: name, size: Int64(member.content.count), checksum: checksum)
        entries.append(entry)
    }

    /// Writes the content in pieces, and returns its checksum.
    private func addContent(of member: TarIndex.Member, to entry: inout TableEntry) throws -> UInt64 {
        let whole = ArchiveHasher()
        var checksum: UInt64 = 0
        var start = member.content.lowerBound
        for piece in try pieces(of: member.content) {
            let number = try pipeline.cut()
            let sum = ArchiveHasher()
            try window.read(start..<start + piece.size) { bytes in
                try emit(bytes)
                whole.update(bytes)
                sum.update(bytes)
                checksum = SplitChecksum.update(checksum, bytes)
            }
            entry.pieces.append(
                TableEntry.Piece(
                    member: number, offset: start - member.content.lowerBound, size: piece.size, digest: sum.finish(),
                    isHole: piece.isHole))
            start += piece.size
        }
        entry.digest = whole.finish()
        entry.endMember = try pipeline.cut()
        return checksum
    }

    private func pieces(of content: Range<Int64>) throws -> [ContentChunker.Piece] {
        var chunker = ContentChunker()
        try window.read(content) { chunker.update($0) }
        return chunker.finish()
    }

    func finish(size: Int64) throws -> (blob: Descriptor, diffID: DiffID) {
        while end < size {
            let tail = try window.bytes(end..<min(end + 1 << 20, size))
            try split.add(segment: tail)
            try emit(tail.span)
            end += Int64(tail.count)
        }
        try pipeline.flush()
        try split.finish()
        let offsets = pipeline.offsets + [output.size]
        var document = TableDocument()
        for entry in entries {
            for item in Self.items(entry, at: offsets) { document.add(item) }
        }
        let table = document.finish([("tarSplitDigest", Digest(of: split.compressed).description)])
        let packed = try table.compressedAtOnce(level: Int(options.zstdLevel))
        let tablePlace = ChunkedFooter.Place(
            offset: try writeFrame(packed), length: UInt64(packed.count), plainLength: UInt64(table.count))
        let splitPlace = ChunkedFooter.Place(
            offset: try writeFrame(split.compressed), length: UInt64(split.compressed.count),
            plainLength: split.plainSize)
        let footer = ChunkedFooter(table: tablePlace, split: splitPlace)
        try output.write(footer.bytes.span)
        try output.finish()
        let blob = Descriptor(
            mediaType: .ociLayer(.zstd), digest: output.digest(), size: output.size,
            annotations: footer.annotations(tableChecksum: Digest(of: packed)))
        return (blob, DiffID(hasher.finish()))
    }

    /// Writes a document in a frame that decoders skip, and returns where it begins.
    private func writeFrame(_ bytes: [UInt8]) throws -> UInt64 {
        guard let count = UInt32(exactly: bytes.count) else {
            throw LazyLayersError(.unsupported, "a layer has more files than zstd:chunked can list")
        }
        try output.write(SkippableFrame.header(count).span)
        let offset = UInt64(output.size)
        try output.write(bytes.span)
        return offset
    }

    /// The items of the table for a file: itself with its first piece, and each further piece.
    private static func items(_ entry: TableEntry, at offsets: [Int64]) -> [JSON] {
        let fields = entry.fields
        // A single piece is the file.
        let isCut = entry.pieces.count > 1
        func piece(_ piece: TableEntry.Piece) -> [(String, JSON?)] {
            [
                ("chunkSize", .integer(piece.size)), ("chunkOffset", TableEntry.number(piece.offset)),
                ("chunkDigest", .string(piece.digest.description)),
                ("chunkType", piece.isHole ? .string("zeros") : nil),
            ]
        }
        let own: [(String, JSON?)] =
            [
                ("type", .string(entry.type)), ("name", .string(entry.name)),
                ("linkName", TableEntry.text(fields.linkName)), ("mode", TableEntry.number(fields.mode)),
                ("size", TableEntry.number(fields.size)), ("uid", TableEntry.number(fields.owner)),
                ("gid", TableEntry.number(fields.group)), ("modtime", TableEntry.time(fields.modified)),
                ("accesstime", TableEntry.time(fields.accessed)), ("changetime", TableEntry.time(fields.changed)),
            ] + entry.attributes() + [
                ("digest", entry.digest.map { .string($0.description) }),
                ("offset", entry.pieces.first.map { .integer(offsets[$0.member]) }),
                ("endOffset", entry.pieces.isEmpty ? nil : .integer(offsets[entry.endMember])),
            ]
        var items = [own + (isCut ? entry.pieces.first.map(piece) ?? [] : [])]
        for part in entry.pieces.dropFirst() {
            items.append(
                [
                    ("type", .string("chunk")), ("name", .string(entry.name)),
                    ("offset", .integer(offsets[part.member])),
                ] + piece(part))
        }
        return items.map(TableEntry.object)
    }
}
