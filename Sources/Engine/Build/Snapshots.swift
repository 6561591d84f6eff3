import Layers
import Linux
import OCI
import Store
import SystemPackage

/// Unpacks layers when a step needs their files, each once however many steps ask.
actor Snapshots {
    private let store: StoreRoot
    private let trees: LayerTrees
    private let isolation: StepIsolation
    private var tasks: [ChainID: Task<Snapshot, any Error>] = [:]

    init(store: StoreRoot, trees: LayerTrees, isolation: StepIsolation) {
        self.isolation = isolation
        self.store = store
        self.trees = trees
    }

    /// The directories of all layers of a stack, bottom first.
    func all(of diffIDs: [DiffID]) async throws -> [Snapshot] {
        var snapshots: [Snapshot] = []
        for task in diffIDs.indices.map({ self.task(diffIDs, $0) }) { snapshots.append(try await task.value) }
        return snapshots
    }

    /// The directories of a stack, of which only those in `indices` are unpacked; the others are empty paths.
    func some(_ indices: Set<Int>, of diffIDs: [DiffID]) async throws -> [FilePath] {
        var directories = [FilePath](repeating: "", count: diffIDs.count)
        for index in indices.sorted() where diffIDs.indices.contains(index) {
            directories[index] = try await task(diffIDs, index).value.directory
        }
        return directories
    }

    private func task(_ diffIDs: [DiffID], _ index: Int) -> Task<Snapshot, any Error> {
        let lower = Array(diffIDs[..<index])
        let parent = ChainID.of(lower)
        let chain = ChainID(diffIDs[index], on: parent)
        if let task = tasks[chain] { return task }
        let task = Task { [store, trees, isolation] in
            let known = try await offload { try store.snapshots.snapshot(chain, in: isolation.form()) }
            if let known { return known }
            let below = try await self.lowersForLinks(lower)
            return try await offload {
                try Self.unpack(diffIDs[index], as: chain, on: parent, lower: lower, below, store, trees, isolation)
            }
        }
        tasks[chain] = task
        return task
    }

    /// A hard link to a file of a lower layer needs that layer unpacked; they are waited for bottom up.
    private func lowersForLinks(_ lower: [DiffID]) async throws -> [FilePath] {
        try await all(of: lower).map(\.directory)
    }

    /// The accounts in a root's `/etc/passwd` and `/etc/group`.
    func accounts(of state: FileSystemState) async throws -> UserDatabase {
        let tree = try await offload { [trees] in try trees.tree(of: state.diffIDs) }
        let holders = try tree.layersHolding(["etc/passwd", "etc/group"])
        let unpacked = try await some(holders, of: state.diffIDs)
        let files = LayerFileTree(tree: tree, directories: unpacked)
        return try await offload {
            UserDatabase(passwd: try files.content(of: "etc/passwd"), group: try files.content(of: "etc/group"))
        }
    }
}
