import Registry
import Synchronization

/// The body of a request on its way from the task that produces it to the event thread.
///
/// At most two pieces wait: the producer is asked for more when the first has been taken.
final class CurlUpload: Sendable {
    /// The answer to the event thread when it asks for bytes.
    enum Portion {
        case bytes(Int)
        /// There are none yet; `resume` is called when there are.
        case later
        case failed
    }

    private struct State {
        var pieces: [[UInt8]] = []
        /// How much of the first piece has been taken.
        var offset = 0
        /// The event thread found nothing to take.
        var isStarved = false
        var isClosed = false
        var end: Result<Void, any Error>?
        var task: Task<Void, Never>?
        var waiter: CheckedContinuation<Void, Never>?

        mutating func wake() {
            waiter?.resume()
            waiter = nil
        }
    }

    private let resume: @Sendable () -> Void
    private let state = Mutex(State())

    /// Begins to produce `stream` from its front.
    init(_ stream: ByteStream, resume: @escaping @Sendable () -> Void) {
        self.resume = resume
        let task = Task { await self.pump(stream) }
        state.withLock { $0.task = task }
    }

    private func pump(_ stream: ByteStream) async {
        do {
            for try await piece in stream where !piece.isEmpty {
                guard await offer(piece) else { return }
            }
            end(.success(()))
        } catch {
            end(.failure(error))
        }
    }

    /// Adds a piece and waits until another may come; `false` when none is wanted any more.
    private func offer(_ piece: [UInt8]) async -> Bool {
        let isStarved = state.withLock { state in
            state.pieces.append(piece)
            defer { state.isStarved = false }
            return state.isStarved
        }
        if isStarved { resume() }
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard !state.isClosed, state.pieces.count > 1 else { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { !$0.isClosed }
    }

    private func end(_ result: Result<Void, any Error>) {
        let isStarved = state.withLock { state in
            state.end = result
            return state.isStarved
        }
        if isStarved { resume() }
    }

    /// Moves bytes into `buffer`, on the event thread. None at the end of the body.
    func take(into buffer: UnsafeMutableRawBufferPointer) -> Portion {
        state.withLock { state in
            var count = 0
            while let piece = state.pieces.first, count < buffer.count {
                let part = piece[state.offset...].prefix(buffer.count - count)
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                unsafe part.withUnsafeBytes { unsafe rest.copyBytes(from: $0) }
                count += part.count
                state.offset += part.count
                guard state.offset == piece.count else { continue }
                state.pieces.removeFirst()
                state.offset = 0
                state.wake()
            }
            if count > 0 { return .bytes(count) }
            switch state.end {
            case .success: return .bytes(0)
            case .failure: return .failed
            case nil:
                state.isStarved = true
                return .later
            }
        }
    }

    /// Whether the connection waits for bytes of the producer.
    var isStarved: Bool { state.withLock { $0.isStarved } }

    /// Why the body could not be produced.
    var failure: (any Error)? {
        state.withLock { state in
            guard case .failure(let error) = state.end else { return nil }
            return error
        }
    }

    /// Ends the production: the exchange is over, or the body begins anew.
    func close() {
        let task = state.withLock { state in
            state.isClosed = true
            state.wake()
            return state.task
        }
        task?.cancel()
    }
}
