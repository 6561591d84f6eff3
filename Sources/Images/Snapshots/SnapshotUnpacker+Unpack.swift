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
    /// - Throws: ``LowerLayerNeeded`` for a link to a file of a layer below that is not unpacked.
    func unpack(
        _ blob: Descriptor, _ index: Int, _ store: StoreRoot, _ trees: LayerTreeCache, _ form: SnapshotForm
    ) throws -> UnpackedLayer {
        guard let content = try store.content.open(blob.digest) else { throw lost(diffIDs[index]) }
        _ = try trees.tree(of: diffIDs[..<index], chains[..<index])
        let (summary, layer) = try unpack(DescriptorStream(content), index, store, trees, form)
        guard summary.diffID == diffIDs[index] else {
            throw ImagesError(
                .corrupt, "the blob \(blob.digest) holds the layer \(summary.diffID) and not \(diffIDs[index])",
                hint: "Remove the image and get it again.")
        }
        return layer
    }

    /// Unpacks the bytes of a blob that should hold the layer at an index, which may be the one above all of them, and
    /// finds out what they hold.
    ///
    /// Directories that an incomplete layer does not describe are as they are below.
    /// - Throws: ``LowerLayerNeeded`` when a layer below must be here first, as its files are not known or not unpacked.
    func unpack(
        _ stream: any Layers.ByteStream, _ index: Int, _ store: StoreRoot, _ trees: LayerTreeCache,
        _ form: SnapshotForm
    ) throws -> (summary: LayerSummary, layer: UnpackedLayer) {
        let active = try store.snapshots.prepare()
        let isLowerNeeded = Mutex(false)
        var known: LayerTree?
        // Most layers need nothing of those below, of which an arriving one need not wait.
        func below() throws -> LayerTree {
            if let known { return known }
            do {
                let tree = try trees.tree(of: diffIDs[..<index], chains[..<index])
                known = tree
                return tree
            } catch let error as ImagesError where error.code == .corrupt {
                isLowerNeeded.withLock { $0 = true }
                throw LowerLayerNeeded()
            }
        }
        var applier = LayerApplier(.overlay(form.marks.overlay))
        // An unprivileged user cannot change owners, and need not: readers take owners from the file lists.
        applier.preservesOwners = form.owners != nil
        applier.missingParent = { try below().node(at: $0)?.entry }
        applier.missingLinkEntry = { path in
            let entry = try below().node(at: path)?.entry
            return entry?.kind == .regular || entry?.kind == .directory ? nil : entry
        }
        applier.missingLinkSource = { path in
            guard let node = try below().node(at: path), node.entry.kind == .regular,
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
            summary = try applier.apply(stream, to: try Directory(opening: active.upper))
        } catch  where isLowerNeeded.withLock({ $0 }) {
            throw LowerLayerNeeded()
        }
        let parent = index > 0 ? chains[index - 1] : nil
        return (summary, UnpackedLayer(active, ChainID(summary.diffID, on: parent), on: parent, form))
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
    /// The stack of which the layer is the top.
    let chain: ChainID
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

/// Layers that were unpacked while they arrived or were written, until they become visible. The others are removed.
final class ArrivedLayers: Sendable {
    private let layers = Mutex<[ChainID: UnpackedLayer]>([:])

    func put(_ layer: UnpackedLayer) { layers.withLock { $0[layer.chain] = layer } }

    func take(_ chain: ChainID) -> UnpackedLayer? { layers.withLock { $0.removeValue(forKey: chain) } }
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
