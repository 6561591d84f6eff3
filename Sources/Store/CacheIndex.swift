package import OCI
import SQLite

/// The result of a step, under the key of its inputs.
package struct CacheRecord: Hashable, Sendable {
    package let key: Digest
    /// The kind of step, for tables.
    package let kind: String
    package let description: String
    /// The caller's own data for a hit, as JSON.
    package let result: String
    /// The stack of layers a hit needs, bottom first: each must be here as a blob or as a snapshot, or have a source.
    package let diffIDs: [DiffID]
    /// Further blobs a hit needs.
    package let blobs: [Digest]
    package let createdAt: Timestamp
    package let lastUsed: Timestamp

    package init(
        key: Digest, kind: String, description: String, result: String,
        diffIDs: [DiffID] = [], blobs: [Digest] = [], createdAt: Timestamp, lastUsed: Timestamp? = nil
    ) {
        self.key = key
        self.kind = kind
        self.description = description
        self.result = result
        self.diffIDs = diffIDs
        self.blobs = blobs
        self.createdAt = createdAt
        self.lastUsed = lastUsed ?? createdAt
    }

    init(_ row: Row) throws {
        self.init(
            key: try Digest(parsing: row["key"] as String), kind: try row["kind"], description: try row["description"],
            result: try row["result"],
            diffIDs: try Array(column: row["diff_ids"]), blobs: try Array(column: row["blobs"]),
            createdAt: Timestamp(column: try row["created"]), lastUsed: Timestamp(column: try row["last_used"]))
    }
}

/// The build cache.
package struct CacheIndex: Sendable {
    let root: StoreRoot

    /// The record of a key; `nil` when there is none or when something is gone that it needs.
    package func record(for key: Digest) throws -> CacheRecord? {
        let record = try root.read { transaction in
            try transaction.row("SELECT * FROM cache WHERE key = ?", [key.description]).map(CacheRecord.init)
        }
        guard let record, try isUsable(record) else { return nil }
        return record
    }

    /// Stores a record, in place of one with the same key.
    package func save(_ record: CacheRecord) throws {
        try root.write { try $0.insert(record, "OR REPLACE") }
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
            for record in gone { try transaction.insert(record, "OR IGNORE") }
        }
    }

    /// Removes records; what they needed stays until it is collected.
    package func remove(_ keys: [Digest]) throws {
        guard !keys.isEmpty else { return }
        try root.writeFreeingSpace { transaction in
            for key in keys { try transaction.execute("DELETE FROM cache WHERE key = ?", [key.description]) }
        }
    }

    /// The keys under which there are records with these results, those used last first.
    package func keys(of results: Set<String>) throws -> [String: [Digest]] {
        guard !results.isEmpty else { return [:] }
        var keys: [String: [Digest]] = [:]
        for row in try root.read({ try $0.rows("SELECT key, result FROM cache ORDER BY last_used DESC, key") }) {
            let result: String = try row[1]
            if results.contains(result) { keys[result, default: []].append(try Digest(parsing: row[0] as String)) }
        }
        return keys
    }

    /// All records, usable or not, the one used last first.
    package func list() throws -> [CacheRecord] { try root.read { try $0.cacheRecords() } }

    /// Whether all that a hit on the record needs is here or, in the case of layers, can be had elsewhere.
    func isUsable(_ record: CacheRecord) throws -> Bool {
        var known: [ChainID: Bool] = [:]
        return try isUsable(record, known: &known)
    }

    /// The same, with what is `known` of stacks from other records.
    func isUsable(_ record: CacheRecord, known: inout [ChainID: Bool]) throws -> Bool {
        for blob in record.blobs where try !root.content.contains(blob) { return false }
        var chain: ChainID?
        for diffID in record.diffIDs {
            let next = ChainID(diffID, on: chain)
            chain = next
            let isUsable = try known[next] ?? root.layers.isWithinReach(diffID, as: next)
            known[next] = isUsable
            if !isUsable { return false }
        }
        return true
    }
}

extension Transaction {
    func cacheRecords() throws -> [CacheRecord] {
        try rows("SELECT * FROM cache ORDER BY last_used DESC, key").map(CacheRecord.init)
    }

    fileprivate func insert(_ record: CacheRecord, _ conflict: String) throws {
        try execute(
            "INSERT \(conflict) INTO cache VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                record.key.description, record.kind, record.description, record.result, record.diffIDs.column,
                record.blobs.column, record.createdAt.column, record.lastUsed.column, stamp(),
            ])
    }
}
