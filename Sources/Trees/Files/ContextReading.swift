import Synchronization

/// Counts the bytes of a context that are read for keys, and tells of them where they are many.
package final class ContextReading: Sendable {
    private struct State {
        var count: Int64 = 0
        /// The count that was told last.
        var told: Int64 = 0
        /// How many keys are being computed.
        var readers = 0
        /// Whether a count was told and not yet the end.
        var isOpen = false
    }

    private let state = Mutex(State())
    private let silence: Int64
    private let interval: Int64
    private let report: @Sendable (_ count: Int64, _ isComplete: Bool) -> Void

    /// `report` is called from any thread, one call at a time: when `silence` bytes were read, then for every `interval`
    /// bytes, and at the end.
    package init(
        silence: Int64 = 64 << 20, interval: Int64 = 4 << 20,
        report: @escaping @Sendable (_ count: Int64, _ isComplete: Bool) -> Void
    ) {
        self.silence = silence
        self.interval = interval
        self.report = report
    }

    /// Runs `body`, in which bytes are read for a key.
    func counting<Value>(_ body: () throws -> Value) rethrows -> Value {
        state.withLock { $0.readers += 1 }
        defer {
            state.withLock { state in
                state.readers -= 1
                if state.readers == 0, state.isOpen {
                    state.isOpen = false
                    report(state.count, true)
                }
            }
        }
        return try body()
    }

    /// Notes bytes that were read. Those that are read for something else than a key are not counted.
    func add(_ bytes: Int) {
        state.withLock { state in
            guard state.readers > 0 else { return }
            state.count += Int64(bytes)
            guard state.count >= silence, !state.isOpen || state.count - state.told >= interval else { return }
            state.isOpen = true
            state.told = state.count
            report(state.count, false)
        }
    }
}
