import Diagnostics
package import Images
package import OCI
package import Requests
package import Solver
package import Store
import Trees

/// The records of other stores' caches that a build may use in place of running a step.
package struct CacheImports: Sendable {
    package static let none = CacheImports(caches: [])

    private let caches: [ImportedCache]
    /// Which cache has the record of a key, and which of its records that is.
    private let places: [Digest: (cache: Int, record: Int)]

    package init(caches: [ImportedCache]) {
        self.caches = caches
        var places: [Digest: (cache: Int, record: Int)] = [:]
        for (number, cache) in caches.enumerated() {
            for (index, record) in cache.document.records.enumerated() {
                for key in record.keys where places[key] == nil { places[key] = (number, index) }
            }
        }
        self.places = places
    }

    /// Reads the caches for a build of some platforms, all at once. One that cannot be read is worth a warning, and the build goes on without it.
    package static func load(
        _ sources: [CacheImport], platforms: [Platform], images: ImageTransfer, progress: ProgressReporter
    ) async throws -> CacheImports {
        let reader = CacheReader(images: images, platforms: platforms)
        let caches = try await withThrowingTaskGroup(of: (Int, [ImportedCache]).self) { group in
            for (number, source) in sources.enumerated() {
                let step = progress.begin("importing cache manifest from \(source)")
                group.addTask {
                    do {
                        let found = try await reader.read(source)
                        step.finish(.done)
                        return (number, found)
                    } catch {
                        if error is CancellationError {
                            step.finish(error)
                            throw error
                        }
                        step.warn("the cache \(source) is not used: \(describe(error))")
                        step.finish(.done)
                        return (number, [])
                    }
                }
            }
            var caches: [Int: [ImportedCache]] = [:]
            for try await (number, found) in group { caches[number] = found }
            return caches
        }
        return CacheImports(caches: sources.indices.flatMap { caches[$0] ?? [] })
    }

    /// Takes the record of a key over into the store, under all its keys, and notes where its layers can be had;
    /// nothing is fetched. `nil` when no cache has one, or when a layer of it cannot be had.
    package func adopt(_ key: Digest, into store: StoreRoot, without gone: MissingLayers) throws -> CacheRecord? {
        guard let place = places[key] else { return nil }
        let cache = caches[place.cache]
        let record = cache.document.records[place.record]
        let state = LayerStack(
            layers: record.parts.map { part in
                LayerStack.Layer(diffID: cache.document.layers[part.layer].diffID, created: part.created)
            })
        let sources = record.parts.compactMap { part -> (diffID: DiffID, source: LayerSource)? in
            let layer = cache.document.layers[part.layer]
            guard let blob = layer.blob.flatMap({ cache.blobs[$0] }), blob.mediaType.isLayer else { return nil }
            let source = LayerSource(
                blob: Descriptor(mediaType: blob.mediaType, digest: blob.digest, size: blob.size),
                location: cache.location.encoded)
            return gone.contains(source) ? nil : (layer.diffID, source)
        }
        let isWithinReach = try state.isWithinReach(in: store, or: Set(sources.map(\.diffID)))
        guard isWithinReach else { return nil }
        try store.layers.addSources(try sources.filter { try !store.layers.sources(of: $0.diffID).contains($0.source) })
        let now = Timestamp.now
        var adopted: CacheRecord?
        for name in Set(record.keys) {
            let copy = CacheRecord(
                key: name, kind: record.kind, description: record.description, stack: state,
                createdAt: record.created, lastUsed: now)
            // What this store has made itself stays.
            if name != key, try store.cache.record(for: name) != nil { continue }
            try store.cache.save(copy)
            if name == key { adopted = copy }
        }
        return adopted
    }
}

extension LayerStack {
    /// Whether each layer is in the store, or can be had, or is among `others`.
    fileprivate func isWithinReach(in store: StoreRoot, or others: Set<DiffID>) throws -> Bool {
        var chain: ChainID?
        for diffID in diffIDs {
            let next = ChainID(diffID, on: chain)
            chain = next
            guard try others.contains(diffID) || store.layers.isWithinReach(diffID, as: next) else { return false }
        }
        return true
    }
}
