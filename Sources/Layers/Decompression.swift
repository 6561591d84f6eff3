import CCompression
import Diagnostics

/// How a stream is compressed, told by its first bytes; what a media type says may be wrong.
package enum StreamFormat: Hashable, Sendable {
    case plain, gzip, zstd, bzip2, xz

    /// Needs six bytes, or all if there are fewer.
    package init(magic bytes: some Collection<UInt8>) {
        let bytes = Array(bytes.prefix(6))
        let isSkippableFrame = bytes.count >= 4 && bytes[0] & 0xf0 == 0x50 && bytes[1...3] == [0x2a, 0x4d, 0x18]
        if bytes.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableFrame {
            self = .zstd
        } else if bytes.starts(with: "BZh".utf8) {
            self = .bzip2
        } else if bytes.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) {
            self = .xz
        } else {
            self = .plain
        }
    }
}

/// The bytes of a stream without the compression that it has, if it has any.
package final class DecompressedStream: ByteStream {
    package let format: StreamFormat
    private let stream: any ByteStream

    package init(_ source: any ByteStream) throws {
        var start: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while start.count < 6 {
            let count = try source.read(into: &buffer)
            if count == 0 { break }
            start += buffer[..<count]
        }
        format = StreamFormat(magic: start)
        let whole = PrefixedStream(start[...], source)
        stream =
            switch format {
            case .plain: whole
            case .gzip: try GzipReader(whole)
            case .zstd: try ZstdReader(whole)
            case .bzip2: try Bzip2Reader(whole)
            case .xz: try XZReader(whole)
            }
    }

    package func read(into buffer: inout [UInt8]) throws -> Int { try stream.read(into: &buffer) }
}

/// Reads gzip of any number of members, by ISA-L. Zeros may follow, as tapes have them.
///
/// Source: RFC 1952.
@safe
package final class GzipReader: ByteStream {
    private var input: InputWindow
    private let state: UnsafeMutablePointer<inflate_state>
    private var isInMember = true

    package init(_ source: any ByteStream) throws {
        guard let state = unsafe compression_inflate_new() else {
            throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
        }
        unsafe self.state = unsafe state
        input = InputWindow(source)
    }

    deinit { unsafe free(state) }

    package func read(into buffer: inout [UInt8]) throws -> Int {
        while true {
            let hasInput = try input.fill()
            if !isInMember {
                guard hasInput else { return 0 }
                if input.first == 0 {
                    input.advance(1)
                    continue
                }
                unsafe compression_inflate_reset(state)
                isInMember = true
            }
            let produced = try inflate(into: &buffer)
            if produced > 0 { return produced }
            if isInMember, !hasInput { throw LayerError(.truncated, "the layer's gzip stream ends too early") }
        }
    }

    private func inflate(into buffer: inout [UInt8]) throws -> Int {
        var finished: CInt = 0
        var code: CInt = 0
        var used = 0
        let produced = unsafe buffer.withUnsafeMutableBufferPointer { target in
            input.withBytes { bytes in
                unsafe bytes.withUnsafeBufferPointer { source in
                    var next = source.baseAddress
                    var left = UInt32(source.count)
                    var output = target.baseAddress
                    var room = UInt32(clamping: target.count)
                    let space = room
                    code = unsafe compression_inflate(state, &next, &left, &output, &room, &finished)
                    used = source.count - Int(left)
                    return Int(space - room)
                }
            }
        }
        input.advance(used)
        if finished != 0 { isInMember = false }
        guard code >= 0 else { throw LayerError(.damaged, "the layer's gzip stream is damaged") }
        return produced
    }
}

/// Reads zstd of any number of frames, by libzstd; windows of more than 128 MiB are refused.
///
/// Source: RFC 8878.
@safe
package final class ZstdReader: ByteStream {
    private var input: InputWindow
    private let context: OpaquePointer
    private var isInFrame = true

    package init(_ source: any ByteStream) throws {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
        }
        unsafe self.context = unsafe context
        input = InputWindow(source)
    }

    deinit { unsafe ZSTD_freeDCtx(context) }

    package func read(into buffer: inout [UInt8]) throws -> Int {
        while true {
            let hasInput = try input.fill()
            if !isInFrame, !hasInput { return 0 }
            var used = 0
            var code = 0
            let produced = unsafe buffer.withUnsafeMutableBytes { target in
                input.withBytes { bytes in
                    unsafe bytes.withUnsafeBytes { raw in
                        var source = unsafe ZSTD_inBuffer(src: raw.baseAddress, size: raw.count, pos: 0)
                        var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                        code = unsafe ZSTD_decompressStream(context, &output, &source)
                        unsafe used = source.pos
                        return unsafe output.pos
                    }
                }
            }
            input.advance(used)
            if ZSTD_isError(code) != 0 {
                let name = unsafe String(cString: ZSTD_getErrorName(code))
                throw LayerError(.damaged, "the layer's zstd stream is damaged: \(name)")
            }
            isInFrame = code != 0
            if produced > 0 { return produced }
            if isInFrame, !hasInput { throw LayerError(.truncated, "the layer's zstd stream ends too early") }
        }
    }
}
