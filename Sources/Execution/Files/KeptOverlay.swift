package import Images
package import Layers
package import Linux
package import OCI
package import Sandbox
import Store
package import SystemPackage
package import Trees

/// An overlay on the snapshots of layers whose changes stay in a directory, from one command to the next.
package struct KeptOverlay: Sendable {
    private let directory: FilePath
    private let form: SnapshotForm
    private let stack: LayerStack
    /// Bottom first.
    private let lowers: [FilePath]

    /// `directory` is one that ``make(in:)`` has filled; `lowers` are the snapshots of the stack in this form.
    package init(in directory: FilePath, on stack: LayerStack, lowers: [FilePath], form: SnapshotForm) {
        self.directory = directory
        self.stack = stack
        self.lowers = lowers
        self.form = form
    }

    private var upper: FilePath { directory.appending("fs") }
    private var work: FilePath { directory.appending("work") }

    package var tree: SandboxTree { .overlay(lowers: lowers.reversed(), upper: upper, work: work) }

    /// Makes the directories of an overlay without changes.
    package func make(_ trees: LayerTreeCache) throws {
        let parent = try Directory(opening: directory)
        try parent.makeDirectory("fs", permissions: 0o755)
        try parent.makeDirectory("work", permissions: 0o700)
        guard form.marks == .names else { return }
        let tree = LayerFileTree(tree: try trees.tree(of: stack), directories: lowers)
        try FUSEOverlayCorrections(below: tree.tree, start: .now).prepare(upper, from: tree)
    }

    /// Makes the tree ready for another command: what a mount has left in the working directory may forbid the next.
    package func prepareForAnotherCommand() throws {
        let directory = try Directory(opening: work)
        for name in try directory.names() { try directory.removeTree(name) }
    }

    /// The files that are not as in the layers below, and the marks for those that are gone, in the order of a walk.
    ///
    /// Paths in `excluded` are left out, with all below.
    package func changes(
        _ trees: LayerTreeCache, besides excluded: Set<PathBytes>
    ) throws -> (found: [FoundFile], below: LayerTree) {
        let below = try trees.tree(of: stack)
        var differ = LayerDiffer(form.marks.overlay, excluded: excluded)
        // Where all files belong to this user, one of the layers keeps its owner, and a new one is root's.
        if form.owners == nil { differ.recordedOwner = { below.owner(of: $0) } }
        return (try differ.find(try Directory(opening: upper)), below)
    }

    /// Writes what was changed as the layer on top of the stack. Files that a command changes meanwhile are an error.
    package func writeLayer(
        _ storage: LayerStorage, _ trees: LayerTreeCache, besides excluded: Set<PathBytes>
    ) throws -> DiffID {
        let (found, below) = try changes(trees, besides: excluded)
        return try storage.write(found, from: try Directory(opening: upper), on: below)
    }
}
