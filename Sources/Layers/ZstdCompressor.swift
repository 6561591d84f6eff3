import CCompression
import Diagnostics

/// Compresses to one zstd frame with a checksum, by libzstd's own threads.
///
/// libzstd cuts the input into jobs of a size that is fixed here, so the result does not depend on how many threads
/// there are; only its mode without threads differs, and that is not used.
@safe
final class ZstdCompressor: Compressor {
    private static let jobSize: CInt = 4 << 20

    private let context: OpaquePointer
    private let target: BlobOutput
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    init(_ options: CompressionOptions, _ output: BlobOutput) throws {
        guard let context = unsafe ZSTD_createCCtx() else {
            throw LayerError(.unsupported, "there is not enough memory to compress a layer")
        }
        unsafe self.context = unsafe context
        target = output
        let settings: [(ZSTD_cParameter, CInt)] = [
            (ZSTD_c_compressionLevel, options.zstdLevel), (ZSTD_c_checksumFlag, 1),
            (ZSTD_c_nbWorkers, CInt(clamping: options.threads)), (ZSTD_c_jobSize, Self.jobSize),
        ]
        for (parameter, value) in settings {
            try Self.check(unsafe ZSTD_CCtx_setParameter(context, parameter, value))
        }
    }

    deinit { unsafe ZSTD_freeCCtx(context) }

    func write(_ bytes: Span<UInt8>) throws {
        try unsafe bytes.withUnsafeBytes { raw in
            var input = unsafe ZSTD_inBuffer(src: raw.baseAddress, size: raw.count, pos: 0)
            while unsafe input.pos < input.size { try unsafe step(&input, ZSTD_e_continue) }
        }
    }

    func finish() throws {
        var input = unsafe ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try unsafe step(&input, ZSTD_e_end) != 0 {}
    }

    /// Runs the compressor once and passes on what it made; returns how much it still holds.
    @discardableResult
    private func step(_ input: inout ZSTD_inBuffer, _ mode: ZSTD_EndDirective) throws -> Int {
        let (left, count) = unsafe buffer.withUnsafeMutableBytes { raw in
            var output = unsafe ZSTD_outBuffer(dst: raw.baseAddress, size: raw.count, pos: 0)
            let left = unsafe ZSTD_compressStream2(context, &output, &input, mode)
            return (left, unsafe output.pos)
        }
        try Self.check(left)
        guard count > 0 else { return left }
        let buffer = buffer
        try target.write(buffer.span.extracting(0..<count))
        return left
    }

    fileprivate static func check(_ code: Int) throws {
        guard ZSTD_isError(code) != 0 else { return }
        throw LayerError(.unsupported, "zstd cannot compress: \(unsafe String(cString: ZSTD_getErrorName(code)))")
    }
}

extension [UInt8] {
    /// The bytes as a zstd frame, made by this thread with memory for no more than they are.
    package func compressedAtOnce(level: Int = 1) throws -> [UInt8] {
        var count = 0
        var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(self.count))
        unsafe withUnsafeBytes { source in
            unsafe frame.withUnsafeMutableBytes { target in
                count = unsafe ZSTD_compress(
                    target.baseAddress, target.count, source.baseAddress, source.count, CInt(clamping: level))
            }
        }
        try ZstdCompressor.check(count)
        return Array(frame[..<count])
    }
}
