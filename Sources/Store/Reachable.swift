import OCI
import SQLite

/// The layers and blobs that roots and cache records need: the marks of the collector.
struct Reachable {
    private(set) var blobs: Set<Digest> = []
    private(set) var layers: Set<DiffID> = []
    private(set) var chains: Set<ChainID> = []

    init(
        roots: [ImageRoot], cache: [CacheRecord], containers: [ContainerUse] = [], in transaction: Transaction
    ) throws {
        for use in containers { add(LayerStack(ofImage: use.diffIDs)) }
        for root in roots {
            blobs.formUnion(root.allBlobs)
            for image in root.images {
                add(LayerStack(ofImage: image.diffIDs))
            }
        }
        for record in cache {
            blobs.formUnion(record.blobs)
            add(record.stack)
        }
        try addParents(in: transaction)
        try addLayerBlobs(in: transaction)
    }

    /// Adds a stack and all below it. What is below one that is here already is here, too.
    private mutating func add(_ stack: LayerStack) {
        var next = stack
        while let layer = next.top, let chain = next.chainID, let below = next.below, chains.insert(chain).inserted {
            layers.insert(layer.diffID)
            next = below
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
