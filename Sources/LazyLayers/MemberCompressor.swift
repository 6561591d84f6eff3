import CCompression
import Diagnostics
import Layers
import OCI

/// Compresses bytes to a gzip member or a zstd frame of their own.
///
/// The result depends on the bytes, the level and the version of the library alone.
@safe
final class MemberCompressor {
    @safe
    private enum Engine {
        case gzip(UnsafeMutablePointer<isal_zstream>)
        case zstd(OpaquePointer)
    }

    private let engine: Engine

    init(_ options: CompressionOptions) throws {
        switch options.compression {
        case .zstd:
            guard let context = unsafe ZSTD_createCCtx() else { throw Self.noMemory }
            engine = unsafe .zstd(context)
            for (parameter, value) in [(ZSTD_c_compressionLevel, options.zstdLevel), (ZSTD_c_checksumFlag, 1)] {
                try Self.check(unsafe ZSTD_CCtx_setParameter(context, parameter, value))
            }
        case .gzip, .none:
            guard let stream = unsafe compression_deflate_new(options.deflateLevel) else { throw Self.noMemory }
            engine = unsafe .gzip(stream)
        }
    }

    deinit {
        switch engine {
        case .gzip(let stream): unsafe free(stream)
        case .zstd(let context): unsafe ZSTD_freeCCtx(context)
        }
    }

    private static var noMemory: LazyLayersError {
        LazyLayersError(.unsupported, "there is not enough memory to compress a layer")
    }

    private static func check(_ code: Int) throws {
        guard ZSTD_isError(code) != 0 else { return }
        let name = unsafe String(cString: ZSTD_getErrorName(code))
        throw LazyLayersError(.unsupported, "zstd cannot compress: \(name)")
    }

    /// The most bytes that a member of `count` bytes takes.
    static func bound(_ count: Int) -> Int { max(ZSTD_compressBound(count), count + count / 16) + 1024 }

    /// Appends the bytes as a member.
    func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) throws {
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: Self.bound(bytes.count)))
        let count =
            switch engine {
            case .gzip(let stream): try unsafe Self.deflate(bytes, stream, &output, at: start)
            case .zstd(let context): try unsafe Self.compress(bytes, context, &output, at: start)
            }
        output.removeLast(output.count - start - count)
    }

    private static func compress(
        _ bytes: Span<UInt8>, _ context: OpaquePointer, _ output: inout [UInt8], at start: Int
    ) throws -> Int {
        let count = unsafe output.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe ZSTD_compress2(
                    context, target.baseAddress?.advanced(by: start), target.count - start, source.baseAddress,
                    source.count)
            }
        }
        try check(count)
        return count
    }

    /// The member as Go writes it: no flags, no time, unknown system. Source: RFC 1952.
    private static func deflate(
        _ bytes: Span<UInt8>, _ stream: UnsafeMutablePointer<isal_zstream>, _ output: inout [UInt8], at start: Int
    ) throws -> Int {
        let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
        for (index, byte) in header.enumerated() { output[start + index] = byte }
        guard let length = UInt32(exactly: bytes.count) else { throw noMemory }
        var checksum: UInt32 = 0
        let produced = unsafe output.withUnsafeMutableBufferPointer { target in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe checksum = crc32_gzip_refl(0, source.baseAddress, UInt64(source.count))
                return unsafe compression_deflate(
                    stream, source.baseAddress, length, target.baseAddress?.advanced(by: start + header.count),
                    UInt32(clamping: target.count - start - header.count))
            }
        }
        guard produced > 0 || bytes.isEmpty else {
            throw LazyLayersError(.damaged, "a piece of a layer could not be compressed")
        }
        // A final block that holds nothing, then the sums, low bytes first.
        var end = start + header.count + Int(max(0, produced))
        for byte in [3, 0] + checksum.littleEndianBytes + length.littleEndianBytes {
            output[end] = byte
            end += 1
        }
        return end - start
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
    }
}
