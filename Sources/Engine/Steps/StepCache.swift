import Caching
import Graph
import Images
import Linux
import OCI
import Records
import Solver
import Store
import Trees

/// The records of steps: those that a build may use, and those it leaves for the next.
struct StepCache: Sendable {
    let store: StoreRoot
    let imports: CacheImports
    /// The layers that turned out to be nowhere: a record that needs one does not count.
    let missing: MissingLayers
    /// Steps that were run before count for nothing; `nil` takes a result of any age.
    let oldest: Timestamp?
    /// The definition keys of the steps.
    let keys = CacheKeyTracker()
    let uses = UsedRecords()
    private let withinReach = StacksWithinReach()

    /// The record of a key, here or in a cache that the build may read.
    func record(for key: Digest) throws -> CacheRecord? {
        try store.cache.record(for: key, known: missing.isEmpty ? withinReach : nil)
            ?? imports.adopt(key, into: store, without: missing)
    }

    func result(of key: Digest, for step: any Step) async throws -> StepResult? {
        guard step.isCached, let record = try await offload({ try record(for: key) }) else { return nil }
        if let oldest, record.createdAt < oldest { return nil }
        uses.add(record)
        return step.result(of: record)
    }

    func save(_ result: StepResult, under keys: [Digest], of vertex: Vertex, as step: any Step) async throws {
        guard step.isCached else { return }
        uses.noteGrowth()
        let time = Timestamp.now
        let valid = self.keys.valid(keys, of: vertex.id)
        try await offload { [store, kind = step.kind] in
            for key in valid {
                try store.cache.save(
                    CacheRecord(
                        key: key, kind: kind.rawValue, description: vertex.label, result: result.encoded,
                        stack: result.state, blobs: result.blobs, createdAt: time, lastUsed: time))
            }
        }
    }

    /// The bytes that a step read and wrote, as far as the store knows.
    func traffic(of step: any Step, _ result: StepResult) async throws -> StepTraffic? {
        let layer = try await offload { [store] in try (result.state.top?.diffID).flatMap { try store.layers.layer($0) }
        }
        return step.traffic(of: result, layer: layer)
    }

    func claim(_ content: Digest, for step: any Step) async throws -> StepClaim {
        guard step.isCached else { return .granted(nil) }
        return try await offload { [store] in
            try store.claims.attempt(content).map { .granted($0) } ?? .busy
        }
    }
}
