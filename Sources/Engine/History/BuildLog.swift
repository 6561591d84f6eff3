import Diagnostics
import Layers
import Linux
import OCI
package import Solver
package import Store

/// What the steps of a build wrote, as it came: pieces of output, each with its step, its pipe and its time.
///
/// It goes to a file at once, so that memory does not grow with it. A piece is the number of its step (4 bytes), the
/// pipe (1), the time in nanoseconds since the start of the build (8) and the count of bytes (4), least significant
/// byte first, and the bytes.
struct BuildLogWriter: ~Copyable {
    /// Shorter logs are kept as they are.
    private static let compressedSize: Int64 = 16 << 10

    private let index: BuildIndex
    private let file: BuildLogFile
    private var size: Int64 = 0
    private var isBroken = false

    init(_ index: BuildIndex) throws {
        self.index = index
        file = try index.beginLog()
    }

    /// Appends a piece. A log that cannot be written ends there: the build goes on.
    mutating func append(_ bytes: [UInt8], _ stream: OutputStream, of step: StepID, at time: Duration) {
        guard !isBroken else { return }
        var piece: [UInt8] = []
        piece.reserveCapacity(bytes.count + 17)
        piece.append(UInt64(step.number), bytes: 4)
        piece.append(UInt8(stream.rawValue))
        piece.append(UInt64(bitPattern: time.nanoseconds), bytes: 8)
        piece.append(UInt64(bytes.count), bytes: 4)
        piece += bytes
        do {
            try file.write(piece.span)
            size += Int64(piece.count)
        } catch {
            isBroken = true
        }
    }

    /// The whole log, compressed if that is worth it.
    consuming func finish() throws -> BuildLogFile {
        guard size > Self.compressedSize else { return file }
        let compressed = try index.beginLog()
        var writer = try CompressedBlobWriter(CompressionOptions(.zstd, threads: 1), to: compressed.sink)
        try file.rewind()
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            hasher.update(buffer.span.extracting(..<count))
            try writer.write(buffer.span.extracting(..<count))
        }
        _ = try writer.finish(uncompressed: hasher.finish())
        return compressed
    }
}

/// Reads a build's log piece by piece.
package struct BuildLogReader: ~Copyable {
    /// A piece of output.
    package struct Piece: Hashable, Sendable {
        package let step: StepID
        package let stream: OutputStream
        /// Since the start of the build.
        package let time: Duration
        package let bytes: [UInt8]
    }

    private let stream: DecompressedStream
    private var held: [UInt8] = []
    private var position = 0
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// `nil` when nothing of the build's output is kept.
    package init?(of build: BuildRecord, in store: StoreRoot) throws {
        guard let file = try store.builds.openLog(build.id) else { return nil }
        stream = try DecompressedStream(DescriptorStream(file))
    }

    /// The next piece; `nil` at the end, which may come early after a crash of the machine.
    package mutating func next() throws -> Piece? {
        guard let header = try take(17), let stream = OutputStream(rawValue: Int(header[4])),
            let bytes = try take(Int(header[13..<17].integer))
        else { return nil }
        return Piece(
            step: StepID(number: Int(header[0..<4].integer)), stream: stream,
            time: .nanoseconds(Int64(truncatingIfNeeded: header[5..<13].integer)), bytes: bytes)
    }

    private mutating func take(_ count: Int) throws -> [UInt8]? {
        while held.count - position < count {
            if position > 0 {
                held.removeFirst(position)
                position = 0
            }
            let read = try stream.read(into: &buffer)
            if read == 0 { return nil }
            held += buffer[..<read]
        }
        defer { position += count }
        return Array(held[position..<position + count])
    }
}

extension ArraySlice<UInt8> {
    /// The number that these bytes are, the least significant first.
    fileprivate var integer: UInt64 { reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: UInt64, bytes count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
