import Asynchrony
import Diagnostics
import Layers
import Linux
package import OCI
package import Store
import Synchronization
import SystemPackage

/// How it goes with a layer that is fetched.
package enum LayerFetchEvent: Sendable {
    /// So many bytes of the blob are here.
    case fetching(DiffID, Descriptor, Int64, from: String)
    /// The blob is here, and the files of the layer are known.
    case fetched(DiffID, Descriptor)
}

/// Brings layers into the store of which only the whereabouts are known: when they are needed, several at once, and
/// each once however many ask, in this process and in others.
package final class LayerFetcher: Sendable {
    package typealias Report = @Sendable (LayerFetchEvent) -> Void

    /// The places that were found not to have what they were said to have.
    package let gone = MissingLayers()
    private let store: StoreRoot
    private let fetcher: SingleLayerFetch
    private let fetches = SharedTasks<Digest, Void>()
    /// Stacks the files of whose layers are known. A lease keeps them.
    private let listed = Mutex<Set<ChainID>>([])
    private let arrivals = Mutex(Arrivals())
    /// How many layers are fetched at once.
    private let places = AsyncSemaphore(limit: 4)

    package init(store: StoreRoot, registry: RegistryAccess, storage: LayerStorage) {
        self.store = store
        fetcher = SingleLayerFetch(
            store: store, storage: storage, blobs: BlobAccess(store: store, registry: registry), gone: gone)
    }

    /// Makes sure that the files of layers are known.
    ///
    /// Layers without a source are passed over: reading their lists fails.
    package func requireLists(_ diffIDs: [DiffID], report: @escaping Report = { _ in }) async throws {
        let missing = try await offload { [store] in
            try diffIDs.filter { try store.layers.layer($0) == nil && store.layers.hasSource($0) }
        }
        try await fetch(missing, report)
    }

    /// Makes sure that the files of the layers of a stack are known; those of a stack that was asked for before are.
    package func requireLists(of stack: LayerStack, report: @escaping Report = { _ in }) async throws {
        let unknown = listed.withLock { listed in
            var unknown: [LayerStack] = []
            var next: LayerStack? = stack
            while let stack = next, let chain = stack.chainID, !listed.contains(chain) {
                unknown.append(stack)
                next = stack.below
            }
            return unknown
        }
        guard !unknown.isEmpty else { return }
        try await requireLists(unknown.reversed().compactMap { $0.top?.diffID }, report: report)
        listed.withLock { $0.formUnion(unknown.compactMap(\.chainID)) }
    }

    /// Makes sure that the layers of a stack, bottom first, are here as blobs or as directories; all or those in
    /// `indices`.
    ///
    /// Layers without a source are passed over: opening them fails.
    package func requireContent(
        _ diffIDs: [DiffID], only indices: [Int]? = nil, report: @escaping Report = { _ in }
    ) async throws {
        let chains = ChainID.prefixes(of: diffIDs)
        let chained = (indices ?? Array(diffIDs.indices)).map { (diffIDs[$0], chains[$0]) }
        try await requireContent(chained: chained, report: report)
    }

    /// Makes sure that layers, each with the ID of the stack that ends in it, are here as blobs or as directories.
    ///
    /// A layer that is fetched now for no other task is read by `reading` while it arrives; one that cannot be read so is
    /// read again.
    package func requireContent(
        chained layers: [(diffID: DiffID, chain: ChainID)], reading: LayerReading? = nil,
        report: @escaping Report = { _ in }
    ) async throws {
        let missing = try await offload { [store] in
            try layers.filter { try !store.layers.isHere($0.diffID, as: $0.chain) && store.layers.hasSource($0.diffID) }
                .map { (key: $0.diffID.digest, diffID: $0.diffID, blob: nil as Descriptor?) }
        }
        try await fetch(missing, reading, report)
    }

    /// Makes sure that these very blobs are here.
    package func requireBlobs(
        _ blobs: [(diffID: DiffID, blob: Descriptor)], report: @escaping Report = { _ in }
    ) async throws {
        let missing = try await offload { [store] in try blobs.filter { try !store.content.contains($0.blob.digest) } }
        try await fetch(missing.map { ($0.blob.digest, $0.diffID, $0.blob) }, nil, report)
    }

    private func fetch(_ diffIDs: [DiffID], _ report: @escaping Report) async throws {
        try await fetch(diffIDs.map { ($0.digest, $0, nil) }, nil, report)
    }

    /// Fetches layers by keys that name what is fetched. When one fails the others are cancelled, unless somebody else
    /// waits for them too.
    private func fetch(
        _ layers: [(key: Digest, diffID: DiffID, blob: Descriptor?)], _ reading: LayerReading?,
        _ report: @escaping Report
    ) async throws {
        guard !layers.isEmpty else { return }
        arrivals.withLock { $0.groups += 1 }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for layer in layers {
                    group.addTask { [self] in
                        try await fetches.value(for: layer.key) { [self] in try await fetch(layer, reading, report) }
                    }
                }
                try await group.waitForAll()
            }
        } catch {
            try? await noteEnd()
            throw error
        }
        try await noteEnd()
    }

    private func fetch(
        _ layer: (key: Digest, diffID: DiffID, blob: Descriptor?), _ reading: LayerReading?, _ report: @escaping Report
    ) async throws {
        try await places.withPlace {
            try Task.checkCancellation()
            try await fetcher.fetch(layer.diffID, as: layer.blob, reading, report)
            arrivals.withLock { _ = $0.layers.insert(layer.diffID) }
        }
    }

    /// Ends a group of fetches. The last one that is under way brings the sizes of images up to date, as that takes the
    /// time of all images.
    private func noteEnd() async throws {
        let layers = arrivals.withLock { arrivals in
            arrivals.groups -= 1
            return arrivals.groups == 0 ? arrivals.takeLayers() : []
        }
        guard !layers.isEmpty else { return }
        try await offload { [store] in try store.images.updateSizes(holding: layers) }
    }
}

extension LayerFetcher {
    /// The groups of fetches that are under way, and the layers that have come since there was none.
    private struct Arrivals {
        var groups = 0
        var layers: Set<DiffID> = []

        mutating func takeLayers() -> Set<DiffID> {
            defer { layers = [] }
            return layers
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
    func fetch(
        _ diffID: DiffID, as wanted: Descriptor?, _ reading: LayerReading?, _ report: @escaping LayerFetcher.Report
    ) async throws {
        let sources = try await offload { [store] in
            try store.layers.sources(of: diffID).filter { wanted == nil || $0.blob.digest == wanted?.digest }
        }
        var failure: (any Error)?
        for source in sources {
            guard let location = BlobLocation(decoding: source.location) else { continue }
            do {
                return try await fetch(diffID, source.blob, from: location, reading, report)
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
        _ diffID: DiffID, _ blob: Descriptor, from location: BlobLocation, _ reading: LayerReading?,
        _ report: @escaping LayerFetcher.Report
    ) async throws {
        guard blob.mediaType.isLayer else {
            throw ImagesError(
                .unsupported,
                "the layer \(blob.digest) is of type \(blob.mediaType.rawValue), which cannot be unpacked")
        }
        let turn = try await FetchTurn.take(blob.digest, in: store)
        report(.fetching(diffID, blob, 0, from: location.description))
        var sink = IndexingSink(storage: storage)
        if let reading { sink.reading = reading }
        try await blobs.fetch(blob, from: location, into: sink) {
            turn.note($0)
            report(.fetching(diffID, blob, $0, from: location.description))
        }
        try await offload { [storage] in
            try storage.index(blob, expecting: diffID)
        }
        report(.fetched(diffID, blob))
        withExtendedLifetime(turn) {}
    }
}
