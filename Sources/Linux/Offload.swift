import Asynchrony
import Dispatch

/// The limit to blocking work at once: each has a thread of its own.
private let offloadPlaces = AsyncSemaphore(limit: 512)

/// Runs blocking work on a thread of its own and waits for it without holding a thread of the cooperative pool, which
/// has only as many as the machine has cores.
///
/// A serial queue gets a thread at once, however many others block; a concurrent one would get only as many as there are
/// cores at first. The system keeps idle threads for the next call. Work must not wait for other work that is offloaded
/// while it runs: there is a limit to how much runs at once.
package func offload<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await offloadPlaces.withPlace {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "offload").async { continuation.resume(with: Result { try work() }) }
        }
    }
}
