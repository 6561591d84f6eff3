package import Linux
package import OCI

/// A source of bytes, in order.
package protocol ByteStream: AnyObject {
    /// Fills the front of `buffer`, not necessarily all of it, and returns how many bytes it wrote; 0 at the end.
    func read(into buffer: inout [UInt8]) throws -> Int

    /// Passes over bytes without reading them, at most `count`, and returns how many; 0 where that is not possible.
    func skip(_ count: Int64) throws -> Int64
}

extension ByteStream {
    package func skip(_ count: Int64) throws -> Int64 { 0 }

    /// Reads to the end.
    package func readAll() throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try read(into: &buffer)
            if count == 0 { return all }
            all += buffer[..<count]
        }
    }
}

/// The bytes of a blob.
package final class BlobStream: ByteStream {
    private let reader: any BlobReader

    package init(_ reader: any BlobReader) { self.reader = reader }

    package func read(into buffer: inout [UInt8]) throws -> Int { try reader.read(into: &buffer) }
}

/// The bytes of a file from its position on.
package final class DescriptorStream: ByteStream {
    private let descriptor: OwnedDescriptor

    package init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    package func read(into buffer: inout [UInt8]) throws -> Int { try descriptor.read(into: &buffer) }
}

/// The bytes of a file that others have open as well, from its position on.
package final class SharedStream: ByteStream {
    private let file: SharedDescriptor

    package init(_ file: SharedDescriptor) { self.file = file }

    package func read(into buffer: inout [UInt8]) throws -> Int { try file.descriptor.read(into: &buffer) }
}

/// A stream whose first bytes were read already, to see what they are.
package final class PrefixedStream: ByteStream {
    private var prefix: ArraySlice<UInt8>
    private let rest: any ByteStream

    package init(_ prefix: ArraySlice<UInt8>, _ rest: any ByteStream) {
        self.prefix = prefix
        self.rest = rest
    }

    package func read(into buffer: inout [UInt8]) throws -> Int {
        guard !prefix.isEmpty else { return try rest.read(into: &buffer) }
        let piece = Array(prefix.prefix(buffer.count))
        buffer.copy(piece.span, to: 0)
        prefix = prefix.dropFirst(piece.count)
        return piece.count
    }
}

/// Counts what is read, and hashes it if that is wanted.
final class HashingStream: ByteStream {
    private let source: any ByteStream
    private var hasher: DigestHasher?
    private(set) var size: Int64 = 0

    init(_ source: any ByteStream, isHashing: Bool) {
        self.source = source
        hasher = isHashing ? DigestHasher() : nil
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let count = try source.read(into: &buffer)
        hasher?.update(buffer.span.extracting(0..<count))
        size += Int64(count)
        return count
    }

    /// The digest of what was read, once; `nil` where nothing was hashed.
    func digest() -> Digest? {
        guard let hasher = hasher.take() else { return nil }
        return hasher.finish()
    }
}

/// The size of a buffer that grows when it was filled once: most layers are small, and a large buffer takes longer to
/// be made than they take to be read.
enum BufferSize {
    static let first = 32 << 10

    /// Makes a buffer larger, without keeping what is in it.
    static func grow(_ buffer: inout [UInt8], to size: Int) {
        if buffer.count < size { buffer = [UInt8](repeating: 0, count: size) }
    }
}

/// The input of the decoders: a buffer in front of a stream.
struct InputWindow {
    private let source: any ByteStream
    private let size: Int
    private var buffer: [UInt8]
    private(set) var position = 0
    private(set) var end = 0
    /// How many bytes of the source were used up.
    private(set) var consumed: Int64 = 0

    init(_ source: any ByteStream, size: Int = 256 << 10) {
        self.source = source
        self.size = size
        buffer = [UInt8](repeating: 0, count: min(size, BufferSize.first))
    }

    /// Reads on if the buffer is used up; says whether there are bytes.
    mutating func fill() throws -> Bool {
        if position < end { return true }
        if end == buffer.count { BufferSize.grow(&buffer, to: size) }
        position = 0
        end = 0
        end = try source.read(into: &buffer)
        return end > 0
    }

    /// The bytes at hand, at most `limit`. They are used up by ``advance(_:)``.
    func withBytes<Result>(limit: Int = .max, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try body(buffer.span.extracting(position..<position + min(limit, end - position)))
    }

    var first: UInt8 { buffer[position] }

    var count: Int { end - position }

    mutating func advance(_ count: Int) {
        position += count
        consumed += Int64(count)
    }

    /// Passes over bytes that are not in the buffer, which must be used up; returns how many.
    mutating func skip(_ count: Int64) throws -> Int64 {
        let skipped = try source.skip(count)
        consumed += skipped
        return skipped
    }
}
