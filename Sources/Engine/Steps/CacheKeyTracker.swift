import Graph
import OCI
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

    /// The keys of a step under which its result may be found.
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
