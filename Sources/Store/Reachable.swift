import OCI
import SQLite

/// The layers and blobs that roots and cache records need: the marks of the collector.
struct Reachable {
    private(set) var blobs: Set<Digest> = []
    private(set) var layers: Set<DiffID> = []
    private(set) var chains: Set<ChainID> = []

    init(roots: [ImageRoot], cache: [CacheRecord], in transaction: Transaction) throws {
        for root in roots {
            blobs.formUnion(root.allBlobs)
            for image in root.images {
                layers.formUnion(image.diffIDs)
                addChains(of: image.diffIDs)
            }
        }
        for record in cache {
            blobs.formUnion(record.blobs)
            layers.formUnion(record.diffIDs)
            addChains(of: record.diffIDs)
        }
        try addParents(in: transaction)
        try addLayerBlobs(in: transaction)
    }

    private mutating func addChains(of diffIDs: [DiffID]) {
        var chain: ChainID?
        for diffID in diffIDs {
            let next = ChainID(diffID, on: chain)
            chains.insert(next)
            chain = next
        }
    }

    private mutating func addParents(in transaction: Transaction) throws {
        var parents: [ChainID: ChainID] = [:]
        for row in try transaction.rows("SELECT chain_id, parent FROM snapshots WHERE parent IS NOT NULL") {
            parents[try ChainID(parsing: row[0] as String)] = try ChainID(parsing: row[1] as String)
        }
        for chain in chains {
            var next = parents[chain]
            while let parent = next, chains.insert(parent).inserted { next = parents[parent] }
        }
    }

    private mutating func addLayerBlobs(in transaction: Transaction) throws {
        for row in try transaction.rows("SELECT digest, diff_id FROM layer_blobs")
        where layers.contains(try DiffID(parsing: row[1] as String)) {
            blobs.insert(try Digest(parsing: row[0] as String))
        }
    }
}
