import Diagnostics
package import Images
package import Layers
package import Linux
package import OCI
package import Store
import Synchronization
package import SystemPackage
import Trees

/// The files of a stack of layers as one directory of its own, which a command may change as it likes.
///
/// Used by one owner at a time; copies of the value mean the same tree.
package struct WorkingTree: Sendable {
    /// ```
    /// root     the files
    /// aside    what stand-ins hide while a command runs
    /// clock    a file to tell the file system's time by
    /// ```
    package let directory: TemporaryDirectory
    /// The layers that it holds.
    package var stack = LayerStack()
    /// The stamps of the files when it held just these layers.
    package var stamps: TreeStamps

    package init(in store: StoreRoot) throws {
        directory = try store.temporaryDirectory()
        let parent = try Directory(opening: directory.path)
        try parent.makeDirectory("root", permissions: 0o755)
        try parent.makeDirectory("aside", permissions: 0o700)
        stamps = try TreeStamps(of: parent.directory("root"))
    }

    package var path: FilePath { directory.path.appending("root") }
    package var aside: FilePath { directory.path.appending("aside") }

    /// Waits until what is changed from now on can be told from what was changed before.
    ///
    /// - Returns: a time between the two; see ``TreeStamps/waitForTick(in:_:)``.
    package func waitForTick() throws -> FileTime? {
        try TreeStamps.waitForTick(in: Directory(opening: directory.path))
    }
}

/// The trees of a build that commands run in where no overlay can be mounted.
///
/// The next command of a stage goes on in the tree of the one before, which needs no copy; layers that were made
/// otherwise meanwhile are unpacked on top.
package final class WorkingTreePool: Sendable {
    package let store: StoreRoot
    package let layers: LayerTreeCache
    private let idle = Mutex<[WorkingTree]>([])

    /// Idle trees take space on the disk; the stages of most builds have no more.
    private static let idleLimit = 3

    package init(store: StoreRoot, layers: LayerTreeCache) {
        self.store = store
        self.layers = layers
    }

    /// A tree of these layers. May unpack all of them.
    ///
    /// `makesDevices` says that something keeps a command from using a device that is in its tree.
    package func take(_ stack: LayerStack, makesDevices: Bool) throws -> WorkingTree {
        var tree = try takeNearest(stack) ?? WorkingTree(in: store)
        guard tree.stack.count < stack.count else { return tree }
        let storage = LayerStorage(store: store)
        for part in stack.parts(above: tree.stack.count) {
            guard let diffID = part.top?.diffID, let chain = part.chainID else { continue }
            // Layers that are known as directories only, from commands in an overlay, get their archives here.
            try unpack(diffID, try storage.anyBlob(of: diffID, in: chain), to: tree, makesDevices)
        }
        try setDirectoryTimes(of: tree, layers.tree(of: stack))
        tree.stack = stack
        tree.stamps = try TreeStamps(of: try Directory(opening: tree.path))
        return tree
    }

    /// Records what a command changed in a tree as a layer on top of its stack, and keeps the tree for the next command.
    package func commit(_ tree: WorkingTree, _ storage: LayerStorage) throws -> DiffID {
        let root = try Directory(opening: tree.path)
        var (found, now) = try tree.stamps.changes(in: root)
        let below = try layers.tree(of: tree.stack)
        if !IDMaps.canSetOwners {
            // All files belong to this user: one that a layer has keeps its owner, a new one is root's.
            for index in found.indices {
                (found[index].entry.owner, found[index].entry.group) = below.owner(of: found[index].entry.path)
            }
        }
        let diffID = try storage.write(found, from: root, on: below)
        var next = tree
        next.stack = tree.stack.adding(.init(diffID: diffID, created: nil))
        next.stamps = now
        put(next)
        return diffID
    }

    /// The idle tree that the fewest layers are missing in.
    private func takeNearest(_ stack: LayerStack) -> WorkingTree? {
        idle.withLock { idle in
            var next: LayerStack? = stack
            while let part = next {
                if let index = idle.lastIndex(where: { $0.stack.chainID == part.chainID }) {
                    return idle.remove(at: index)
                }
                next = part.below
            }
            return nil
        }
    }

    private func put(_ tree: WorkingTree) {
        let dropped: WorkingTree? = idle.withLock { idle in
            idle.append(tree)
            return idle.count > Self.idleLimit ? idle.removeFirst() : nil
        }
        // Removing its files takes a while, so not with the lock held.
        _ = dropped
    }

    // MARK: Unpacking

    private func unpack(_ diffID: DiffID, _ blob: Descriptor, to tree: WorkingTree, _ makesDevices: Bool) throws {
        guard let content = try store.content.open(blob.digest) else {
            throw ExecutionError(
                .corrupt, "the store has lost the layer \(diffID)", hint: "Pull or load the base image again.")
        }
        var applier = LayerApplier(.plain)
        applier.makesDevices = makesDevices
        applier.preservesOwners = IDMaps.canSetOwners
        let summary = try applier.apply(DescriptorStream(content), to: try Directory(opening: tree.path))
        guard summary.diffID == diffID else {
            throw ExecutionError(
                .corrupt, "the blob \(blob.digest) holds the layer \(summary.diffID) and not \(diffID)",
                hint: "Remove the image and get it again.")
        }
    }

    /// Gives directories the times they have in the layers: those of directories that a layer only has files in were
    /// changed by unpacking it.
    private func setDirectoryTimes(of tree: WorkingTree, _ files: LayerTree) throws {
        let root = try Directory(opening: tree.path)
        let walk = try DirectoryStack(root)
        let tree = LayerFileTree(tree: files, directories: [])
        guard let top = files.node(at: "") else { return }
        try tree.walk(below: top) { node in
            let name = node.path.lastComponent
            guard node.isDirectory, try walk.current.directory.statusIfExists(name)?.type == .directory else {
                return false
            }
            try walk.enter(name)
            return true
        } leave: { node in
            try walk.leave()
            try walk.current.directory.setModified(node.path.lastComponent, node.entry.modified)
        }
    }
}
