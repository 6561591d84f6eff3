package import Images
import Layers
import Linux
package import OCI
package import Sandbox
package import Store
package import SystemPackage
import Trees

/// An overlay on the snapshots of layers, whose upper directory becomes a snapshot itself.
package struct StepOverlay: ~Copyable, Sendable {
    private let snapshot: ActiveSnapshot
    private let form: SnapshotForm
    /// The clock of a file system may be a little late.
    private let start = FileTime(seconds: FileTime.now.seconds - 1)
    package let tree: SandboxTree

    package init(
        of state: LayerStack, lowers: [FilePath], _ isolation: StepIsolation, _ trees: LayerTreeCache,
        _ store: StoreRoot
    ) throws {
        let form = try isolation.form()
        let snapshot = try store.snapshots.prepare()
        if form.marks == .names {
            let tree = LayerFileTree(tree: try trees.tree(of: state), directories: lowers)
            try FUSEOverlayCorrections(below: tree.tree, start: start).prepare(snapshot.upper, from: tree)
        }
        tree = .overlay(lowers: lowers.reversed(), upper: snapshot.upper, work: snapshot.work)
        self.form = form
        self.snapshot = snapshot
    }

    /// The kernel refuses to mount an overlay again that was mounted as volatile; the mark of that is all there is in the
    /// working directory.
    package func prepareForAnotherCommand() throws {
        let work = try Directory(opening: snapshot.work)
        for name in try work.names() { try work.removeTree(name) }
    }

    package consuming func commit(
        on state: LayerStack, _ storage: LayerStorage, _ trees: LayerTreeCache
    ) throws -> DiffID {
        let below = try trees.tree(of: state)
        let copies = form.marks == .names ? FUSEOverlayCorrections(below: below, start: start) : nil
        try copies?.repair(try Directory(opening: snapshot.upper))
        let diffID =
            form.owners == nil
            ? try storage.write(upper: snapshot.upper, form.marks.overlay, on: below)
            : try storage.record(upper: snapshot.upper, form.marks.overlay, on: below)
        if let copies, let files = try storage.store.layers.fileList(diffID) {
            try copies.removeUnchanged(in: try Directory(opening: snapshot.upper), FileList(decoding: files))
        }
        let parent = state.chainID
        _ = try snapshot.commit(as: ChainID(diffID, on: parent), on: parent, form: form)
        return diffID
    }
}
