import CCompression
package import Linux
package import OCI

/// How a layer blob is compressed.
package struct CompressionOptions: Hashable, Sendable {
    package var compression: Compression
    /// As the users of the format count them: gzip 0 to 9, zstd 1 to 22. `nil` is fast: about gzip's 1, and zstd's 3.
    package var level: Int?
    /// How many threads compress. The result does not depend on it.
    package var threads: Int

    package init(_ compression: Compression, level: Int? = nil, threads: Int? = nil) {
        self.compression = compression
        self.level = level
        self.threads = max(1, threads ?? Processors.online)
    }
}

extension CompressionOptions {
    /// The program that compresses, with its version: two that are equal make the same bytes.
    package var program: String {
        switch compression {
        case .none: "none"
        case .gzip: "isa-l \(unsafe String(cString: compression_deflate_version()))"
        case .zstd: "zstd \(unsafe String(cString: ZSTD_versionString()))"
        }
    }

    /// ISA-L's level for gzip's.
    ///
    /// ISA-L's level 3 is left out: its matches depend on whether the processor has AVX2 or AVX-512. Those of the others
    /// are the same on all that have SSE 4.2.
    package var deflateLevel: CInt {
        switch level ?? 1 {
        case ...0: 0
        case ...3: 1
        default: 2
        }
    }

    /// The level as libzstd takes it.
    package var zstdLevel: CInt { CInt(min(max(level ?? 3, 1), 22)) }
}

/// Compresses, hashes and writes a blob in one pass and with bounded memory.
///
/// Hashing and writing happen on a thread of their own once there is enough to be worth it.
package struct CompressedBlobWriter: ~Copyable {
    private let compressor: any Compressor
    private let output: BlobOutput
    private let compression: Compression

    /// Passes the blob to `sink` piece by piece and in order. Until ``finish(uncompressed:)`` returns, or the writer is
    /// gone, `sink` is called from another thread, and must have what it uses for itself.
    package init(_ options: CompressionOptions, to sink: @escaping (Span<UInt8>) throws -> Void) throws {
        // The digest of an uncompressed blob is that of the archive, which the caller may have anyway.
        let output = BlobOutput(sink, isHashed: options.compression != .none)
        self.output = output
        compression = options.compression
        compressor =
            switch options.compression {
            case .none: StoringCompressor(output)
            case .gzip: try GzipCompressor(options, output)
            case .zstd: try ZstdCompressor(options, output)
            }
    }

    /// Writes the blob to a file from its position on.
    package init(_ options: CompressionOptions, to file: consuming OwnedDescriptor) throws {
        let file = SharedDescriptor(file)
        try self.init(options) { try file.descriptor.write($0) }
    }

    package mutating func write(_ bytes: Span<UInt8>) throws { try compressor.write(bytes) }

    /// Ends the blob. Needs the digest of the bytes that were written, which is the blob's if it is not compressed.
    package consuming func finish(uncompressed digest: Digest) throws -> Descriptor {
        try compressor.finish()
        try output.finish()
        return Descriptor(
            mediaType: .ociLayer(compression), digest: compression == .none ? digest : output.digest(),
            size: output.size)
    }
}

/// Turns bytes into compressed ones, which it passes on when it likes.
protocol Compressor: AnyObject {
    func write(_ bytes: Span<UInt8>) throws
    func finish() throws
}

/// No compression.
private final class StoringCompressor: Compressor {
    private let output: BlobOutput

    init(_ output: BlobOutput) { self.output = output }

    func write(_ bytes: Span<UInt8>) throws { try output.write(bytes) }

    func finish() {}
}

extension CompressedBlobWriter {
    /// Writes the bytes of a layer, however compressed, as a blob that is compressed as `options` say.
    ///
    /// - Returns: the blob, and the digest of the bytes without compression.
    package static func recompress(
        _ source: any ByteStream, _ options: CompressionOptions, to sink: @escaping (Span<UInt8>) throws -> Void
    ) throws -> (blob: Descriptor, diffID: DiffID) {
        let stream = try DecompressedStream(source)
        var writer = try CompressedBlobWriter(options, to: sink)
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = try stream.read(into: &buffer)
            if count == 0 { break }
            let bytes = buffer.span.extracting(..<count)
            hasher.update(bytes)
            try writer.write(bytes)
        }
        let digest = hasher.finish()
        return (try writer.finish(uncompressed: digest), DiffID(digest))
    }
}
