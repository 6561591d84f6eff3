import Diagnostics
import Glibc
import Layers
import Linux
import OCI
import Registry
import Synchronization
import SystemPackage
import Transports

/// A layer of an image outside of the store, for reading by a thread that may wait.
struct LayerBlob: Sendable {
    let reader: any ImageReader
    let descriptor: Descriptor
    /// Gets the number of bytes that have arrived, where they come over a network.
    var progress: @Sendable (Int64) -> Void = { _ in }

    /// Opens the layer where it is, or begins to fetch it.
    func open() throws -> any Layers.ByteStream {
        if let file = try reader.file(of: descriptor) { return BlobStream(file) }
        return try BlobDownload { [self] sink in
            try await reader.copy(descriptor, into: sink, progress: progress)
        }
    }

    /// Begins to fetch part of the layer. Nothing proves that its bytes are the right ones.
    func open(_ range: Range<Int64>) throws -> any Layers.ByteStream {
        try BlobDownload { [self] sink in
            for try await piece in try await reader.origin(of: descriptor)(range) {
                try sink.write(piece.span)
            }
        }
    }
}

/// The bytes of a blob as they arrive.
///
/// They are passed on through a pair of sockets: the writing end waits for the reading one, so only a few buffers of the
/// blob are ever in memory.
private final class BlobDownload: Layers.ByteStream {
    private let source: DescriptorStream
    private let outcome: Outcome
    private let task: Task<Void, Never>

    /// The reason why the bytes end before the end of the blob.
    private final class Outcome: Sendable {
        let failure = Mutex<(any Error)?>(nil)
    }

    init(_ fetch: @escaping @Sendable (SocketSink) async throws -> Void) throws {
        let ends = try SocketPair.make()
        source = DescriptorStream(OwnedDescriptor(FileDescriptor(rawValue: ends.reading)))
        let outcome = Outcome()
        self.outcome = outcome
        let sink = SocketSink(ends.writing)
        task = Task {
            do { try await fetch(sink) } catch { outcome.failure.withLock { $0 = error } }
            sink.close()
        }
    }

    deinit { task.cancel() }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let count = try source.read(into: &buffer)
        if count == 0, let error = outcome.failure.withLock({ $0 }) { throw error }
        return count
    }
}

/// Two connected ends, of which the writing one reports a reader that is gone by an error and not by a signal.
private enum SocketPair {
    static func make() throws -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [0, 0]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw LinuxError(Errno(rawValue: errno), "make", "a pair of sockets")
        }
        return (ends[0], ends[1])
    }
}

/// Takes one blob into the writing end of a pair of sockets.
private final class SocketSink: BlobSink, BlobWriter {
    private let descriptor: Mutex<CInt?>

    init(_ descriptor: CInt) { self.descriptor = Mutex(descriptor) }

    /// The reader has all it wants.
    private struct ReaderGone: Error {}

    func contains(_ digest: Digest) throws -> Bool { false }

    func writer(for descriptor: Descriptor) throws -> any BlobWriter { self }

    func write(_ bytes: Span<UInt8>) throws {
        guard let descriptor = descriptor.withLock({ $0 }) else { throw ReaderGone() }
        try unsafe bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                let count = unsafe send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw ReaderGone() }
                sent += count
            }
        }
    }

    func commit(as digest: Digest) throws {}

    func discard() {}

    /// Ends the bytes. Called once, after the last write.
    func close() {
        let number = descriptor.withLock { $0.take() }
        if let number { Glibc.close(number) }
    }
}
