import Diagnostics
import Registry
import Synchronization

/// One exchange, as the task that wants it and the event thread share it.
///
/// The event thread writes the head, the body and the end; tasks read them, and ask the thread to go on or to stop.
final class CurlTransfer: Sendable {
    /// The first part of an answer.
    struct Head: Sendable {
        let status: Int
        let fields: HTTPFields
    }

    private struct State {
        var head: Head?
        var received: [UInt8] = []
        /// The event thread stopped reading as `received` is full.
        var isPaused = false
        var outcome: Result<Void, any Error>?
        /// Resumes the task that waits, which then looks again.
        var waiter: (@Sendable () -> Void)?

        mutating func wake() {
            waiter?()
            waiter = nil
        }
    }

    let request: HTTPRequest
    let peer: NetworkPeer
    let body: HTTPBody?
    private let loop: CurlEventLoop
    private let state = Mutex(State())

    /// Bytes that may wait for their reader before the connection is no longer read.
    private static let capacity = 512 << 10

    init(_ request: HTTPRequest, body: HTTPBody?, peer: NetworkPeer, loop: CurlEventLoop) {
        self.request = request
        self.body = body
        self.peer = peer
        self.loop = loop
    }

    // MARK: Tasks

    /// Starts the exchange and waits for the head of the answer.
    func start() async throws -> Head {
        loop.submit(.start(self))
        return try await value { state in
            if let head = state.head { return .success(head) }
            switch state.outcome {
            case .failure(let error): return .failure(error)
            case .success:
                return .failure(RegistryError(.malformedResponse, "\(peer.name) did not answer in HTTP"))
            case nil: return nil
            }
        }
    }

    /// The next piece of the body; `nil` at the end. What arrived before a failure comes before that failure.
    func nextPiece() async throws -> [UInt8]? {
        try await value { state in
            if case .failure(let error) = state.outcome, error is CancellationError { return .failure(error) }
            if !state.received.isEmpty {
                let piece = state.received
                state.received = []
                if state.isPaused {
                    state.isPaused = false
                    loop.submit(.resume(self))
                }
                return .success(piece)
            }
            return state.outcome.map { outcome in outcome.map { nil } }
        }
    }

    /// Tells the event thread that there are bytes to send.
    func resumeSending() { loop.submit(.resume(self)) }

    /// Ends the exchange and closes its connection, unless it has ended.
    func cancel() {
        guard finish(.failure(CancellationError())) else { return }
        loop.submit(.cancel(self))
    }

    /// Waits until `look` finds a result in the state.
    private func value<Value: Sendable>(
        _ look: @Sendable (inout State) -> Result<Value, any Error>?
    ) async throws -> Value {
        while true {
            let result = await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, any Error>?, Never>) in
                    let result = state.withLock { state in
                        let result = look(&state)
                        if result == nil { state.waiter = { continuation.resume(returning: nil) } }
                        return result
                    }
                    if let result { continuation.resume(returning: result) }
                }
            } onCancel: {
                cancel()
            }
            if let result { return try result.get() }
        }
    }

    // MARK: Event thread

    func receive(head: Head) {
        state.withLock { state in
            state.head = head
            state.wake()
        }
    }

    /// Takes bytes of the body; `false` when too many wait already and the connection must not be read for now.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        state.withLock { state in
            guard state.received.count < Self.capacity else {
                state.isPaused = true
                return false
            }
            unsafe state.received.append(contentsOf: bytes)
            return true
        }
    }

    /// Tells the reader that bytes have come: once for many small pieces.
    func flush() { state.withLock { $0.wake() } }

    /// Whether the reader has not taken enough for the connection to be read.
    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Notes how the exchange ended; `false` when that was noted before.
    @discardableResult
    func finish(_ outcome: Result<Void, any Error>) -> Bool {
        state.withLock { state in
            guard state.outcome == nil else { return false }
            state.outcome = outcome
            state.wake()
            return true
        }
    }
}
