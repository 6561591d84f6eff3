import GRDB
package import OCI

/// What a step made, under the key of all that went into it.
package struct CacheRecord: Hashable, Sendable {
    package let key: Digest
    /// The kind of step, for tables.
    package let kind: String
    package let description: String
    /// What the caller wants to know at a hit: JSON of its own.
    package let result: String
    /// The stack of layers a hit needs, bottom first: each must be recorded, and be here as a blob or as a snapshot.
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
            key: try Digest(parsing: row["key"] as String), kind: row["kind"], description: row["description"],
            result: row["result"],
            diffIDs: try Array(column: row["diff_ids"]), blobs: try Array(column: row["blobs"]),
            createdAt: Timestamp(column: row["created"]), lastUsed: Timestamp(column: row["last_used"]))
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
        _ = try root.write { transaction in
            try transaction.execute(
                "INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    record.key.description, record.kind, record.description, record.result,
                    record.diffIDs.column, record.blobs.column,
                    record.createdAt.column, record.lastUsed.column, transaction.stamp(),
                ])
        }
    }

    /// Notes when records were used last. Not noted at each look-up, which thus writes nothing.
    package func touch(_ keys: [Digest], at time: Timestamp) throws {
        guard !keys.isEmpty else { return }
        try root.write { transaction in
            for key in keys {
                try transaction.execute(
                    "UPDATE cache SET last_used = max(last_used, ?) WHERE key = ?", [time.column, key.description])
            }
        }
    }

    /// Removes records; what they needed stays until it is collected.
    package func remove(_ keys: [Digest]) throws {
        guard !keys.isEmpty else { return }
        try root.writeFreeingSpace { transaction in
            for key in keys { try transaction.execute("DELETE FROM cache WHERE key = ?", [key.description]) }
        }
    }

    /// All records, usable or not, the one used last first.
    package func list() throws -> [CacheRecord] { try root.read { try $0.cacheRecords() } }

    /// Whether all is here that a hit on the record needs.
    func isUsable(_ record: CacheRecord) throws -> Bool {
        for blob in record.blobs where try !root.content.contains(blob) { return false }
        var chain: ChainID?
        for diffID in record.diffIDs {
            let next = ChainID(diffID, on: chain)
            chain = next
            guard try root.layers.layer(diffID) != nil else { return false }
            if try root.snapshots.snapshot(next) != nil { continue }
            guard try root.layers.blobs(of: diffID).contains(where: { try root.content.contains($0.digest) }) else {
                return false
            }
        }
        return true
    }
}

extension Transaction {
    func cacheRecords() throws -> [CacheRecord] {
        try rows("SELECT * FROM cache ORDER BY last_used DESC, key").map(CacheRecord.init)
    }
}
