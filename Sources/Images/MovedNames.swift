import Linux
import OCI
import Store
import Synchronization

/// The names that this program has given to images whose layers are still in a registry, and what they stood for before.
package final class MovedNames: Sendable {
    private struct Move {
        let root: Digest
        let image: StoredImage
        let former: StoredImage?
    }

    private let moves = Mutex<[ImageReference: Move]>([:])

    /// Of several moves of a name, what it stood for before the first counts.
    func note(_ name: ImageReference, to image: StoredImage, root: Digest, from former: StoredImage?) {
        moves.withLock { moves in
            guard former?.root?.digest != root else { return }
            moves[name] = Move(root: root, image: image, former: moves[name].map(\.former) ?? former)
        }
    }

    /// Gives names back whose images cannot be had, as a registry had other bytes than it said. An image that had no
    /// name before is gone then.
    ///
    /// A name that has moved on by then stays where it is.
    func giveBack(in store: StoreRoot) throws {
        for (name, move) in moves.withLock({ $0 }) {
            guard try !store.layers.areWithinReach(move.image.diffIDs),
                try store.images.root(named: name)?.descriptor.digest == move.root
            else { continue }
            if let former = move.former, try store.layers.areWithinReach(former.diffIDs) {
                try store.images.tag(name, former)
            } else {
                try store.images.untag(name)
            }
            _ = try store.images.removeUnnamed(root: move.root)
        }
    }
}

extension ImageTransfer {
    /// Undoes what ``resolve(_:platform:below:)`` has named, where a layer turned out not to be had. To be called when
    /// what needed the image has failed.
    package func giveBackNames() async throws {
        try await offload { [moved, store] in try moved.giveBack(in: store) }
    }
}
