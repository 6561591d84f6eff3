import Asynchrony
import Layers
package import Linux
package import OCI
package import Store
import Synchronization
package import SystemPackage
package import Trees

/// Unpacks layers when a step needs their files, each once however many steps ask; those that are elsewhere are
/// fetched, and unpacked while they arrive.
package final class SnapshotUnpacker: Sendable {
    private let store: StoreRoot
    private let trees: LayerTreeCache
    private let form: @Sendable () throws -> SnapshotForm
    private let fetcher: LayerFetcher
    private let progress: LayerProgress
    private let known = Mutex<[ChainID: Snapshot]>([:])
    private let tasks = SharedTasks<ChainID, Snapshot>()
    /// Stacks whose layers are all here.
    private let present = Mutex<Set<ChainID>>([])
    private let fetches = SharedTasks<ChainID, Void>()
    private let arrived = ArrivedLayers()
    /// The number of layers that are unpacked at once: each keeps two processors busy.
    private let places = AsyncSemaphore(limit: max(2, Processors.online))

    /// `form` gives the form of the snapshots. It may ask the kernel, so it is called only when a layer is unpacked.
    package init(
        store: StoreRoot, trees: LayerTreeCache, fetcher: LayerFetcher, progress: LayerProgress,
        form: @escaping @Sendable () throws -> SnapshotForm
    ) {
        self.form = form
        self.store = store
        self.trees = trees
        self.fetcher = fetcher
        self.progress = progress
    }

    /// The directories of all layers of a stack, bottom first.
    package func all(of stack: LayerStack) async throws -> [Snapshot] {
        let chains = LayerChains(stack)
        return try await snapshots(Array(chains.diffIDs.indices), of: chains)
    }

    /// The parts of a stack that a command needs: the directories of an overlay, bottom first, or for a tree of its
    /// own none, but all contents.
    package func lowers(of stack: LayerStack, copiesFiles: Bool) async throws -> [FilePath] {
        guard copiesFiles else { return try await all(of: stack).map(\.directory) }
        var missing: [(diffID: DiffID, chain: ChainID)] = []
        present.withLock { present in
            var next = stack
            while let layer = next.top, let chain = next.chainID, let below = next.below, !present.contains(chain) {
                missing.append((layer.diffID, chain))
                next = below
            }
        }
        guard !missing.isEmpty else { return [] }
        try await progress.session { [missing] session in
            try await fetcher.requireContent(chained: missing.reversed(), report: { session.report($0) })
        }
        present.withLock { $0.formUnion(missing.map(\.chain)) }
        return []
    }

    /// The directories of a stack, of which only those in `indices` are unpacked; the others are empty paths.
    private func some(_ indices: Set<Int>, of stack: LayerStack) async throws -> [FilePath] {
        let chains = LayerChains(stack)
        var directories = [FilePath](repeating: "", count: stack.count)
        let wanted = indices.sorted().filter(directories.indices.contains)
        for (index, snapshot) in zip(wanted, try await snapshots(wanted, of: chains)) {
            directories[index] = snapshot.directory
        }
        return directories
    }

    private func snapshots(_ indices: [Int], of stack: LayerChains) async throws -> [Snapshot] {
        let ready = known.withLock { known in indices.compactMap { known[stack.chains[$0]] } }
        if ready.count == indices.count { return ready }
        return try await progress.session { session in
            try await withThrowingTaskGroup(of: (Int, Snapshot).self) { group in
                for (position, index) in indices.enumerated() {
                    group.addTask { (position, try await self.snapshot(index, of: stack, session)) }
                }
                var snapshots: [Int: Snapshot] = [:]
                for try await (position, snapshot) in group { snapshots[position] = snapshot }
                return indices.indices.compactMap { snapshots[$0] }
            }
        }
    }

    /// The snapshot of a layer. A failed preparation may be tried again: a layer that is missing in one place may be
    /// made anew.
    private func snapshot(_ index: Int, of stack: LayerChains, _ session: LayerSession) async throws -> Snapshot {
        let chain = stack.chains[index]
        if let known = known.withLock({ $0[chain] }) { return known }
        return try await tasks.value(for: chain) { [self] in
            let snapshot = try await prepare(index, of: stack, session)
            known.withLock { $0[chain] = snapshot }
            return snapshot
        }
    }

    private func prepare(_ index: Int, of stack: LayerChains, _ session: LayerSession) async throws -> Snapshot {
        let chain = stack.chains[index]
        let ready = try await offload { [store, form] in try store.snapshots.snapshot(chain, in: form()) }
        if let ready { return ready }
        // Layers are fetched and unpacked side by side, and become visible bottom up.
        async let next = index > 0 ? snapshot(index - 1, of: stack, session) : nil
        try await requireContent(index, of: stack, session)
        let layer: UnpackedLayer
        if let arrived = arrived.take(chain) {
            layer = arrived
        } else {
            do { layer = try await unpacked(index, of: stack, session) } catch is LowerLayerNeeded {
                _ = try await next
                layer = try await unpacked(index, of: stack, session)
            }
        }
        _ = try await next
        return try await offload { try layer.commit() }
    }

    /// Unpacks a layer from its bytes as they arrive, into ``arrived`` if it is the one that is wanted.
    private func reading(_ index: Int, of stack: LayerChains) -> LayerReading {
        { [store, trees, form, arrived] stream in
            let (summary, layer) = try stack.unpack(stream, index, store, trees, form())
            if summary.diffID == stack.diffIDs[index] { arrived.put(layer) }
            return summary
        }
    }

    /// Unpacks a layer that is put on a stack while it is written, for a step that is going to need its files.
    package func reading(newLayerOn stack: LayerStack) -> LayerReading {
        let chains = LayerChains(stack)
        return { [store, trees, form, arrived] stream in
            let (summary, layer) = try chains.unpack(stream, chains.diffIDs.count, store, trees, form())
            arrived.put(layer)
            return summary
        }
    }

    private func unpacked(
        _ index: Int, of stack: LayerChains, _ session: LayerSession
    ) async throws -> UnpackedLayer {
        try await places.withPlace {
            try await offload { [store, trees, form] in
                let blob = try LayerStorage(store: store).anyBlob(of: stack.diffIDs[index], in: stack.chains[index])
                return try session.extracting(stack.diffIDs[index], blob) {
                    try stack.unpack(blob, index, store, trees, form())
                }
            }
        }
    }

    /// Makes sure that a layer and those below it are here, so that it is known which files they hold.
    private func requireContent(_ index: Int, of stack: LayerChains, _ session: LayerSession) async throws {
        let chain = stack.chains[index]
        if present.withLock({ $0.contains(chain) }) { return }
        try await fetches.value(for: chain) { [self] in
            async let below: Void? = index > 0 ? requireContent(index - 1, of: stack, session) : nil
            try await fetcher.requireContent(
                chained: [(stack.diffIDs[index], chain)], reading: reading(index, of: stack)
            ) { session.report($0) }
            _ = try await below
            _ = present.withLock { $0.insert(chain) }
        }
    }

    /// The files of a stack by their names and metadata; nothing is unpacked for it, but fetched if need be.
    package func tree(of state: LayerStack) async throws -> LayerTree {
        try await progress.session { session in
            try await fetcher.requireLists(of: state) { session.report($0) }
        }
        return try await offload { [trees] in try trees.tree(of: state) }
    }

    /// The accounts in a root's `/etc/passwd` and `/etc/group`.
    package func accounts(of state: LayerStack) async throws -> UserDatabase {
        let tree = try await tree(of: state)
        let holders = try tree.layersHolding(["etc/passwd", "etc/group"])
        let unpacked = try await some(holders, of: state)
        let files = LayerFileTree(tree: tree, directories: unpacked)
        return try await offload {
            UserDatabase(passwd: try files.content(of: "etc/passwd"), group: try files.content(of: "etc/group"))
        }
    }
}
