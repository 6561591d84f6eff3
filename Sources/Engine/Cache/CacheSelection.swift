import Frontend
import Graph
import OCI
import Store
import Synchronization

/// The definition keys of a build's steps, as the solver asks for them.
final class CacheKeyTracker: Sendable {
    private struct State {
        var keys: [VertexID: Digest] = [:]
        var files: [VertexID: [Digest?]] = [:]
        /// Whether a context was changed while the build ran. Definition keys, of the step that reads it and of all that
        /// follow, are then about files that are no longer there, and must not name what was made of others.
        var isStale = false
        var unkeyed: Set<VertexID> = []
    }

    private let state = Mutex(State())

    func note(_ key: Digest, of vertex: VertexID) { state.withLock { $0.keys[vertex] = key } }

    func key(of vertex: VertexID) -> Digest? { state.withLock { $0.keys[vertex] } }

    /// Notes what the definition key of a step says of the files of contexts; `nil` stands for other files.
    func note(defined files: [Digest?], of vertex: VertexID) { state.withLock { $0.files[vertex] = files } }

    /// Compares that with what is found when the step is about to run.
    func compare(found files: [Digest?], of vertex: VertexID) {
        state.withLock { state in
            guard let defined = state.files[vertex] else { return }
            if zip(defined, files).contains(where: { $0 != nil && $0 != $1 }) { state.isStale = true }
        }
    }

    /// Notes that a step has read files which are not those that its keys are about.
    func noteChange(under vertex: VertexID) {
        state.withLock { state in
            state.isStale = true
            state.unkeyed.insert(vertex)
        }
    }

    /// Those of a step's keys under which its result may be found.
    func valid(_ keys: [Digest], of vertex: VertexID) -> Set<Digest> {
        state.withLock { state in
            if state.unkeyed.contains(vertex) { return [] }
            var valid = Set(keys)
            // The key by content may be the same.
            if state.isStale, let stale = state.keys[vertex], keys.count(where: { $0 == stale }) == 1 {
                valid.remove(stale)
            }
            return valid
        }
    }
}

/// The results of a build that are worth passing on.
struct CacheSelection: Sendable {
    struct Item: Sendable {
        let record: CacheRecord
        let state: LayerStack
        /// All keys under which the store has this result.
        let keys: [Digest]
    }

    /// In the order of the graph.
    let items: [Item]

    /// More keys of one result, e.g. of contexts of long ago, are of little use.
    private static let keyLimit = 8

    /// The results of all steps that a build needed or, unless `includesAll`, of those that its result consists of.
    ///
    /// `record` finds what is known under a key.
    init(
        _ plan: BuildPlan, result: LayerStack, includesAll: Bool, keys: CacheKeyTracker, store: StoreRoot,
        record: (Digest) throws -> CacheRecord?
    ) throws {
        var found: [(record: CacheRecord, state: LayerStack)] = []
        var seen: Set<Digest> = []
        for vertex in plan.graph.reachable(from: plan.target) {
            guard let key = keys.key(of: vertex.id), seen.insert(key).inserted, let record = try record(key),
                CacheDocument.kinds.contains(record.kind), let state = LayerStack(decoding: record.result),
                includesAll || result.layers.starts(with: state.layers)
            else { continue }
            found.append((record, state))
        }
        let names = try store.cache.keys(of: Set(found.map(\.record.result)))
        items = found.map { record, state in
            let others = (names[record.result] ?? []).filter { $0 != record.key }
            return Item(record: record, state: state, keys: [record.key] + others.prefix(Self.keyLimit - 1))
        }
    }

    /// Those layers that steps made, each once, with the stack it tops.
    var layers: [(stack: [DiffID], index: Int)] {
        var seen: Set<DiffID> = []
        return items.flatMap { item -> [(stack: [DiffID], index: Int)] in
            let stack = item.state.diffIDs
            return item.state.layers.indices.compactMap { index in
                guard item.state.layers[index].created != nil, seen.insert(stack[index]).inserted else { return nil }
                return (stack, index)
            }
        }
    }

    /// The selection as a document; `blobs` are those of its layers.
    func document(blobs: [DiffID: Digest]) -> CacheDocument {
        document(layers: [], blobs: blobs, hasDescriptions: true)
    }

    /// The selection as part of the manifest of the image that it is about: layers are told by their place in it.
    func document(inlineIn image: [DiffID]) -> CacheDocument {
        document(layers: image, blobs: [:], hasDescriptions: false)
    }

    private func document(layers: [DiffID], blobs: [DiffID: Digest], hasDescriptions: Bool) -> CacheDocument {
        var document = CacheDocument()
        document.layers = layers.map { CacheDocument.Layer(diffID: $0, blob: nil) }
        var places = Dictionary(zip(layers, layers.indices), uniquingKeysWith: { first, _ in first })
        for item in items {
            let parts = item.state.layers.map { layer in
                let place = places[layer.diffID] ?? document.layers.count
                if place == document.layers.count {
                    places[layer.diffID] = place
                    document.layers.append(CacheDocument.Layer(diffID: layer.diffID, blob: blobs[layer.diffID]))
                }
                return CacheDocument.Part(layer: place, created: layer.created)
            }
            document.records.append(
                CacheDocument.Record(
                    kind: item.record.kind, description: hasDescriptions ? item.record.description : "",
                    keys: item.keys, parts: parts, created: item.record.createdAt))
        }
        return document
    }
}
