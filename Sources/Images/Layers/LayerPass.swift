import Dispatch
package import Layers
import Synchronization

/// Reads a whole layer from its blob's bytes, and gives what it holds.
package typealias LayerReading = @Sendable (any Layers.ByteStream) throws -> LayerSummary

/// Reads a layer on a thread of its own while its bytes are handed over.
final class LayerPass: Sendable {
    private let queue = ByteQueue()
    private let result = Mutex<LayerSummary?>(nil)
    private let done = DispatchSemaphore(value: 0)

    /// `reading` is called once, on that thread.
    init(_ reading: @escaping LayerReading = { try LayerReader.readFileList(from: $0) }) {
        let (queue, done) = (queue, done)
        DispatchQueue(label: "layer").async { [weak self] in
            let summary = try? reading(queue)
            queue.stopReading()
            self?.result.withLock { $0 = summary }
            done.signal()
        }
    }

    /// Hands bytes over, and waits while the reader is far behind. A layer that cannot be read takes no more.
    func write(_ bytes: Span<UInt8>) { queue.append(bytes) }

    /// Ends the layer and waits for what it holds; `nil` if it cannot be read.
    func finish() -> LayerSummary? {
        queue.close()
        done.wait()
        done.signal()
        return result.withLock { $0 }
    }

    /// Ends the reading of a layer of which no more comes.
    func abandon() { queue.close() }
}

/// Bytes from one thread to another, a few pieces at a time.
private final class ByteQueue: Layers.ByteStream, Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        /// Pieces that were read, whose memory is used again.
        var spent: [[UInt8]] = []
        /// The bytes of the first piece that were read.
        var offset = 0
        var isClosed = false
        var isReaderGone = false
    }

    private static let capacity = 4

    private let state = Mutex(State())
    /// One signal for each piece that may be added; it begins with 0, since a semaphore may not be dropped below the value
    /// that it began with.
    private let free = DispatchSemaphore(value: 0)
    /// One signal for each piece that is there, and one for the end.
    private let filled = DispatchSemaphore(value: 0)

    init() { for _ in 0..<Self.capacity { free.signal() } }

    func append(_ bytes: Span<UInt8>) {
        guard bytes.count > 0, !state.withLock({ $0.isReaderGone || $0.isClosed }) else { return }
        free.wait()
        var piece = state.withLock { $0.spent.popLast() } ?? []
        piece.removeAll(keepingCapacity: true)
        unsafe bytes.withUnsafeBufferPointer { unsafe piece.append(contentsOf: $0) }
        state.withLock { $0.pieces.append(piece) }
        filled.signal()
    }

    func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { filled.signal() }
    }

    func stopReading() {
        state.withLock { $0.isReaderGone = true }
        // A writer may wait, and others may come before they see it.
        free.signal()
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        if state.withLock({ $0.pieces.isEmpty || $0.offset == 0 }) { filled.wait() }
        let room = buffer.count
        let (count, isUsedUp) = state.withLock { state -> (Int, Bool) in
            guard let piece = state.pieces.first else { return (0, false) }
            let range = state.offset..<min(piece.count, state.offset + room)
            buffer.replaceSubrange(0..<range.count, with: piece[range])
            let isUsedUp = range.upperBound == piece.count
            state.offset = isUsedUp ? 0 : range.upperBound
            return (range.count, isUsedUp)
        }
        // The end is there for every later call.
        if count == 0 { filled.signal() }
        if isUsedUp {
            state.withLock { state in state.spent.append(state.pieces.removeFirst()) }
            free.signal()
        }
        return count
    }
}
