import Diagnostics
package import Linux
import SystemPackage

/// A destination of bytes, in order.
package protocol ByteSink: ~Copyable {
    mutating func write(_ bytes: Span<UInt8>) throws
}

/// Writes a tar archive, byte for byte as BuildKit does: ustar with pax headers only where ustar does not suffice, and
/// two zero blocks at the end.
///
/// Source: Go's `archive/tar`; POSIX.1-2017, pax.
package struct TarWriter<Sink: ByteSink & ~Copyable>: ~Copyable {
    private var sink: Sink
    private var buffer = [UInt8](repeating: 0, count: 512 << 10)
    private var fill = 0

    package init(_ sink: consuming Sink) { self.sink = sink }

    /// Writes the header of an entry. That of a regular file must be followed by exactly its bytes.
    package mutating func writeHeader(_ entry: borrowing LayerEntry) throws {
        try append(Tar.header(of: entry).span)
    }

    /// Writes the whole content of a regular file and pads it.
    ///
    /// - Returns: the content's hash, see ``LayerEntry/contentHash``.
    package mutating func writeContent(_ bytes: Span<UInt8>) throws -> UInt64 {
        try append(bytes)
        try pad(after: Int64(bytes.count))
        return ContentHash.update(0, bytes)
    }

    /// Reads a file from its position to its end and writes it as the content of the entry.
    ///
    /// Throws ``LayerError`` `.fileChanged` when the file has not the size of the entry.
    ///
    /// - Returns: the content's hash, see ``LayerEntry/contentHash``.
    package mutating func writeContent(
        of entry: borrowing LayerEntry, from file: borrowing OwnedDescriptor
    ) throws -> UInt64 {
        var left = entry.size
        var hash: UInt64 = 0
        while true {
            if fill == buffer.count { try flush() }
            // A byte more than expected is asked for, so that one call reads a small file and sees that it ends.
            let count = try file.read(into: &buffer, at: fill, count: Int(min(left + 1, Int64(buffer.count - fill))))
            guard count > 0 else { break }
            guard count <= left else { throw Self.changed(entry) }
            hash = ContentHash.update(hash, buffer.span.extracting(fill..<fill + count))
            fill += count
            left -= Int64(count)
            // A regular file gives less than asked for only at its end.
            if left == 0, fill < buffer.count { break }
        }
        guard left == 0 else { throw Self.changed(entry) }
        try pad(after: entry.size)
        return hash
    }

    /// Writes the content of the entry as `body` passes it on, piece by piece, and returns what `body` does.
    ///
    /// Throws ``LayerError`` `.fileChanged` when the pieces have not the size of the entry together.
    package mutating func writeContent<Value>(
        of entry: borrowing LayerEntry, _ body: ((Span<UInt8>) throws -> Void) throws -> Value
    ) throws -> Value {
        var left = entry.size
        let value = try body { bytes in
            left -= Int64(bytes.count)
            try append(bytes)
        }
        guard left == 0 else { throw Self.changed(entry) }
        try pad(after: entry.size)
        return value
    }

    /// Ends the archive and gives the sink back.
    package consuming func finish() throws -> Sink {
        try append([UInt8](repeating: 0, count: 2 * Tar.block).span)
        try flush()
        return sink
    }

    private static func changed(_ entry: borrowing LayerEntry) -> LayerError {
        LayerError(
            .fileChanged, "'/\(entry.path.text)' changed its size while it was read",
            hint: "Make sure that nothing writes to the file during the build.")
    }

    private mutating func pad(after size: Int64) throws {
        let zeros = Tar.padding(after: size)
        if buffer.count - fill < zeros { try flush() }
        for index in fill..<fill + zeros { buffer[index] = 0 }
        fill += zeros
    }

    private mutating func append(_ bytes: Span<UInt8>) throws {
        var start = 0
        while start < bytes.count {
            if fill == buffer.count { try flush() }
            let count = min(bytes.count - start, buffer.count - fill)
            buffer.copy(bytes.extracting(start..<start + count), to: fill)
            fill += count
            start += count
        }
    }

    /// Passes on what was added, so that the sink's place is where the archive ends.
    package mutating func flush() throws {
        let buffer = buffer
        try sink.write(buffer.span.extracting(0..<fill))
        fill = 0
    }
}

extension [UInt8] {
    /// Overwrites the bytes from `offset` on, which must be there.
    mutating func copy(_ bytes: Span<UInt8>, to offset: Int) {
        precondition(offset >= 0 && bytes.count <= count - offset)
        unsafe withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
            }
        }
    }
}

extension OwnedDescriptor {
    /// Reads at most `count` bytes to `offset` in the buffer; 0 at the end. The corresponding system call is `read(2)`.
    func read(into buffer: inout [UInt8], at offset: Int, count: Int) throws -> Int {
        do {
            return try unsafe buffer.withUnsafeMutableBytes {
                try unsafe raw.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
        } catch let error as Errno {
            throw LinuxError(error, "read", "a file")
        }
    }
}
