import Diagnostics
package import Layers
package import Linux
import OCI
import Store
import Synchronization
import Trees

/// A stack of layers, bottom first, with the ID of each stack that it consists of.
struct LayerChains: Sendable {
    let diffIDs: [DiffID]
    /// From the bottom layer alone to all of them.
    let chains: [ChainID]

    init(_ stack: LayerStack) {
        diffIDs = stack.diffIDs
        chains = stack.chains
    }

    /// Unpacks one layer from a blob of it into a snapshot of its own, which is not visible yet. It is known which files
    /// the layers below it hold.
    ///
    /// Directories that an incomplete layer does not describe are as they are below.
    /// - Throws: ``LowerLayerNeeded`` for a link to a file of a layer below that is not unpacked.
    func unpack(
        _ blob: Descriptor, _ index: Int, _ store: StoreRoot, _ trees: LayerTreeCache, _ form: SnapshotForm
    ) throws -> UnpackedLayer {
        let diffID = diffIDs[index]
        let active = try store.snapshots.prepare()
        guard let content = try store.content.open(blob.digest) else { throw lost(diffID) }
        let below = try trees.tree(of: diffIDs[..<index], chains[..<index])
        var applier = LayerApplier(.overlay(form.marks.overlay))
        // An unprivileged user cannot change owners, and need not: readers take owners from the file lists.
        applier.preservesOwners = form.owners != nil
        applier.missingParent = { below.node(at: $0)?.entry }
        applier.missingLinkEntry = { path in
            let entry = below.node(at: path)?.entry
            return entry?.kind == .regular || entry?.kind == .directory ? nil : entry
        }
        let isLowerNeeded = Mutex(false)
        applier.missingLinkSource = { path in
            guard let node = below.node(at: path), node.entry.kind == .regular,
                case .layer(let holder, let place) = node.origin, chains.indices.contains(holder)
            else { return nil }
            guard let snapshot = try store.snapshots.snapshot(chains[holder], in: form) else {
                isLowerNeeded.withLock { $0 = true }
                throw LowerLayerNeeded()
            }
            return try Directory(opening: snapshot.directory).open(place, resolving: .noSymlinks)
        }
        let summary: LayerSummary
        do {
            summary = try applier.apply(DescriptorStream(content), to: try Directory(opening: active.upper))
        } catch  where isLowerNeeded.withLock({ $0 }) {
            throw LowerLayerNeeded()
        }
        guard summary.diffID == diffID else {
            throw ImagesError(
                .corrupt, "the blob \(blob.digest) holds the layer \(summary.diffID) and not \(diffID)",
                hint: "Remove the image and get it again.")
        }
        return UnpackedLayer(active, chains[index], on: index > 0 ? chains[index - 1] : nil, form)
    }

    private func lost(_ diffID: DiffID) -> ImagesError {
        ImagesError(
            .corrupt, "the store has lost the layer \(diffID)",
            hint: "Pull or load the base image again, or build with --no-cache.")
    }
}

/// A layer cannot be unpacked before those below it.
struct LowerLayerNeeded: Error {}

/// A layer that is unpacked, and not yet the top of its stack in the store.
final class UnpackedLayer: Sendable {
    private let snapshot: Mutex<ActiveSnapshot?>
    private let chain: ChainID
    private let parent: ChainID?
    private let form: SnapshotForm

    init(
        _ snapshot: consuming sending ActiveSnapshot, _ chain: ChainID, on parent: ChainID?, _ form: SnapshotForm
    ) {
        self.snapshot = Mutex(snapshot)
        self.chain = chain
        self.parent = parent
        self.form = form
    }

    /// Makes it visible. The layers below it are, and this is the only call.
    func commit() throws -> Snapshot {
        try snapshot.withLock { snapshot in
            guard let active = snapshot.take() else {
                throw ImagesError(.corrupt, "the snapshot of \(chain) was committed before")
            }
            return try active.commit(as: chain, on: parent, form: form)
        }
    }
}

extension SnapshotForm.Marks {
    /// The same for those who read and write directories.
    package var overlay: OverlayMarks {
        switch self {
        case .trusted: .trusted
        case .user: .user
        case .names: .names
        }
    }
}
