import Diagnostics
import Linux
import OCI
import Sandbox
import Store
import SystemPackage

/// The files that one command sees and changes. Dropped without a commit, its changes are gone.
///
/// This is where the ways to show a stack of layers as one tree differ: each has its own form of the tree, and its own
/// way to find out what was changed in it.
struct StepFileSystem: ~Copyable, Sendable {
    private let snapshot: ActiveSnapshot
    private let form: SnapshotForm
    /// What the sandbox takes for its root.
    let tree: SandboxTree

    /// A tree of the layers in `lowers`, bottom first.
    init(lowers: [FilePath], isolation: StepIsolation, store: StoreRoot) throws {
        try Self.require(isolation, store)
        let form = try isolation.form()
        let snapshot = try store.snapshots.prepare()
        tree = .overlay(lowers: lowers.reversed(), upper: snapshot.upper, work: snapshot.work)
        self.form = form
        self.snapshot = snapshot
    }

    private static func require(_ isolation: StepIsolation, _ store: StoreRoot) throws {
        guard try isolation.rung() != .chroot else {
            throw EngineError(
                .isolation, "commands cannot run with --isolation=chroot yet",
                hint: "Leave the choice to --isolation=auto.")
        }
        guard case .none(let obstacle) = try isolation.abilities().overlay else { return }
        throw EngineError(
            .isolation, "the file system of the store '\(store.path)' takes no overlay: \(obstacle)",
            hint: "Set LAMINA_ROOT to a directory on another file system, such as a volume or a tmpfs.")
    }

    /// Makes the tree ready for a command after another.
    ///
    /// The kernel refuses to mount an overlay again that was mounted as volatile; the mark of that is all there is in the
    /// working directory.
    func prepareForAnotherCommand() throws {
        let work = try Directory(opening: snapshot.work)
        for name in try work.names() { try work.removeTree(name) }
    }

    /// Records what the command changed as the layer on top of `state`, once the command has ended.
    consuming func commit(
        on state: FileSystemState, _ storage: LayerStorage, _ trees: LayerTrees
    ) throws -> DiffID {
        let diffID =
            form.owners == nil
            ? try storage.write(upper: snapshot.upper, on: try trees.tree(of: state.diffIDs))
            : try storage.record(upper: snapshot.upper)
        let parent = state.chainID
        _ = try snapshot.commit(as: ChainID(diffID, on: parent), on: parent, form: form)
        return diffID
    }
}
