import Diagnostics
package import Layers
import Linux
import OCI
package import Store
import Trees

/// A stack of layers, bottom first, with the ID of each stack that it consists of.
struct LayerChains: Sendable {
    let diffIDs: [DiffID]
    /// From the bottom layer alone to all of them.
    let chains: [ChainID]

    init(_ diffIDs: [DiffID]) {
        self.diffIDs = diffIDs
        chains = ChainID.prefixes(of: diffIDs)
    }

    /// Unpacks one layer from a blob of it into a snapshot of its own; the layers below it are unpacked already.
    ///
    /// Directories that an incomplete layer does not describe are as they are below.
    func unpack(
        _ blob: Descriptor, _ index: Int, _ store: StoreRoot, _ trees: LayerTreeCache, _ form: SnapshotForm
    ) throws -> Snapshot {
        let diffID = diffIDs[index]
        let active = try store.snapshots.prepare()
        guard let content = try store.content.open(blob.digest) else { throw lost(diffID) }
        let below = try trees.tree(of: diffIDs[..<index], chains[..<index])
        var applier = LayerApplier(.overlay(form.marks.overlay))
        // An unprivileged user cannot change owners, and need not: readers take owners from the file lists.
        applier.preservesOwners = form.owners != nil
        applier.missingParent = { below.node(at: $0)?.entry }
        applier.missingLinkSource = { path in
            guard let node = below.node(at: path), node.entry.kind == .regular,
                case .layer(let holder, let place) = node.origin, chains.indices.contains(holder)
            else { return nil }
            guard let snapshot = try store.snapshots.snapshot(chains[holder], in: form) else {
                throw lost(diffIDs[holder])
            }
            return try Directory(opening: snapshot.directory).open(place, resolving: .noSymlinks)
        }
        let summary = try applier.apply(DescriptorStream(content), to: try Directory(opening: active.upper))
        guard summary.diffID == diffID else {
            throw ImagesError(
                .corrupt, "the blob \(blob.digest) holds the layer \(summary.diffID) and not \(diffID)",
                hint: "Remove the image and get it again.")
        }
        return try active.commit(as: chains[index], on: index > 0 ? chains[index - 1] : nil, form: form)
    }

    private func lost(_ diffID: DiffID) -> ImagesError {
        ImagesError(
            .corrupt, "the store has lost the layer \(diffID)",
            hint: "Pull or load the base image again, or build with --no-cache.")
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
