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
    /// What the sandbox takes for its root.
    let tree: SandboxTree

    /// A tree of the layers in `lowers`, bottom first.
    init(lowers: [FilePath], isolation: Isolation, store: StoreRoot) throws {
        switch isolation {
        case .namespaces, .rootless:
            snapshot = try store.snapshots.prepare()
            tree = .overlay(lowers: lowers.reversed(), upper: snapshot.upper, work: snapshot.work)
        case .chroot:
            throw EngineError(
                .isolation, "commands cannot run with --isolation=\(isolation.rawValue) yet",
                hint: "Leave the choice to --isolation=auto.")
        }
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
    consuming func commit(on state: FileSystemState, _ storage: LayerStorage) throws -> DiffID {
        let diffID = try storage.record(upper: snapshot.upper)
        let parent = state.chainID
        _ = try snapshot.commit(as: ChainID(diffID, on: parent), on: parent)
        return diffID
    }
}
