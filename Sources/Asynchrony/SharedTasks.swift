import Synchronization

/// Work that is done once for all tasks that ask for it at the same time, and cancelled when none of them waits for it
/// any more.
package final class SharedTasks<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    package typealias Body = @Sendable () async throws -> Value
    fileprivate typealias Waiter = CheckedContinuation<Value, any Error>

    /// The work for one key.
    fileprivate struct Work {
        var task: Task<Void, Never>?
        var waiters: [UInt64: Waiter] = [:]
        /// Set when the last waiter has gone; the work then only ends.
        var isCancelled = false
        /// The tasks that came after that, for which the work begins again.
        var next: [(id: UInt64, waiter: Waiter, body: Body)] = []
    }

    fileprivate struct State {
        var works: [Key: Work] = [:]
        var lastID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The value of the work for `key` that is under way, else that of `body`, which begins now.
    ///
    /// A task that is cancelled while others wait gets `CancellationError` at once. The last one cancels the work and
    /// waits for its end, so that nothing goes on when this returns.
    package func value(for key: Key, _ body: @escaping Body) async throws -> Value {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                join(key, id, waiter, body)
                // A task that was cancelled before had no waiter to take away.
                if Task.isCancelled { leave(key, id) }
            }
        } onCancel: {
            leave(key, id)
        }
    }

    /// How many tasks wait for the work of a key that is under way.
    func waiterCount(for key: Key) -> Int { state.withLock { $0.works[key]?.waiters.count ?? 0 } }

    private func join(_ key: Key, _ id: UInt64, _ waiter: Waiter, _ body: @escaping Body) {
        state.withLock { state in
            guard var work = state.works[key] else {
                state.works[key] = begin(key, [id: waiter], body)
                return
            }
            if work.isCancelled { work.next.append((id, waiter, body)) } else { work.waiters[id] = waiter }
            state.works[key] = work
        }
    }

    /// Starts the work; it ends after the caller has let the lock go.
    private func begin(_ key: Key, _ waiters: [UInt64: Waiter], _ body: @escaping Body) -> Work {
        var work = Work(waiters: waiters)
        work.task = Task {
            do { finish(key, .success(try await body())) } catch { finish(key, .failure(error)) }
        }
        return work
    }

    private func leave(_ key: Key, _ id: UInt64) {
        let (waiter, task) = state.withLock { $0.leave(key, id) }
        waiter?.resume(throwing: CancellationError())
        // Not with the lock held: the work may wait for other work here, and leaves that at once.
        task?.cancel()
    }

    private func finish(_ key: Key, _ result: Result<Value, any Error>) {
        let waiters = state.withLock { state in
            let work = state.works.removeValue(forKey: key)
            if let work, let first = work.next.first {
                let waiters = Dictionary(work.next.map { ($0.id, $0.waiter) }, uniquingKeysWith: { $1 })
                state.works[key] = begin(key, waiters, first.body)
            }
            return work?.waiters.values.map(\.self) ?? []
        }
        for waiter in waiters { waiter.resume(with: result) }
    }
}

extension SharedTasks.State {
    /// Takes a waiter away. The last one of a work stays, and the work is to be cancelled.
    fileprivate mutating func leave(_ key: Key, _ id: UInt64) -> (SharedTasks.Waiter?, Task<Void, Never>?) {
        guard var work = works[key] else { return (nil, nil) }
        defer { works[key] = work }
        if let position = work.next.firstIndex(where: { $0.id == id }) {
            return (work.next.remove(at: position).waiter, nil)
        }
        guard work.waiters[id] != nil else { return (nil, nil) }
        guard work.waiters.count == 1 else { return (work.waiters.removeValue(forKey: id), nil) }
        work.isCancelled = true
        return (nil, work.task)
    }
}
