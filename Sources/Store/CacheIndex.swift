package import OCI
import SQLite
import Synchronization

/// The result of a step, under the key of its inputs.
package struct CacheRecord: Hashable, Sendable {
    package let key: Digest
    /// The kind of step, for tables.
    package let kind: String
    package let description: String
    /// The caller's own data for a hit, besides the layers.
    package let result: String
    /// The stack of layers a hit needs: each must be here as a blob or as a snapshot, or have a source.
    package let stack: LayerStack
    /// Further blobs a hit needs.
    package let blobs: [Digest]
    package let createdAt: Timestamp
    package let lastUsed: Timestamp

    package init(
        key: Digest, kind: String, description: String, result: String = "",
        stack: LayerStack = LayerStack(), blobs: [Digest] = [], createdAt: Timestamp, lastUsed: Timestamp? = nil
    ) {
        self.key = key
        self.kind = kind
        self.description = description
        self.result = result
        self.stack = stack
        self.blobs = blobs
        self.createdAt = createdAt
        self.lastUsed = lastUsed ?? createdAt
    }

    package var diffIDs: [DiffID] { stack.diffIDs }

    fileprivate init(_ row: Row, _ stacks: StackTable, _ transaction: Transaction) throws {
        self.init(
            key: try Digest(parsing: row["key"] as String), kind: try row["kind"], description: try row["description"],
            result: try row["result"], stack: try stacks.stack(row["stack"], transaction),
            blobs: try Array(column: row["blobs"]), createdAt: Timestamp(column: try row["created"]),
            lastUsed: Timestamp(column: try row["last_used"]))
    }
}

/// Stacks that were found to be within reach, so that the next look-up need not look at each of their layers again. It is
/// for a while in which a lease is held and no layer turns out to be gone elsewhere.
package final class StacksWithinReach: Sendable {
    fileprivate let stacks = Mutex<Set<ChainID>>([])

    package init() {}
}

/// The build cache.
package struct CacheIndex: Sendable {
    let root: StoreRoot

    /// The record of a key; `nil` when there is none or when something is gone that it needs.
    ///
    /// `known` has stacks that are within reach, and is given those that are found to be.
    package func record(for key: Digest, known: StacksWithinReach? = nil) throws -> CacheRecord? {
        let record = try root.read { transaction in
            try transaction.row("SELECT * FROM cache WHERE key = ?", [key.description]).map {
                try CacheRecord($0, root.stacks, transaction)
            }
        }
        guard let record else { return nil }
        if let known { return try known.stacks.withLock { try isUsable(record, known: &$0) } ? record : nil }
        var stacks: Set<ChainID> = []
        return try isUsable(record, known: &stacks) ? record : nil
    }

    /// Stores a record, in place of one with the same key.
    package func save(_ record: CacheRecord) throws {
        let number = try root.write { try $0.insert(record, "OR REPLACE", root.stacks) }
        root.stacks.note(record.stack, number)
    }

    /// Notes at the end of a build which records it has used; while it ran this wrote nothing.
    ///
    /// - Parameters:
    ///   - found: the records that it found. If somebody removed one meanwhile, it comes back: all it needs is here, as
    ///     a lease kept it.
    ///   - keys: the keys of further records that the result was made with.
    ///   - time: when. Records that were used less than a minute before are left alone.
    /// - Throws: ``StoreError``.
    package func noteUse(of found: [CacheRecord], _ keys: [Digest], at time: Timestamp) throws {
        let lately = Timestamp(seconds: time.seconds - 60, nanoseconds: time.nanoseconds).column
        let all = Array(Set(found.map(\.key) + keys))
        let (old, gone) = try root.read { transaction in
            let old = try all.filter {
                try transaction.exists(
                    "SELECT 1 FROM cache WHERE key = ? AND last_used < ?", [$0.description, lately])
            }
            let gone = try found.filter {
                try !transaction.exists("SELECT 1 FROM cache WHERE key = ?", [$0.key.description])
            }
            return (old, gone)
        }
        if old.isEmpty, gone.isEmpty { return }
        try root.write { transaction in
            for key in old {
                try transaction.execute(
                    "UPDATE cache SET last_used = max(last_used, ?) WHERE key = ?", [time.column, key.description])
            }
            for record in gone { try transaction.insert(record, "OR IGNORE", root.stacks) }
        }
    }

    /// Removes records; what they needed stays until it is collected.
    package func remove(_ keys: [Digest]) throws {
        guard !keys.isEmpty else { return }
        try root.writeFreeingSpace { transaction in
            for key in keys { try transaction.execute("DELETE FROM cache WHERE key = ?", [key.description]) }
        }
    }

    /// The keys of the records whose layers are those of the records of these keys, those used last first.
    package func keys(ofStacksOf keys: Set<Digest>) throws -> [Digest: [Digest]] {
        guard !keys.isEmpty else { return [:] }
        let rows = try root.read { try $0.rows("SELECT key, stack FROM cache ORDER BY last_used DESC, key") }
        let records = try rows.map { (key: try Digest(parsing: $0[0] as String), stack: try $0[1] as Int64) }
        let groups = Dictionary(grouping: records, by: \.stack)
        return Dictionary(
            records.filter { $0.stack != 0 && keys.contains($0.key) }.map {
                ($0.key, groups[$0.stack, default: []].map(\.key))
            }
        ) { $1 }
    }

    /// All records, usable or not, the one used last first.
    package func list() throws -> [CacheRecord] { try root.read { try $0.cacheRecords(root.stacks) } }

    /// Whether all that a hit on the record needs is here or, in the case of layers, can be had elsewhere.
    ///
    /// `known` has stacks of which that is so. They may be kept as long as a lease or a lock keeps the collector away.
    func isUsable(_ record: CacheRecord, known: inout Set<ChainID>) throws -> Bool {
        for blob in record.blobs where try !root.content.contains(blob) { return false }
        var unknown: [(diffID: DiffID, chain: ChainID)] = []
        var next = record.stack
        while let layer = next.top, let chain = next.chainID, let below = next.below, !known.contains(chain) {
            unknown.append((layer.diffID, chain))
            next = below
        }
        for (diffID, chain) in unknown.reversed() {
            guard try root.layers.isWithinReach(diffID, as: chain) else { return false }
            known.insert(chain)
        }
        return true
    }
}

extension Transaction {
    func cacheRecords(_ stacks: StackTable) throws -> [CacheRecord] {
        try rows("SELECT * FROM cache ORDER BY last_used DESC, key").map { try CacheRecord($0, stacks, self) }
    }

    /// Returns the number of the record's stack.
    @discardableResult
    fileprivate func insert(_ record: CacheRecord, _ conflict: String, _ stacks: StackTable) throws -> Int64 {
        let stack = try stacks.number(of: record.stack, self)
        try execute(
            "INSERT \(conflict) INTO cache VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                record.key.description, record.kind, record.description, record.result, stack,
                record.blobs.column, record.createdAt.column, record.lastUsed.column, stamp(),
            ])
        return stack
    }
}
