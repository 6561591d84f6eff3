import Asynchrony
import Dispatch

/// The threads for blocking work, apart from the cooperative pool, which has only as many as the machine has cores.
private enum OffloadPool {
    /// Blocking work goes on to its end whatever else happens, so a place always becomes free.
    static let places = AsyncSemaphore(limit: 512)
    static let queue = DispatchQueue(label: "offload", attributes: .concurrent)
}

/// Runs blocking work on a thread of its own and waits for it without holding a thread of the cooperative pool.
///
/// Work must not wait for other work that is offloaded while it runs: there is a limit to how much runs at once.
package func offload<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await OffloadPool.places.withPlace {
        try await withCheckedThrowingContinuation { continuation in
            OffloadPool.queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
