import CCompression
import Diagnostics

/// Reads bzip2 of any number of members, by libbz2. Zeros may follow, as tapes have them.
@safe
final class Bzip2Reader: ByteStream {
    private var input: InputWindow
    private let stream: UnsafeMutablePointer<bz_stream>
    private var isInMember = true

    init(_ source: any ByteStream) throws {
        guard let stream = unsafe compression_bzip2_new() else {
            throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
        }
        unsafe self.stream = unsafe stream
        input = InputWindow(source)
    }

    deinit { unsafe compression_bzip2_free(stream) }

    func read(into buffer: inout [UInt8]) throws -> Int {
        while true {
            let hasInput = try input.fill()
            if !isInMember {
                guard hasInput else { return 0 }
                if input.first == 0 {
                    input.advance(1)
                    continue
                }
                guard unsafe compression_bzip2_reset(stream) == BZ_OK else {
                    throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
                }
                isInMember = true
            }
            let produced = try decompress(into: &buffer)
            if produced > 0 { return produced }
            if isInMember, !hasInput { throw LayerError(.truncated, "the layer's bzip2 stream ends too early") }
        }
    }

    private func decompress(into buffer: inout [UInt8]) throws -> Int {
        var code: CInt = 0
        var used = 0
        let produced = unsafe buffer.withUnsafeMutableBytes { target in
            input.withBytes { bytes in
                unsafe bytes.withUnsafeBytes { source in
                    let room = UInt32(clamping: target.count)
                    let count = UInt32(clamping: source.count)
                    // The library only reads from it, whatever its type says.
                    unsafe stream.pointee.next_in = UnsafeMutablePointer(
                        mutating: source.baseAddress?.assumingMemoryBound(to: CChar.self))
                    unsafe stream.pointee.avail_in = count
                    unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: CChar.self)
                    unsafe stream.pointee.avail_out = room
                    unsafe code = BZ2_bzDecompress(stream)
                    unsafe used = Int(count - stream.pointee.avail_in)
                    return unsafe Int(room - stream.pointee.avail_out)
                }
            }
        }
        input.advance(used)
        if code == BZ_STREAM_END { isInMember = false }
        guard code == BZ_OK || code == BZ_STREAM_END else {
            throw LayerError(.damaged, "the layer's bzip2 stream is damaged")
        }
        return produced
    }
}
