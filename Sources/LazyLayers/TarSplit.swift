import CCompression
import Diagnostics
import Layers
import OCI

/// The bytes of an archive that are no contents, in the format tar-split, compressed piece by piece.
///
/// Source: vbatts/tar-split, `tar/storage`.
struct TarSplit {
    private static let pieceSize = 1 << 20

    private let level: Int
    private var lines: [UInt8] = []
    private var position = 0
    private(set) var compressed: [UInt8] = []
    private(set) var plainSize: UInt64 = 0

    init(_ options: CompressionOptions) { level = Int(options.zstdLevel) }

    /// Adds bytes between contents.
    mutating func add(segment bytes: [UInt8]) throws {
        try add(#"{"type":2,"payload":""#.utf8 + Base64.encode(bytes) + #"","position":\#(position)}"#.utf8)
    }

    /// Adds the place of a content, after the segment with its header.
    mutating func add(file name: String, size: Int64, checksum: UInt64?) throws {
        let sum = checksum.map { "\"\(Base64.text(Array($0.littleEndianBytes.reversed())))\"" } ?? "null"
        let length = size == 0 ? "" : #""size":\#(size),"#
        let quoted = JSON.string(name).text()
        try add(#"{"type":1,"name":\#(quoted),\#(length)"payload":\#(sum),"position":\#(position)}"#.utf8)
    }

    private mutating func add(_ line: some Sequence<UInt8>) throws {
        lines += line
        lines.append(UInt8(ascii: "\n"))
        position += 1
        if lines.count >= Self.pieceSize { try compress() }
    }

    mutating func finish() throws {
        if !lines.isEmpty { try compress() }
    }

    private mutating func compress() throws {
        compressed += try lines.compressedAtOnce(level: level)
        plainSize += UInt64(lines.count)
        lines.removeAll(keepingCapacity: true)
    }
}

/// The CRC-64 (ISO 3309, reflected) of contents in tar-split.
enum SplitChecksum {
    static func update(_ sum: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { unsafe crc64_iso_refl(sum, $0.baseAddress, UInt64($0.count)) }
    }
}
