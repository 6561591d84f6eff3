import Synchronization

/// A limit on how many tasks do something at once. The task that waits longest goes first.
package final class AsyncSemaphore: Sendable {
    fileprivate struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// The position of the first in `waiting` that still waits.
        var first = 0
    }

    private let state: Mutex<State>

    package init(limit: Int) { state = Mutex(State(free: limit)) }

    /// Waits for a place, also in a task that is cancelled. Each call needs one of ``release()``.
    package func acquire() async {
        let hasPlace = state.withLock { $0.takePlace() }
        if hasPlace { return }
        await withCheckedContinuation { continuation in
            let hasPlace = state.withLock { state in
                if state.takePlace() { return true }
                state.waiting.append(continuation)
                return false
            }
            if hasPlace { continuation.resume() }
        }
    }

    package func release() {
        let next = state.withLock { $0.handOver() }
        next?.resume()
    }

    /// Runs `body` in a place.
    package func withPlace<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async rethrows -> Value {
        await acquire()
        defer { release() }
        return try await body()
    }
}

extension AsyncSemaphore.State {
    fileprivate mutating func takePlace() -> Bool {
        guard free > 0 else { return false }
        free -= 1
        return true
    }

    /// The task that gets the place; without one the place is free.
    fileprivate mutating func handOver() -> CheckedContinuation<Void, Never>? {
        guard first < waiting.count else {
            free += 1
            return nil
        }
        let next = waiting[first]
        first += 1
        if first == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            first = 0
        }
        return next
    }
}
