import Diagnostics
package import Linux
package import OCI
package import Registry
import Synchronization

/// Copies blobs that can be read at once, piece by piece.
package enum BlobCopy {
    private static let pieceSize = 1 << 20

    /// Brings a blob into a sink, unless it is there. Throws ``TransportsError`` `.badArchive` when it is not of its size
    /// and digest.
    package static func run(
        _ blob: Descriptor, from open: @escaping @Sendable (Descriptor, Int64) throws -> any BlobReader,
        into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let isCancelled = Mutex(false)
        try await withTaskCancellationHandler {
            try await offload {
                if try sink.contains(blob.digest) { return }
                try copy(blob, from: try open(blob, 0), into: sink) { count in
                    guard !isCancelled.withLock({ $0 }) else { throw CancellationError() }
                    progress(count)
                }
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
        }
    }

    private static func copy(
        _ blob: Descriptor, from reader: any BlobReader, into sink: any BlobSink,
        progress: (Int64) throws -> Void
    ) throws {
        let writer = try sink.writer(for: blob)
        do {
            var hasher = DigestHasher()
            var buffer = [UInt8](repeating: 0, count: pieceSize)
            var count: Int64 = 0
            while true {
                let length = try reader.read(into: &buffer)
                if length == 0 { break }
                count += Int64(length)
                guard count <= blob.size else { throw mismatch(blob, "is longer than \(blob.size) bytes") }
                let bytes = buffer.span.extracting(..<length)
                hasher.update(bytes)
                try writer.write(bytes)
                try progress(count)
            }
            guard count == blob.size else { throw mismatch(blob, "ends after \(count) of \(blob.size) bytes") }
            let digest = hasher.finish()
            guard digest == blob.digest else { throw mismatch(blob, "is really \(digest)") }
            try writer.commit(as: digest)
        } catch {
            writer.discard()
            throw error
        }
    }

    private static func mismatch(_ blob: Descriptor, _ what: String) -> TransportsError {
        TransportsError(
            .badArchive, "the blob \(blob.digest) \(what)", hint: "The image is damaged: make it or get it again.")
    }

    /// The bytes of something that can be opened at any place.
    package static func origin(_ open: @escaping @Sendable (Int64) throws -> any BlobReader) -> BlobOrigin {
        { range in
            Registry.ByteStream {
                var reader: (any BlobReader)?
                var left = Int64(range.count)
                return {
                    guard left > 0 else { return nil }
                    let (known, count) = (reader, Int(min(left, Int64(pieceSize / 4))))
                    let (piece, current) = try await offload {
                        let current = try known ?? open(range.lowerBound)
                        var buffer = [UInt8](repeating: 0, count: count)
                        let length = try current.read(into: &buffer)
                        return (Array(buffer.prefix(length)), current)
                    }
                    reader = current
                    left -= Int64(piece.count)
                    return piece.isEmpty ? nil : piece
                }
            }
        }
    }
}

/// Part of a file, read by positions of its own.
package final class FileRangeReader: BlobReader {
    private let file: SharedDescriptor
    private let range: Mutex<Range<Int64>>

    package init(_ file: SharedDescriptor, _ range: Range<Int64>) {
        self.file = file
        self.range = Mutex(range)
    }

    package func read(into buffer: inout [UInt8]) throws -> Int {
        try range.withLock { range in
            let wanted = Int(min(Int64(range.count), Int64(buffer.count)))
            guard wanted > 0 else { return 0 }
            let count = min(wanted, try file.descriptor.read(into: &buffer, from: range.lowerBound))
            range = range.lowerBound + Int64(count)..<range.upperBound
            return count
        }
    }
}
