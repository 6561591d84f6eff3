import CCompression
import Diagnostics

/// Decompresses streams of deflate that are in memory as a whole, by ISA-L.
///
/// Source: RFC 1950 and 1951.
package enum Inflater {
    package enum Format: Hashable, Sendable {
        /// Without any frame, as zip archives have it.
        case raw
        case zlib
    }

    /// Throws ``LayerError`` `.damaged` for a stream that is damaged, or has more than `limit` bytes.
    package static func inflate(
        _ bytes: ArraySlice<UInt8>, format: Format, limit: Int
    ) throws -> [UInt8] {
        let damaged = LayerError(.damaged, "a compressed stream is damaged, or larger than it says")
        guard let count = UInt32(exactly: bytes.count), limit >= 0, let capacity = UInt32(exactly: limit) else {
            throw damaged
        }
        // A stream that is empty needs a place to be written to as well.
        var output = [UInt8](repeating: 0, count: limit + 1)
        let size = unsafe bytes.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe compression_inflate_whole(
                    format == .zlib ? 1 : 0, source.baseAddress, count, target.baseAddress, capacity)
            }
        }
        guard size >= 0 else { throw damaged }
        output.removeLast(output.count - Int(size))
        return output
    }
}
