import Diagnostics
import Layers
package import Linux
import OCI

/// A blob in a file, in one of the formats that are fetched in parts.
package struct LazyBlob: Sendable {
    package let format: LazyFormat
    /// The annotations that its descriptor needs.
    package let annotations: [String: String]

    /// The largest table that is read, in bytes.
    static let limit: Int64 = 256 << 20

    /// Recognises the format by the end of the blob; `nil` for a usual layer. `archiveSize` is that of the layer without
    /// compression.
    package init?(_ file: SharedDescriptor, archiveSize: Int64) throws {
        let size = try file.descriptor.status().size
        if let footer = try ChunkedFooter(Self.bytes(size - Int64(ChunkedFooter.size)..<size, of: file)) {
            guard let range = Self.range(footer.table, in: size) else { return nil }
            format = .chunked
            annotations = footer.annotations(tableChecksum: Digest(of: try Self.bytes(range, of: file)))
            return
        }
        let footer = size - Int64(EStargzFooter.size)
        guard let start = try EStargzFooter.tableOffset(Self.bytes(footer..<size, of: file)), start > 0, start < footer,
            let table = try EStargzTable.document(in: Self.bytes(start..<footer, of: file))
        else { return nil }
        format = .estargz
        annotations = [
            LazyAnnotation.tableDigest: Digest(of: table).description, LazyAnnotation.archiveSize: "\(archiveSize)",
        ]
    }

    private static func range(_ place: ChunkedFooter.Place, in size: Int64) -> Range<Int64>? {
        guard let offset = Int64(exactly: place.offset), let length = Int64(exactly: place.length), offset < size,
            length <= size - offset
        else { return nil }
        return offset..<offset + length
    }

    /// Part of the file; nothing for one that lies outside, or is too long for a table.
    private static func bytes(_ range: Range<Int64>, of file: SharedDescriptor) throws -> [UInt8] {
        guard range.lowerBound >= 0, range.count <= limit else { return [] }
        var window = FileWindow(file)
        return try window.bytes(range)
    }
}

/// The table of an eStargz layer.
package enum EStargzTable {
    /// The document in the member that holds it; `nil` when it does not.
    package static func document(in member: [UInt8]) throws -> [UInt8]? {
        guard !member.isEmpty else { return nil }
        var archive = try LayerReader(MemoryStream(member), readsMarks: false)
        guard let entry = try archive.next(), entry.path == PathBytes(EStargzOrder.table),
            entry.size <= LazyBlob.limit
        else { return nil }
        var document: [UInt8] = []
        try archive.readContent { piece in unsafe piece.withUnsafeBytes { unsafe document.append(contentsOf: $0) } }
        return document
    }
}

/// Bytes in memory as a stream.
package final class MemoryStream: ByteStream {
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: [UInt8]) { rest = bytes[...] }

    package func read(into buffer: inout [UInt8]) throws -> Int {
        let count = min(rest.count, buffer.count)
        buffer.replaceSubrange(0..<count, with: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}
