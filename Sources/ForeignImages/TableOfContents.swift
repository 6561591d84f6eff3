import Diagnostics
import Layers
import Linux
import OCI
import Registry
import Transports

/// Fetches the table of contents of a layer, and nothing else of it.
///
/// Layers in the format zstd:chunked have annotations with its place and digest; eStargz has an annotation with the digest,
/// and the place in the last bytes of the layer.
enum TableOfContents {
    /// The largest table, compressed and not, in bytes.
    private static let limit: Int64 = 256 << 20

    private static let estargz = "containerd.io/snapshot/stargz/toc.digest"
    /// The annotations of zstd:chunked have the second prefix in layers of before 2023.
    private static let chunkedPrefixes = ["io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."]

    /// Whether a layer's annotations say that it has a table whose digest is known.
    static func hasOne(_ layer: Descriptor) -> Bool {
        layer.annotations[estargz] != nil || chunkedPlace(layer) != nil
    }

    /// The place and the digest of a table of zstd:chunked.
    private static func chunkedPlace(_ layer: Descriptor) -> (position: String, checksum: String)? {
        for prefix in chunkedPrefixes {
            guard let position = layer.annotations[prefix + "manifest-position"],
                let checksum = layer.annotations[prefix + "manifest-checksum"]
            else { continue }
            return (position, checksum)
        }
        return nil
    }

    /// Throws ``ForeignImageError`` `.damaged` or ``LayerError`` when the table is not there or not the right one.
    static func read(_ layer: Descriptor, from reader: any ImageReader) async throws -> LayerTable {
        if let (position, checksum) = chunkedPlace(layer) {
            return try await chunked(layer, position, try Digest(parsing: checksum), reader)
        }
        return try await estargz(layer, try Digest(parsing: layer.annotations[estargz] ?? ""), reader)
    }

    private static func damaged(_ what: String) -> ForeignImageError { ForeignImageError(.damaged, what) }

    /// `position` is the offset, the compressed and the plain length, and the kind of the table.
    private static func chunked(
        _ layer: Descriptor, _ position: String, _ checksum: Digest, _ reader: any ImageReader
    ) async throws -> LayerTable {
        let numbers = position.split(separator: ":").compactMap { Int64($0) }
        guard numbers.count == 4, numbers[0] > 0, numbers[1] > 0, numbers[1] <= limit, numbers[2] <= limit,
            numbers[0] <= layer.size - numbers[1]
        else { throw damaged("the place of the table of contents lies outside of the layer") }
        let range = numbers[0]..<numbers[0] + numbers[1]
        let bytes = try await Self.bytes(range, of: layer, reader)
        guard Digest(of: bytes) == checksum else { throw damaged("the table of contents is another one") }
        return try await offload {
            try LayerTable(parsing: try plain(bytes, limit: numbers[2]), end: numbers[0])
        }
    }

    /// The length of the last member of the layer, which is an empty one that has the offset in its header.
    private static let footerLength: Int64 = 51

    private static func estargz(
        _ layer: Descriptor, _ digest: Digest, _ reader: any ImageReader
    ) async throws -> LayerTable {
        guard layer.size > footerLength else { throw damaged("the layer is too short") }
        let end = layer.size - footerLength
        let footer = try await bytes(end..<layer.size, of: layer, reader)
        guard footer.count == Int(footerLength), footer[12...13] == [UInt8(ascii: "S"), UInt8(ascii: "G")],
            String(decoding: footer[32..<38], as: UTF8.self) == "STARGZ",
            let start = Int64(String(decoding: footer[16..<32], as: UTF8.self), radix: 16), start > 0, start < end,
            end - start <= limit
        else { throw damaged("the layer ends without the place of its table of contents") }
        let packed = try await bytes(start..<end, of: layer, reader)
        return try await offload {
            var archive = try LayerReader(MemoryStream(packed), readsMarks: false)
            while let entry = try archive.next() {
                guard entry.path == "stargz.index.json", entry.size <= limit else { continue }
                var document: [UInt8] = []
                try archive.readContent { piece in
                    for index in piece.indices { document.append(piece[index]) }
                }
                guard Digest(of: document) == digest else { throw damaged("the table of contents is another one") }
                return try LayerTable(parsing: document, end: start)
            }
            throw damaged("the layer has no table of contents")
        }
    }

    /// Part of a blob. Nothing proves that it is the right one.
    private static func bytes(
        _ range: Range<Int64>, of layer: Descriptor, _ reader: any ImageReader
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in try await reader.origin(of: layer)(range) {
            guard bytes.count + piece.count <= range.count else { throw damaged("the registry sends too much") }
            bytes += piece
        }
        return bytes
    }

    private static func plain(_ bytes: [UInt8], limit: Int64) throws -> [UInt8] {
        let stream = try DecompressedStream(MemoryStream(bytes))
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try stream.read(into: &buffer)
            if count == 0 { return all }
            all += buffer[..<count]
            guard Int64(all.count) <= limit else { throw damaged("the table of contents is longer than it says") }
        }
    }
}

/// Bytes in memory as a stream.
private final class MemoryStream: Layers.ByteStream {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let count = min(rest.count, buffer.count)
        buffer.replaceSubrange(0..<count, with: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}
