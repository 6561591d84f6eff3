import CCompression
import Diagnostics
import Dispatch

/// Compresses to one gzip member, in pieces of fixed size that refer to nothing outside, on several threads.
///
/// The pieces end at byte boundaries, so they can be put one after the other; which thread made them does not show.
/// Source: RFC 1951 and RFC 1952.
final class GzipCompressor: Compressor {
    private static let pieceSize = 1 << 20

    private let output: BlobOutput
    private let queue = DispatchQueue(label: "gzip", attributes: .concurrent)
    private let pieces: [GzipPiece]
    /// The piece being filled; those before it, as many as are `busy`, are being compressed.
    private var current = 0
    private var busy = 0
    private var checksum: UInt32 = 0
    private var length: UInt64 = 0

    init(_ options: CompressionOptions, _ output: BlobOutput) throws {
        self.output = output
        let level = options.deflateLevel
        // One more than threads: a piece is filled while the others are compressed.
        pieces = try (0...options.threads).map { _ in try GzipPiece(size: Self.pieceSize, level: level) }
        // Deflate, no flags, no time, no extra flags, unknown system: as Go writes it.
        try output.write([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff].span)
    }

    deinit {
        while busy > 0 {
            oldest.wait()
            busy -= 1
        }
    }

    private var oldest: GzipPiece { pieces[(current + pieces.count - busy) % pieces.count] }

    func write(_ bytes: Span<UInt8>) throws {
        checksum = GzipChecksum.update(checksum, bytes)
        length += UInt64(bytes.count)
        var start = 0
        while start < bytes.count {
            start += pieces[current].fill(bytes.extracting(start..<bytes.count))
            if pieces[current].isFull { try startCurrent() }
        }
    }

    func finish() throws {
        if !pieces[current].isEmpty { try startCurrent() }
        while busy > 0 { try collectOldest() }
        // A final block that holds nothing, then the sums, low bytes first.
        var trailer: [UInt8] = [3, 0]
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            trailer.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        for shift in stride(from: UInt64(0), to: 32, by: 8) {
            trailer.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        try output.write(trailer.span)
    }

    private func startCurrent() throws {
        pieces[current].compress(on: queue)
        current = (current + 1) % pieces.count
        busy += 1
        if busy == pieces.count { try collectOldest() }
    }

    private func collectOldest() throws {
        let piece = oldest
        piece.wait()
        busy -= 1
        try piece.take { try output.write($0) }
    }
}

/// One piece on its way: filled by the compressor's thread, compressed on another, taken by the first.
///
/// Unchecked: between `compress(on:)` and the return of `wait()` only the block on the queue touches the state, before
/// and after only the thread of the compressor, and the semaphore orders the two.
@safe
private final class GzipPiece: @unchecked Sendable {
    private var input: [UInt8]
    private var fill = 0
    private var output: [UInt8]
    private var produced = 0
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let done = DispatchSemaphore(value: 0)

    init(size: Int, level: CInt) throws {
        guard let stream = unsafe compression_deflate_new(level) else {
            throw LayerError(.unsupported, "there is not enough memory to compress a layer")
        }
        unsafe self.stream = unsafe stream
        input = [UInt8](repeating: 0, count: size)
        // What cannot be compressed is stored in blocks of at most 64 KiB with 5 bytes each.
        output = [UInt8](repeating: 0, count: size + size / 16)
    }

    deinit { unsafe free(stream) }

    var isFull: Bool { fill == input.count }
    var isEmpty: Bool { fill == 0 }

    /// Takes as many bytes as there is room for and returns how many.
    func fill(_ bytes: Span<UInt8>) -> Int {
        let count = min(bytes.count, input.count - fill)
        input.copy(bytes.extracting(0..<count), to: fill)
        fill += count
        return count
    }

    func compress(on queue: DispatchQueue) {
        queue.async { [self] in
            produced = deflate()
            done.signal()
        }
    }

    func wait() { done.wait() }

    func take(_ body: (Span<UInt8>) throws -> Void) throws {
        guard produced > 0 else { throw LayerError(.damaged, "a layer could not be compressed") }
        let output = output
        try body(output.span.extracting(0..<produced))
        fill = 0
    }

    private func deflate() -> Int {
        unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                Int(
                    unsafe compression_deflate(
                        stream, source.baseAddress, UInt32(fill), target.baseAddress, UInt32(target.count)))
            }
        }
    }
}
