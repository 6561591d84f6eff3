import Diagnostics
import Layers
package import Linux
package import OCI

/// Writes an archive as a layer in the format eStargz.
///
/// Each file, and each 4 MiB of a longer one, begins a gzip member; the table of contents is the last file of the archive.
/// Source: stargz-snapshotter, `docs/estargz.md`.
package enum EStargzLayer {
    /// The archive in the file must not be compressed. Of the paths those that it has come first.
    ///
    /// - Returns: the blob with its annotations, and the digest of its archive, which is another than that of the source.
    package static func write(
        _ archive: SharedDescriptor, prefetching paths: [PathBytes] = [], level: Int? = nil, threads: Int? = nil,
        to sink: @escaping (Span<UInt8>) throws -> Void
    ) throws -> (blob: Descriptor, diffID: DiffID) {
        let index = try TarIndex(archive)
        let order = EStargzOrder.order(index.members, prefetching: paths)
        let writer = try EStargzWriter(archive, CompressionOptions(.gzip, level: level, threads: threads), to: sink)
        for number in order.first { try writer.add(index.members[number]) }
        try writer.addLandmark(order.first.isEmpty ? EStargzOrder.noLandmark : EStargzOrder.landmark)
        for number in order.rest { try writer.add(index.members[number]) }
        return try writer.finish()
    }
}

private final class EStargzWriter {
    private static let pieceSize: Int64 = 4 << 20

    private let output: BlobOutput
    private let pipeline: MemberPipeline
    private var window: FileWindow
    private let hasher = ArchiveHasher()
    private var entries: [TableEntry] = []

    init(
        _ archive: SharedDescriptor, _ options: CompressionOptions, to sink: @escaping (Span<UInt8>) throws -> Void
    ) throws {
        output = BlobOutput(sink, isHashed: true)
        pipeline = try MemberPipeline(options, output)
        window = FileWindow(archive)
    }

    private func emit(_ bytes: Span<UInt8>) throws {
        hasher.update(bytes)
        try pipeline.write(bytes)
    }

    func add(_ member: TarIndex.Member) throws {
        try window.read(member.header) { try emit($0) }
        var entry = TableEntry(fields: member.fields, name: Self.name(of: member))
        if member.isRegular {
            let whole = ArchiveHasher()
            var start = member.content.lowerBound
            while start < member.content.upperBound {
                let end = min(start + Self.pieceSize, member.content.upperBound)
                let number = try pipeline.cut()
                let sum = ArchiveHasher()
                let isOnly = member.content.count <= Self.pieceSize
                try window.read(start..<end) { piece in
                    try emit(piece)
                    if !isOnly { whole.update(piece) }
                    sum.update(piece)
                }
                let digest = sum.finish()
                if isOnly { entry.digest = digest }
                entry.pieces.append(
                    TableEntry.Piece(
                        member: number, offset: start - member.content.lowerBound, size: end - start, digest: digest))
                start = end
            }
            if entry.digest == nil { entry.digest = whole.finish() }
            try pad(after: member.fields.size)
        }
        entries.append(entry)
    }

    func addLandmark(_ name: String) throws {
        let content: [UInt8] = [0xf]
        try emit(Self.header(name, size: content.count).span)
        let number = try pipeline.cut()
        try emit(content.span)
        try pad(after: 1)
        var fields = TarMember()
        fields.size = 1
        var entry = TableEntry(fields: fields, name: name)
        entry.digest = Digest(of: content)
        entry.pieces = [TableEntry.Piece(member: number, offset: 0, size: 1, digest: Digest(of: content))]
        entries.append(entry)
    }

    private static func header(_ name: String, size: Int) -> [UInt8] {
        Tar.header(of: LayerEntry(path: PathBytes(name), kind: .regular, size: Int64(size)))
    }

    private func pad(after size: Int64) throws {
        try emit([UInt8](repeating: 0, count: Tar.padding(after: size)).span)
    }

    func finish() throws -> (blob: Descriptor, diffID: DiffID) {
        // The table names the places of members, so all of them are written before it.
        try pipeline.flush()
        let tableOffset = output.size
        var document = TableDocument()
        for entry in entries {
            for item in Self.items(entry, at: pipeline.offsets) { document.add(item) }
        }
        let table = document.finish()
        try emit(Self.header(EStargzOrder.table, size: table.count).span)
        try emit(table.span)
        try pad(after: Int64(table.count))
        try emit([UInt8](repeating: 0, count: 2 * Tar.block).span)
        try pipeline.flush()
        try output.write(EStargzFooter.bytes(tableAt: tableOffset).span)
        try output.finish()
        let size = hasher.size
        let blob = Descriptor(
            mediaType: .ociLayer(.gzip), digest: output.digest(), size: output.size,
            annotations: [
                LazyAnnotation.tableDigest: Digest(of: table).description, LazyAnnotation.archiveSize: "\(size)",
            ])
        return (blob, DiffID(hasher.finish()))
    }

    /// Without a slash in front, and with one behind a directory.
    private static func name(of member: TarIndex.Member) -> String {
        let path = String(decoding: member.path.bytes, as: UTF8.self)
        guard member.isDirectory else { return path }
        return path.isEmpty ? "./" : path + "/"
    }

    /// The items of the table for a file: itself with its first piece, and each further piece.
    private static func items(_ entry: TableEntry, at offsets: [Int64]) -> [JSON] {
        let fields = entry.fields
        func piece(_ piece: TableEntry.Piece, isLast: Bool) -> [(String, JSON?)] {
            [
                ("offset", .integer(offsets[piece.member])), ("chunkOffset", TableEntry.number(piece.offset)),
                ("chunkSize", isLast ? nil : .integer(piece.size)), ("chunkDigest", .string(piece.digest.description)),
            ]
        }
        let own: [(String, JSON?)] =
            [
                ("name", .string(entry.name)), ("type", .string(entry.type)), ("size", TableEntry.number(fields.size)),
                ("modtime", TableEntry.time(FileTime(seconds: fields.modified.seconds))),
                ("linkName", TableEntry.text(fields.linkName)), ("mode", TableEntry.number(fields.mode & 0o7777)),
                ("uid", TableEntry.number(fields.owner)), ("gid", TableEntry.number(fields.group)),
                ("userName", TableEntry.text(fields.userName)), ("groupName", TableEntry.text(fields.groupName)),
            ] + entry.attributes() + [("digest", entry.digest.map { .string($0.description) })]
        var items = [own + (entry.pieces.first.map { piece($0, isLast: entry.pieces.count == 1) } ?? [])]
        for (index, part) in entry.pieces.enumerated().dropFirst() {
            items.append(
                [("name", .string(entry.name)), ("type", .string("chunk"))]
                    + piece(part, isLast: index == entry.pieces.count - 1))
        }
        return items.map(TableEntry.object)
    }
}

/// A digest on its way, with the number of bytes.
final class ArchiveHasher {
    private var hasher: DigestHasher? = DigestHasher()
    private(set) var size: Int64 = 0

    func update(_ bytes: Span<UInt8>) {
        hasher?.update(bytes)
        size += Int64(bytes.count)
    }

    /// May be asked for once.
    func finish() -> Digest {
        guard let hasher = hasher.take() else { preconditionFailure("the digest was taken before") }
        return hasher.finish()
    }
}
