import Layers
package import Linux
package import OCI
package import Store
package import SystemPackage
package import Trees

/// Unpacks layers when a step needs their files, each once however many steps ask; those that are elsewhere are
/// fetched first.
package actor SnapshotUnpacker {
    private let store: StoreRoot
    private let trees: LayerTreeCache
    private let form: @Sendable () throws -> SnapshotForm
    private let supply: LayerFetcher
    private let progress: LayerProgress
    private var tasks: [ChainID: Task<Snapshot, any Error>] = [:]

    /// `form` gives the form of the snapshots. It may ask the kernel, so it is called only when a layer is unpacked.
    package init(
        store: StoreRoot, trees: LayerTreeCache, supply: LayerFetcher, progress: LayerProgress,
        form: @escaping @Sendable () throws -> SnapshotForm
    ) {
        self.form = form
        self.store = store
        self.trees = trees
        self.supply = supply
        self.progress = progress
    }

    /// The directories of all layers of a stack, bottom first.
    package func all(of diffIDs: [DiffID]) async throws -> [Snapshot] {
        try await snapshots(Array(diffIDs.indices), of: diffIDs)
    }

    /// The parts of a stack that a command needs: the directories of an overlay, bottom first, or for a tree of its
    /// own none, but all contents.
    package func lowers(of diffIDs: [DiffID], copiesFiles: Bool) async throws -> [FilePath] {
        guard copiesFiles else { return try await all(of: diffIDs).map(\.directory) }
        try await progress.session { session in
            try await supply.requireContent(diffIDs, only: Array(diffIDs.indices)) { session.report($0) }
        }
        return []
    }

    /// The directories of a stack, of which only those in `indices` are unpacked; the others are empty paths.
    package func some(_ indices: Set<Int>, of diffIDs: [DiffID]) async throws -> [FilePath] {
        var directories = [FilePath](repeating: "", count: diffIDs.count)
        let wanted = indices.sorted().filter(diffIDs.indices.contains)
        for (index, snapshot) in zip(wanted, try await snapshots(wanted, of: diffIDs)) {
            directories[index] = snapshot.directory
        }
        return directories
    }

    private func snapshots(_ indices: [Int], of diffIDs: [DiffID]) async throws -> [Snapshot] {
        try await progress.session { session in
            let chains = Self.chains(of: diffIDs)
            let tasks = indices.map { task(diffIDs, chains, $0, session) }
            do {
                return try await withTaskCancellationHandler {
                    var snapshots: [Snapshot] = []
                    for task in tasks { snapshots.append(try await task.value) }
                    return snapshots
                } onCancel: {
                    for task in tasks { task.cancel() }
                }
            } catch {
                await stop(diffIDs)
                throw error
            }
        }
    }

    /// Ends what is under way for a stack: nothing may go on when a step has failed.
    private func stop(_ diffIDs: [DiffID]) async {
        let rest = Self.chains(of: diffIDs).compactMap { tasks[$0] }
        for task in rest { task.cancel() }
        for task in rest { _ = await task.result }
    }

    /// The IDs of all stacks that a stack consists of, from its bottom layer alone to all of it.
    private static func chains(of diffIDs: [DiffID]) -> [ChainID] {
        var chains: [ChainID] = []
        for diffID in diffIDs { chains.append(ChainID(diffID, on: chains.last)) }
        return chains
    }

    private func task(
        _ diffIDs: [DiffID], _ chains: [ChainID], _ index: Int, _ session: LayerSession
    ) -> Task<Snapshot, any Error> {
        let chain = chains[index]
        if let task = tasks[chain] { return task }
        let lower = Array(diffIDs[..<index])
        let parent = index > 0 ? chains[index - 1] : nil
        let task = Task { [store, trees, form, supply] in
            do {
                let known = try await offload { try store.snapshots.snapshot(chain, in: form()) }
                if let known { return known }
                // A hard link to a file of a lower layer needs that layer unpacked; so they are unpacked bottom up, but
                // fetched side by side.
                let rest = lower.indices.map { self.task(diffIDs, chains, $0, session) }
                try await supply.requireContent(diffIDs, only: [index]) { session.report($0) }
                var below: [FilePath] = []
                for task in rest { below.append(try await task.value.directory) }
                let directories = below
                let blob = try await offload { try LayerStorage(store: store).anyBlob(of: lower + [diffIDs[index]]) }
                return try await session.extracting(diffIDs[index], blob) {
                    try await offload {
                        try Self.unpack(
                            blob, diffIDs[index], as: chain, on: parent, lower: lower, directories, store, trees,
                            form())
                    }
                }
            } catch {
                self.forget(chain)
                throw error
            }
        }
        tasks[chain] = task
        return task
    }

    /// A failed preparation may be tried again: a layer that is missing in one place may be made anew.
    private func forget(_ chain: ChainID) { tasks[chain] = nil }

    /// The files of a stack by their names and metadata; nothing is unpacked for it, but fetched if need be.
    package func tree(of state: LayerStack) async throws -> LayerTree {
        try await progress.session { session in
            try await supply.requireLists(state.diffIDs) { session.report($0) }
        }
        return try await offload { [trees] in try trees.tree(of: state.diffIDs) }
    }

    /// The accounts in a root's `/etc/passwd` and `/etc/group`.
    package func accounts(of state: LayerStack) async throws -> UserDatabase {
        let tree = try await tree(of: state)
        let holders = try tree.layersHolding(["etc/passwd", "etc/group"])
        let unpacked = try await some(holders, of: state.diffIDs)
        let files = LayerFileTree(tree: tree, directories: unpacked)
        return try await offload {
            UserDatabase(passwd: try files.content(of: "etc/passwd"), group: try files.content(of: "etc/group"))
        }
    }
}
