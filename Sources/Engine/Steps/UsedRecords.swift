import OCI
import Store
import Synchronization

/// Cache records that a build has used, to be noted when it ends: see ``CacheIndex/noteUse(of:_:at:)``.
final class UsedRecords: Sendable {
    private struct State {
        var found: [CacheRecord] = []
        var keys: Set<Digest> = []
        var hasGrown = false
    }

    private let state = Mutex(State())

    /// A record was found and used.
    func add(_ record: CacheRecord) { state.withLock { $0.found.append(record) } }

    /// If there is a record of this key, the result of the build was made with it.
    func add(_ key: Digest) { state.withLock { _ = $0.keys.insert(key) } }

    /// The build has made something that was not there.
    func noteGrowth() { state.withLock { $0.hasGrown = true } }

    var hasGrown: Bool { state.withLock { $0.hasGrown } }

    /// Notes the use; a failure to do so does not fail the build.
    func note(in store: StoreRoot) {
        let (found, keys) = state.withLock { ($0.found, Array($0.keys)) }
        try? store.cache.noteUse(of: found, keys, at: .now)
    }
}
