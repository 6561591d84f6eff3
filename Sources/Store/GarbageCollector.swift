import Linux
import OCI
import SQLite
import SystemPackage

/// The actions of the collector, done or planned.
package struct Collection: Hashable, Sendable {
    /// Whether it ran at all: it does nothing while a build, or another user of the store, holds a lease.
    package internal(set) var ran = false
    /// Sizes of files, in bytes.
    package internal(set) var freedBytes: Int64 = 0
    package internal(set) var blobs = 0
    package internal(set) var layers = 0
    package internal(set) var snapshots = 0
    package internal(set) var cacheRecords = 0
}

/// Frees what no image and no cache record needs.
///
/// First the rows go, in one transaction, then the files that have no row: killed in between, it leaves files that
/// nobody sees and that the next run frees.
package struct GarbageCollector: Sendable {
    let root: StoreRoot

    /// Collects, unless somebody holds a lease.
    ///
    /// - Parameter dryRun: whether to change nothing and only say what would be freed.
    /// - Returns: what was freed, or would be.
    /// - Throws: ``StoreError``, e.g. `.notWritable` for a store opened for reading only.
    package func collect(dryRun: Bool = false) throws -> Collection {
        guard let lock = try root.attemptExclusive() else { return Collection() }
        return try collect(dryRun: dryRun, holding: lock)
    }

    /// Collects, and gives the lock back. Stops deleting files at `deadline`: what is left, the next process deletes.
    func collect(
        dryRun: Bool = false, holding lock: consuming FileLock, until deadline: ContinuousClock.Instant? = nil
    ) throws -> Collection {
        // What is removed from now on, somebody else has to collect.
        if !dryRun { root.isCollectionDue = false }
        // Not in the transaction: each look-up is one of its own, and with the lock held nothing they need goes away.
        var known: Set<ChainID> = []
        let unusable = Set(try root.cache.list().filter { try !root.cache.isUsable($0, known: &known) }.map(\.key))
        var sweep = Sweep(root: root)
        if dryRun {
            try root.read { try sweep.plan($0, unusable: unusable) }
        } else {
            try root.writeFreeingSpace { transaction in
                sweep = Sweep(root: root)
                try sweep.plan(transaction, unusable: unusable)
                try sweep.deleteRows(transaction)
            }
        }
        if dryRun {
            try sweep.measure()
            _ = consume lock
            return sweep.result
        }
        // The write lock keeps those away that add files, lease or not; what they have added since has a row.
        let trash = try root.writeFreeingSpace { transaction in
            try sweep.loadKept(transaction)
            return try sweep.takeFiles()
        }
        // Nobody sees any more what is in the trash, so nobody need wait for the deleting.
        _ = consume lock
        sweep.result.freedBytes = trash.remove(until: deadline)
        return sweep.result
    }
}

/// One run of the collector.
private struct Sweep {
    let root: StoreRoot
    var result = Collection(ran: true)
    private var cacheKeys: [Digest] = []
    private var blobs: Set<Digest> = []
    private var keptBlobs: Set<PathBytes> = []
    private var layers: Set<String> = []
    private var keptLists: Set<PathBytes> = []
    private var layerBlobs: [String] = []
    private var sources: [Int64] = []
    private var snapshots: Set<Int64> = []
    private var keptSnapshots: Set<Int64> = []
    private var historyStrays: [PathBytes] = []

    init(root: StoreRoot) { self.root = root }

    /// Decides which rows go.
    mutating func plan(_ transaction: Transaction, unusable: Set<Digest>) throws {
        var kept: [CacheRecord] = []
        for record in try transaction.cacheRecords(root.stacks) {
            if unusable.contains(record.key) { cacheKeys.append(record.key) } else { kept.append(record) }
        }
        let reachable = try Reachable(
            roots: transaction.imageRoots(), cache: kept, containers: root.containerUses(), in: transaction)
        for digest in try transaction.blobSizes().keys {
            if reachable.blobs.contains(digest) {
                keptBlobs.insert(ContentStore.name(digest))
            } else {
                blobs.insert(digest)
            }
        }
        for row in try transaction.rows("SELECT diff_id FROM layers") {
            let diffID = try DiffID(parsing: row[0] as String)
            if reachable.layers.contains(diffID) {
                keptLists.insert(LayerIndex.fileListName(diffID))
            } else {
                layers.insert(try row[0])
            }
        }
        for row in try transaction.rows("SELECT digest, diff_id FROM layer_blobs")
        where !reachable.layers.contains(try DiffID(parsing: row[1] as String)) {
            layerBlobs.append(try row[0])
        }
        for row in try transaction.rows("SELECT number, diff_id FROM layer_sources")
        where !reachable.layers.contains(try DiffID(parsing: row[1] as String)) {
            sources.append(try row[0])
        }
        for row in try transaction.rows("SELECT number, chain_id FROM snapshots") {
            if reachable.chains.contains(try ChainID(parsing: row[1] as String)) {
                keptSnapshots.insert(try row[0])
            } else {
                snapshots.insert(try row[0])
            }
        }
        historyStrays = try BuildIndex.strays(in: root.openDirectory(), transaction)
        result.cacheRecords = cacheKeys.count
        result.blobs = blobs.count
        result.layers = layers.count
        result.snapshots = snapshots.count
    }

    func deleteRows(_ transaction: Transaction) throws {
        func delete(_ table: String, _ column: String, _ keys: some Sequence<some SQLiteConvertible>) throws {
            for key in keys { try transaction.execute("DELETE FROM \(table) WHERE \(column) = ?", [key]) }
        }
        try delete("cache", "key", cacheKeys.map(\.description))
        try transaction.deleteUnusedStacks()
        try delete("blobs", "digest", blobs.map(\.description))
        try delete("layers", "diff_id", layers)
        try delete("layer_blobs", "digest", layerBlobs)
        try delete("layer_sources", "number", sources)
        try delete("snapshots", "number", snapshots)
    }

    /// Takes what has a row now for what is kept.
    mutating func loadKept(_ transaction: Transaction) throws {
        keptBlobs = Set(try transaction.blobSizes().keys.map(ContentStore.name))
        keptLists = Set(
            try transaction.rows("SELECT diff_id FROM layers").map {
                try LayerIndex.fileListName(DiffID(parsing: $0[0] as String))
            })
        keptSnapshots = Set(try transaction.rows("SELECT number FROM snapshots").map { try $0[0] })
        historyStrays = try BuildIndex.strays(in: root.openDirectory(), transaction)
    }

    /// The names of all files and directories that no row, after the plan, accounts for.
    private func strays() throws -> [PathBytes] {
        let directory = try root.openDirectory()
        func names(_ folder: PathBytes) throws -> [PathBytes] {
            try directory.directory(folder).names().map { folder.appending($0) }
        }
        let blobs = try names("blobs/sha256").filter { !keptBlobs.contains($0) }
        let lists = try names("layers").flatMap(names).filter { !keptLists.contains($0) }
        let snapshots = try names("snapshots").filter { name in
            // Others are being made; the owner's death is what ends them.
            Int64(name.lastComponent.text).map { !keptSnapshots.contains($0) } ?? false
        }
        // Whoever claims something holds a lease.
        return blobs + lists + snapshots + historyStrays + (try names(PathBytes(StepClaims.folder)))
    }

    /// Measures what would be freed.
    mutating func measure() throws {
        let directory = try root.openDirectory()
        var measure = TreeSize()
        for name in try strays() { measure.add(name, in: directory) }
        result.freedBytes = measure.bytes
    }

    /// Moves all that has no row any more out of sight.
    func takeFiles() throws -> Trash {
        let directory = try root.openDirectory()
        var trash = Trash(root: root.path)
        for name in try strays() { try trash.take(name, from: directory) }
        return trash
    }
}

extension Collection {
    fileprivate init(ran: Bool) { self.ran = ran }
}
