import Asynchrony
import Linux
package import OCI
import Store
import Synchronization

/// Makes the compressed blobs of layers for a push: of those that a build has made while its later steps run.
package final class LayerCompression: Sendable {
    private let storage: LayerStorage
    private let works = SharedTasks<DiffID, Descriptor>()
    /// One layer at a time, as each is compressed by all processors.
    private let turn = AsyncSemaphore(limit: 1)
    private let early = Mutex<[Task<Void, Never>]>([])
    private let isStopped = Atomic(false)

    init(_ storage: LayerStorage) { self.storage = storage }

    /// Begins to compress the layer on top of a stack. An error shows when ``blob(of:)`` asks for the blob.
    package func begin(_ stack: LayerStack) {
        let task = Task { _ = try? await blob(of: stack) }
        early.withLock { $0.append(task) }
    }

    /// The layer on top of a stack as a compressed blob in the store, or one that is known to be elsewhere.
    func blob(of stack: LayerStack) async throws -> Descriptor {
        guard let layer = stack.top else { throw LayerStorage.noLayer }
        return try await works.value(for: layer.diffID) { [self] in
            try await turn.withPlace {
                try await offload { [self] in
                    try storage.blob(of: stack, as: .any, mayBeElsewhere: true) { [self] in
                        if isStopped.load(ordering: .relaxed) { throw CancellationError() }
                    }
                }
            }
        }
    }

    /// Ends the work that was begun, for a build that has failed; none goes on when this returns.
    package func stop() async {
        isStopped.store(true, ordering: .relaxed)
        let tasks = early.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
        for task in tasks { await task.value }
        isStopped.store(false, ordering: .relaxed)
    }
}
