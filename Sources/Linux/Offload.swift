import Dispatch

/// Runs blocking work on a thread of its own and waits for it without holding a thread of the cooperative pool, which
/// has only as many as the machine has cores.
///
/// A serial queue gets a thread at once, however many others block; the system keeps idle threads for the next call.
package func offload<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "offload").async {
            continuation.resume(with: Result { try work() })
        }
    }
}
