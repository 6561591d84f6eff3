import CCompression
import Diagnostics

/// Reads xz of any number of streams, by liblzma.
///
/// Source: the specification of the .xz file format.
@safe
final class XZReader: ByteStream {
    /// The most memory that a stream may ask for, in bytes; `xz -9` needs 65 MiB.
    private static let memoryLimit: UInt64 = 256 << 20

    private var input: InputWindow
    private let stream: UnsafeMutablePointer<lzma_stream>
    private var hasEnded = false

    init(_ source: any ByteStream) throws {
        guard let stream = unsafe compression_xz_new(Self.memoryLimit) else {
            throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
        }
        unsafe self.stream = unsafe stream
        input = InputWindow(source)
    }

    deinit { unsafe compression_xz_free(stream) }

    func read(into buffer: inout [UInt8]) throws -> Int {
        while !hasEnded {
            let hasInput = try input.fill()
            var code = LZMA_OK
            var used = 0
            let produced = unsafe buffer.withUnsafeMutableBufferPointer { target in
                input.withBytes { bytes in
                    unsafe bytes.withUnsafeBufferPointer { source in
                        unsafe stream.pointee.next_in = source.baseAddress
                        unsafe stream.pointee.avail_in = source.count
                        unsafe stream.pointee.next_out = target.baseAddress
                        unsafe stream.pointee.avail_out = target.count
                        // Without input the library is told that this was all.
                        unsafe code = lzma_code(stream, hasInput ? LZMA_RUN : LZMA_FINISH)
                        unsafe used = source.count - stream.pointee.avail_in
                        return unsafe target.count - stream.pointee.avail_out
                    }
                }
            }
            input.advance(used)
            hasEnded = code == LZMA_STREAM_END
            if produced > 0 { return produced }
            try check(code, hasInput: hasInput)
        }
        return 0
    }

    private func check(_ code: lzma_ret, hasInput: Bool) throws {
        switch code {
        case LZMA_OK where hasInput, LZMA_STREAM_END: return
        case LZMA_OK, LZMA_BUF_ERROR: throw LayerError(.truncated, "the layer's xz stream ends too early")
        case LZMA_MEMLIMIT_ERROR:
            throw LayerError(.unsupported, "the layer's xz stream needs more than 256 MiB of memory")
        case LZMA_MEM_ERROR: throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
        case LZMA_OPTIONS_ERROR:
            throw LayerError(.unsupported, "the layer's xz stream uses a filter that is not supported")
        default: throw LayerError(.damaged, "the layer's xz stream is damaged")
        }
    }
}
