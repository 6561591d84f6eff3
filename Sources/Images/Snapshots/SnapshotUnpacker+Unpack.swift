import Diagnostics
package import Layers
import Linux
package import OCI
package import Store
package import SystemPackage
import Trees

extension SnapshotUnpacker {
    private static func lost(_ diffID: DiffID) -> ImagesError {
        ImagesError(
            .corrupt, "the store has lost the layer \(diffID)",
            hint: "Pull or load the base image again, or build with --no-cache.")
    }

    /// Unpacks one layer from a blob of it into a snapshot of its own.
    ///
    /// `lower` and `below` are the layers underneath, bottom first, and their directories: what an incomplete layer
    /// says nothing about is as it is there.
    package static func unpack(
        _ blob: Descriptor, _ diffID: DiffID, as chain: ChainID, on parent: ChainID?, lower: [DiffID],
        _ below: [FilePath], _ store: StoreRoot, _ trees: LayerTreeCache, _ form: SnapshotForm
    ) throws -> Snapshot {
        let active = try store.snapshots.prepare()
        guard let content = try store.content.open(blob.digest) else { throw lost(diffID) }
        let base = LayerFileTree(tree: try trees.tree(of: lower), directories: below)
        var applier = LayerApplier(.overlay(form.marks.overlay))
        // An unprivileged user cannot change owners, and need not: readers take owners from the file lists.
        applier.preservesOwners = form.owners != nil
        applier.missingParent = { try base.node(at: $0)?.entry }
        applier.missingLinkSource = { path in
            guard let node = try base.node(at: path), node.entry.kind == .regular else { return nil }
            return try base.open(node)
        }
        let summary = try applier.apply(DescriptorStream(content), to: try Directory(opening: active.upper))
        guard summary.diffID == diffID else {
            throw ImagesError(
                .corrupt, "the blob \(blob.digest) holds the layer \(summary.diffID) and not \(diffID)",
                hint: "Remove the image and get it again.")
        }
        return try active.commit(as: chain, on: parent, form: form)
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
