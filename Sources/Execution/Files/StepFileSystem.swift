import Diagnostics
package import Images
import Linux
package import OCI
import Requests
package import Sandbox
package import Store
package import SystemPackage
import Trees

/// The files that one command sees and changes. Dropped without a commit, its changes are gone.
///
/// This is where the ways to show a stack of layers as one tree differ: each has its own form of the tree, and its own
/// way to find out what was changed in it.
package enum StepFileSystem: ~Copyable, Sendable {
    case overlay(StepOverlay)
    /// A copy of the layers.
    case tree(StepTree)

    /// A tree of the layers of `state`, whose directories are in `lowers`, bottom first; see ``SnapshotUnpacker/lowers(of:copiesFiles:)``.
    package init(of state: LayerStack, lowers: [FilePath], isolation: StepIsolation, trees: WorkingTreePool) throws {
        self =
            try isolation.copiesFiles(ofLayers: state.count)
            ? .tree(StepTree(try trees.take(state, makesDevices: isolation.mode() == .namespaces)))
            : .overlay(try StepOverlay(of: state, lowers: lowers, isolation, trees.layers, trees.store))
    }

    /// The root of the sandbox.
    package var root: SandboxTree {
        switch self {
        case .overlay(let overlay): overlay.tree
        case .tree(let tree): .directory(tree.path)
        }
    }

    /// Makes the tree ready for the first command; in `chroot` mode, puts substitutes for mounts into it, see
    /// ``StepTree/enter(_:_:base:warn:)``.
    package consuming func entered(
        by spec: inout SandboxSpec, _ mounts: PreparedMounts, _ isolation: StepIsolation, _ store: StoreRoot,
        warn: (String) -> Void
    ) throws -> StepFileSystem {
        switch consume self {
        case .overlay(let overlay): return .overlay(overlay)
        case .tree(var tree):
            if try isolation.mode() == .chroot {
                try tree.enter(&spec, mounts.substitutes, base: store.path, warn: warn)
            }
            try tree.waitForTick()
            return .tree(tree)
        }
    }

    /// Makes the tree ready for a command after another.
    package func prepareForAnotherCommand() throws {
        switch self {
        case .overlay(let overlay): try overlay.prepareForAnotherCommand()
        case .tree: break
        }
    }

    /// Throws ``ExecutionError`` `.writtenReadOnly` if the command, which has ended, changed a file of a read-only mount,
    /// where nothing has kept it from that.
    package borrowing func requireUnchangedMounts() throws {
        switch self {
        case .overlay: break
        case .tree(let tree): try tree.requireUnchangedMounts()
        }
    }

    /// Records what the command changed as the layer on top of `state`, once the command has ended.
    package consuming func commit(
        on state: LayerStack, _ storage: LayerStorage, _ trees: WorkingTreePool
    ) throws -> DiffID {
        switch consume self {
        case .overlay(let overlay): try overlay.commit(on: state, storage, trees.layers)
        case .tree(let tree): try trees.commit(try tree.leave(), storage)
        }
    }
}
