package import OCI
import SQLite

/// A place outside the store that is said to have a layer. Nothing is proven before the blob was fetched and read.
package struct LayerSource: Hashable, Sendable {
    package let blob: Descriptor
    /// In the caller's words; the store does not look at them.
    package let location: String

    package init(blob: Descriptor, location: String) {
        self.blob = blob
        self.location = location
    }
}

/// Layers that need not be here because it is known where they can be had.
extension LayerIndex {
    /// Notes where layers can be had. What is noted again counts as the newest.
    package func addSources(_ sources: [(diffID: DiffID, source: LayerSource)]) throws {
        guard !sources.isEmpty else { return }
        try root.write { transaction in
            for (diffID, source) in sources {
                try transaction.execute(
                    """
                    INSERT OR REPLACE INTO layer_sources (diff_id, digest, location, media_type, size, generation)
                        VALUES (?, ?, ?, ?, ?, ?)
                    """,
                    [
                        diffID.description, source.blob.digest.description, source.location,
                        source.blob.mediaType.rawValue, source.blob.size, transaction.stamp(),
                    ])
            }
        }
    }

    /// The places that have a layer, the one noted last first.
    package func sources(of diffID: DiffID) throws -> [LayerSource] {
        try root.read { transaction in
            try transaction.rows(
                "SELECT digest, media_type, size, location FROM layer_sources WHERE diff_id = ? ORDER BY number DESC",
                [diffID.description]
            ).map {
                LayerSource(
                    blob: Descriptor(
                        mediaType: MediaType(rawValue: try $0[1]), digest: try Digest(parsing: $0[0] as String),
                        size: try $0[2]),
                    location: try $0[3])
            }
        }
    }

    /// Whether some place is said to have a layer.
    package func hasSource(_ diffID: DiffID) throws -> Bool {
        try root.read { try $0.exists("SELECT 1 FROM layer_sources WHERE diff_id = ?", [diffID.description]) }
    }

    /// Takes back that a place has a layer as this blob.
    package func removeSource(_ source: LayerSource, of diffID: DiffID) throws {
        _ = try root.writeFreeingSpace { transaction in
            try transaction.execute(
                "DELETE FROM layer_sources WHERE diff_id = ? AND digest = ? AND location = ?",
                [diffID.description, source.blob.digest.description, source.location])
        }
    }

    /// Whether a layer is here, as a blob or as the snapshot of the stack it tops, or can be had elsewhere.
    package func isWithinReach(_ diffID: DiffID, as chain: ChainID) throws -> Bool {
        try isHere(diffID, as: chain) || hasSource(diffID)
    }

    /// Whether a layer is here, as a blob or as the snapshot of the stack it tops, and its files are known.
    package func isHere(_ diffID: DiffID, as chain: ChainID) throws -> Bool {
        guard try layer(diffID) != nil else { return false }
        if try !root.snapshots.snapshots(of: chain).isEmpty { return true }
        return try blobs(of: diffID).contains { try root.content.contains($0.digest) }
    }

    /// Whether every layer of a stack, bottom first, is within reach.
    package func areWithinReach(_ diffIDs: [DiffID]) throws -> Bool {
        var chain: ChainID?
        for diffID in diffIDs {
            let next = ChainID(diffID, on: chain)
            chain = next
            guard try isWithinReach(diffID, as: next) else { return false }
        }
        return true
    }

    /// The size of a layer's files or, until it is fetched, the size of the blob, in bytes.
    package func approximateSize(_ diffID: DiffID) throws -> Int64 {
        if let layer = try layer(diffID) { return layer.contentSize }
        return try sources(of: diffID).first?.blob.size ?? 0
    }
}

extension ImageIndex {
    /// Brings the sizes of images up to date after the files of layers have become known. It looks at all images, so
    /// many layers are better named in one call.
    package func updateSizes(holding layers: Set<DiffID>) throws {
        let images = try root.read { transaction in
            try transaction.rows("SELECT id, diff_ids, size FROM images").map {
                try (id: $0[0] as String, diffIDs: [DiffID](column: $0[1]), size: $0[2] as Int64)
            }
        }
        for image in images where !layers.isDisjoint(with: image.diffIDs) {
            let size = try image.diffIDs.clampedSum { try root.layers.approximateSize($0) }
            guard size != image.size else { continue }
            _ = try root.write {
                try $0.execute("UPDATE images SET size = ? WHERE id = ?", [size, image.id])
            }
        }
    }
}
