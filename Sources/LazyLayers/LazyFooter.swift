package import OCI

/// The last bytes of an eStargz layer: an empty gzip member that says where the member of the table begins.
///
/// Source: stargz-snapshotter, `docs/estargz.md`, "eStargz footer".
package enum EStargzFooter {
    package static let size = 51

    package static func bytes(tableAt offset: Int64) -> [UInt8] {
        let digits = String(offset, radix: 16)
        let place = String(repeating: "0", count: max(0, 16 - digits.count)) + digits + "STARGZ"
        var bytes: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]
        // The extra field, with one subfield.
        bytes += UInt16(26).littleEndianBytes + "SG".utf8 + UInt16(22).littleEndianBytes + place.utf8
        // A final stored block without bytes, and the sums of nothing.
        return bytes + [1, 0, 0, 0xff, 0xff] + [UInt8](repeating: 0, count: 8)
    }

    /// The offset of the table in the blob, in bytes; `nil` when these are not the last bytes of an eStargz layer.
    package static func tableOffset(_ bytes: [UInt8]) -> Int64? {
        guard bytes.count == size, bytes.starts(with: [0x1f, 0x8b]), bytes[12...13].elementsEqual("SG".utf8),
            bytes[32..<38].elementsEqual("STARGZ".utf8)
        else { return nil }
        return Int64(String(decoding: bytes[16..<32], as: UTF8.self), radix: 16)
    }
}

/// The last bytes of a zstd:chunked layer: a frame that decoders skip, with the places of the table and of the headers.
///
/// Source: containers/storage, `pkg/chunked/internal/minimal/compression.go`.
package struct ChunkedFooter: Hashable, Sendable {
    /// A compressed document in the layer.
    package struct Place: Hashable, Sendable {
        package let offset: UInt64
        package let length: UInt64
        /// The length of the document without compression.
        package let plainLength: UInt64

        package init(offset: UInt64, length: UInt64, plainLength: UInt64) {
            self.offset = offset
            self.length = length
            self.plainLength = plainLength
        }

        package var text: String { "\(offset):\(length):\(plainLength)" }
    }

    package let table: Place
    package let split: Place

    package init(table: Place, split: Place) {
        self.table = table
        self.split = split
    }

    /// The kind of table: one with the keys of CRFS.
    private static let kind: UInt64 = 1
    private static let magic: [UInt8] = Array("GNUlInUx".utf8)
    private static let contentSize = 64
    package static let size = SkippableFrame.headerSize + contentSize

    package var bytes: [UInt8] {
        let numbers = [
            table.offset, table.length, table.plainLength, Self.kind, split.offset, split.length, split.plainLength,
        ]
        return SkippableFrame.header(UInt32(Self.contentSize)) + numbers.flatMap(\.littleEndianBytes) + Self.magic
    }

    /// Reads the last bytes of a layer; `nil` when they are not those of a zstd:chunked layer.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, bytes.starts(with: SkippableFrame.header(UInt32(Self.contentSize))),
            bytes.suffix(8).elementsEqual(Self.magic)
        else { return nil }
        let numbers = (0..<7).map { index in
            bytes[(8 + index * 8)..<(16 + index * 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        guard numbers[3] == Self.kind else { return nil }
        table = Place(offset: numbers[0], length: numbers[1], plainLength: numbers[2])
        split = Place(offset: numbers[4], length: numbers[5], plainLength: numbers[6])
    }

    /// The annotations of the layer whose table has this digest, compressed as it is.
    package func annotations(tableChecksum: Digest) -> [String: String] {
        [
            LazyAnnotation.tableChecksum: tableChecksum.description,
            LazyAnnotation.tablePosition: "\(table.text):\(Self.kind)",
            LazyAnnotation.splitPosition: split.text,
        ]
    }
}

/// A frame that decoders of zstd skip. Source: RFC 8878, 3.1.2.
enum SkippableFrame {
    static let headerSize = 8

    static func header(_ count: UInt32) -> [UInt8] { [0x50, 0x2a, 0x4d, 0x18] + count.littleEndianBytes }
}
