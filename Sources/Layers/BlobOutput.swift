import Dispatch
package import OCI

/// Counts and hashes what goes to a blob, and passes it on: one buffer is hashed and written while the next is filled.
package final class BlobOutput {
    private static let bufferSize = 1 << 20

    /// Grows to its size with the first bytes: many blobs are small.
    private var buffer: [UInt8] = []
    private let writer: BlobOutputWriter
    private let queue = DispatchQueue(label: "blob-output")
    private var isWriting = false
    package private(set) var size: Int64 = 0

    /// An output that is not hashed has no ``digest()``.
    package init(_ sink: @escaping (Span<UInt8>) throws -> Void, isHashed: Bool) {
        writer = BlobOutputWriter(sink, isHashed: isHashed)
    }

    deinit {
        if isWriting { writer.done.wait() }
    }

    /// Throws what went wrong with these bytes or with any before.
    package func write(_ bytes: Span<UInt8>) throws {
        size += Int64(bytes.count)
        var start = 0
        while start < bytes.count {
            let count = min(bytes.count - start, Self.bufferSize - buffer.count)
            buffer.append(bytes.extracting(start..<start + count))
            start += count
            if buffer.count == Self.bufferSize { try handOver() }
        }
    }

    private func handOver() throws {
        try wait()
        swap(&buffer, &writer.bytes)
        buffer.removeAll(keepingCapacity: true)
        isWriting = true
        queue.async { [writer] in
            writer.write()
            writer.done.signal()
        }
    }

    private func wait() throws {
        guard isWriting else { return }
        writer.done.wait()
        isWriting = false
        try writer.result.get()
    }

    /// Returns when all was passed on.
    package func finish() throws {
        try wait()
        swap(&buffer, &writer.bytes)
        buffer = []
        writer.write()
        try writer.result.get()
    }

    /// May be asked for once, after ``finish()``.
    package func digest() -> Digest {
        guard let hasher = writer.hasher.take() else { preconditionFailure("there is no digest, or it was taken") }
        return hasher.finish()
    }
}

/// The half of an output that works on another thread.
///
/// Unchecked: from its start to the signal of `done` only the block on the queue touches the state, before and after
/// only the thread of the output, and the semaphore orders the two.
private final class BlobOutputWriter: @unchecked Sendable {
    private let sink: (Span<UInt8>) throws -> Void
    var hasher: DigestHasher?
    var bytes: [UInt8] = []
    private(set) var result: Result<Void, any Error> = .success(())
    let done = DispatchSemaphore(value: 0)

    init(_ sink: @escaping (Span<UInt8>) throws -> Void, isHashed: Bool) {
        self.sink = sink
        hasher = isHashed ? DigestHasher() : nil
    }

    func write() {
        let bytes = bytes
        hasher?.update(bytes.span)
        do { try sink(bytes.span) } catch { result = .failure(error) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
