import Diagnostics
import Layers
import LazyLayers
import Linux
import OCI
import Transports

/// Fetches the table of contents of a layer, and nothing else of it.
///
/// Layers in the format zstd:chunked have annotations with its place and digest; eStargz has an annotation with the digest,
/// and the place in the last bytes of the layer.
enum TableOfContents {
    /// The largest table, compressed and not, in bytes.
    private static let limit: Int64 = 256 << 20

    /// The annotations of zstd:chunked have the second prefix in layers of before 2023.
    private static let chunkedPrefixes = [LazyAnnotation.chunkedPrefix, LazyAnnotation.oldChunkedPrefix]

    /// Whether a layer's annotations say that it has a table whose digest is known.
    static func hasOne(_ layer: Descriptor) -> Bool {
        layer.annotations[LazyAnnotation.tableDigest] != nil || chunkedPlace(layer) != nil
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
        return try await estargz(
            layer, try Digest(parsing: layer.annotations[LazyAnnotation.tableDigest] ?? ""), reader)
    }

    private static func damaged(_ what: String) -> ForeignImageError { ForeignImageError(.damaged, what) }

    /// `position` is the offset, the compressed and the plain length, and the kind of the table.
    private static func chunked(
        _ layer: Descriptor, _ position: String, _ checksum: Digest, _ reader: any ImageReader
    ) async throws -> LayerTable {
        guard let place = LazyReading.Place(position, in: layer), Int64(place.range.count) <= limit else {
            throw damaged("the place of the table of contents lies outside of the layer")
        }
        let bytes = try await reader.bytes(place.range, of: layer)
        guard Digest(of: bytes) == checksum else { throw damaged("the table of contents is another one") }
        return try await offload {
            guard let document = LazyReading.plain(bytes, limit: place.plainLength) else {
                throw damaged("the table of contents is longer than it says")
            }
            return try LayerTable(parsing: document, end: place.range.lowerBound)
        }
    }

    private static func estargz(
        _ layer: Descriptor, _ digest: Digest, _ reader: any ImageReader
    ) async throws -> LayerTable {
        let end = layer.size - Int64(EStargzFooter.size)
        guard end > 0 else { throw damaged("the layer is too short") }
        guard let start = EStargzFooter.tableOffset(try await reader.bytes(end..<layer.size, of: layer)), start > 0,
            start < end, end - start <= limit
        else { throw damaged("the layer ends without the place of its table of contents") }
        let packed = try await reader.bytes(start..<end, of: layer)
        return try await offload {
            guard let document = try EStargzTable.document(in: packed) else {
                throw damaged("the layer has no table of contents")
            }
            guard Digest(of: document) == digest else { throw damaged("the table of contents is another one") }
            return try LayerTable(parsing: document, end: start)
        }
    }
}
