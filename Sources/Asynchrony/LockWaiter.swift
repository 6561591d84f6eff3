/// Waits for locks that others hold, by trying: the locks of other processes announce nothing.
package enum LockWaiter {
    /// The time between the first two attempts; it doubles up to ``longestPause``.
    private static let firstPause = Duration.milliseconds(5)
    private static let longestPause = Duration.milliseconds(100)

    /// Calls `attempt` until it gives a value. `busy` is called once, when the first attempt has failed.
    ///
    /// - Throws: what `attempt` throws, and `CancellationError` when the task is cancelled.
    package static func wait<Value>(
        isolation: isolated (any Actor)? = #isolation, busy: () -> Void = {}, for attempt: () async throws -> Value?
    ) async throws -> Value {
        if let value = try await attempt() { return value }
        busy()
        var pause = firstPause
        while true {
            try await Task.sleep(for: pause)
            if let value = try await attempt() { return value }
            pause = min(pause * 2, longestPause)
        }
    }
}
