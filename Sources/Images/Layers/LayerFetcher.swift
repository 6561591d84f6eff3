import Diagnostics
import Layers
import Linux
package import OCI
package import Store
import SystemPackage

/// How it goes with a layer that is fetched.
package enum SupplyEvent: Sendable {
    /// So many bytes of the blob are here.
    case fetching(DiffID, Descriptor, Int64, from: String)
    /// The blob is here, and the files of the layer are known.
    case fetched(DiffID, Descriptor)
}

/// Brings layers into the store of which only the whereabouts are known: when they are needed, several at once, and
/// each once however many ask, in this process and in others.
package actor LayerFetcher {
    package typealias Report = @Sendable (SupplyEvent) -> Void

    /// How many layers are fetched at once.
    private static let limit = 4

    /// The places that were found not to have what they were said to have.
    package nonisolated let gone = MissingLayers()
    private let store: StoreRoot
    private let fetcher: SingleLayerFetch
    private var tasks: [Digest: Task<Void, any Error>] = [:]
    private var running = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(store: StoreRoot, registry: RegistryAccess, storage: LayerStorage) {
        self.store = store
        fetcher = SingleLayerFetch(
            store: store, storage: storage, blobs: BlobAccess(store: store, registry: registry), gone: gone)
    }

    /// Makes sure that the files of layers are known.
    ///
    /// Layers without a source are passed over: whoever reads their lists finds out about them.
    package func requireLists(_ diffIDs: [DiffID], report: @escaping Report = { _ in }) async throws {
        let missing = try await offload { [store] in
            try diffIDs.filter { try store.layers.layer($0) == nil && store.layers.hasSource($0) }
        }
        try await fetch(missing, report)
    }

    /// Makes sure that layers of a stack, bottom first, are here as blobs or as directories; all or those in `indices`.
    ///
    /// Layers without a source are passed over: whoever opens them finds out.
    package func requireContent(
        _ diffIDs: [DiffID], only indices: [Int]? = nil, report: @escaping Report = { _ in }
    ) async throws {
        let missing = try await offload { [store] in
            var chain: ChainID?
            var missing: [DiffID] = []
            for (index, diffID) in diffIDs.enumerated() {
                let next = ChainID(diffID, on: chain)
                chain = next
                guard indices?.contains(index) ?? true, try !store.layers.isHere(diffID, as: next) else { continue }
                if try store.layers.hasSource(diffID) { missing.append(diffID) }
            }
            return missing
        }
        try await fetch(missing, report)
    }

    /// Makes sure that these very blobs are here.
    package func requireBlobs(
        _ blobs: [(diffID: DiffID, blob: Descriptor)], report: @escaping Report = { _ in }
    ) async throws {
        let missing = try await offload { [store] in try blobs.filter { try !store.content.contains($0.blob.digest) } }
        try await wait(
            for: missing.map { item in
                task(item.blob.digest) { [fetcher] in try await fetcher.fetch(item.diffID, as: item.blob, report) }
            })
    }

    private func fetch(_ diffIDs: [DiffID], _ report: @escaping Report) async throws {
        try await wait(
            for: diffIDs.map { diffID in
                task(diffID.digest) { [fetcher] in try await fetcher.fetch(diffID, as: nil, report) }
            })
    }

    /// Waits for all. When one fails the others are stopped, and nothing is under way any more when this returns.
    private func wait(for tasks: [Task<Void, any Error>]) async throws {
        try await withTaskCancellationHandler {
            var failure: (any Error)?
            for task in tasks {
                do { try await task.value } catch {
                    if failure == nil { for other in tasks { other.cancel() } }
                    if failure == nil || failure is CancellationError { failure = error }
                }
            }
            if let failure { throw failure }
        } onCancel: {
            for task in tasks { task.cancel() }
        }
    }

    private func task(
        _ key: Digest, _ body: @escaping @Sendable () async throws -> Void
    ) -> Task<Void, any Error> {
        if let task = tasks[key] { return task }
        let task = Task {
            await acquire()
            defer { end(key) }
            try Task.checkCancellation()
            try await body()
        }
        tasks[key] = task
        return task
    }

    private func acquire() async {
        if running < Self.limit {
            running += 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Hands the place on to the fetch that waits longest.
    private func end(_ key: Digest) {
        tasks[key] = nil
        if waiting.isEmpty {
            running -= 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

/// Fetches one layer.
private struct SingleLayerFetch: Sendable {
    let store: StoreRoot
    let storage: LayerStorage
    let blobs: BlobAccess
    let gone: MissingLayers

    /// Tries the places that are said to have the layer, the one noted last first; with `wanted`, that blob only. What
    /// turns out not to be there, or to be something else, is forgotten.
    func fetch(_ diffID: DiffID, as wanted: Descriptor?, _ report: @escaping LayerFetcher.Report) async throws {
        let sources = try await offload { [store] in
            try store.layers.sources(of: diffID).filter { wanted == nil || $0.blob.digest == wanted?.digest }
        }
        var failure: (any Error)?
        for source in sources {
            guard let location = BlobLocation(decoding: source.location) else { continue }
            do {
                return try await fetch(diffID, source.blob, from: location, report)
            } catch {
                if error is CancellationError { throw error }
                if BlobAccess.isFinal(error) {
                    gone.insert(source)
                    try await offload { [store] in try store.layers.removeSource(source, of: diffID) }
                    failure = failure ?? Self.gone(diffID, location, error)
                } else {
                    failure = error
                }
            }
        }
        throw failure
            ?? ImagesError(
                .layerGone, "the layer \(diffID) is not in the store, and it is not known where it can be had",
                hint: "Pull or load its image again.")
    }

    private static func gone(_ diffID: DiffID, _ location: BlobLocation, _ error: any Error) -> ImagesError {
        let message = (error as? any AnyFailure)?.message ?? "\(error)"
        return ImagesError(
            .layerGone, "the layer \(diffID) cannot be had from \(location): \(message)",
            hint: "Pull its image again, or build again: what made it is run then.", cause: error)
    }

    private func fetch(
        _ diffID: DiffID, _ blob: LayerBlob, from location: BlobLocation, _ report: @escaping LayerFetcher.Report
    ) async throws {
        let descriptor = blob.descriptor
        guard descriptor.mediaType.isLayer else {
            throw ImagesError(
                .unsupported,
                "the layer \(blob.digest) is of type \(blob.mediaType.rawValue), which cannot be unpacked")
        }
        let turn = try await FetchTurn.take(blob.digest, in: store)
        report(.fetching(diffID, descriptor, 0, from: location.description))
        try await blobs.fetch(descriptor, from: location) {
            turn.note($0)
            report(.fetching(diffID, descriptor, $0, from: location.description))
        }
        try await offload { [store, storage] in
            try storage.index(descriptor, expecting: diffID)
            try store.images.updateSizes(holding: diffID)
        }
        report(.fetched(diffID, descriptor))
        withExtendedLifetime(turn) {}
    }
}
