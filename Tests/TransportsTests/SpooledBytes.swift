import OCI
import Synchronization

/// Bytes that are written and read in order.
final class SpooledBytes: BlobReader {
    private let content: Mutex<(bytes: [UInt8], position: Int)>

    init(_ bytes: [UInt8] = []) { content = Mutex((bytes, 0)) }

    var bytes: [UInt8] { content.withLock { $0.bytes } }

    func append(_ piece: Span<UInt8>) {
        let copy = unsafe piece.withUnsafeBufferPointer { unsafe Array($0) }
        content.withLock { $0.bytes += copy }
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        content.withLock { content in
            // Small pieces, so that a reader that takes one for all is found out.
            let piece = content.bytes[content.position...].prefix(min(buffer.count, 1000))
            for (place, byte) in piece.enumerated() { buffer[place] = byte }
            content.position += piece.count
            return piece.count
        }
    }
}
