import SQLite

/// The database inside a transaction.
struct Transaction {
    let db: SQLiteConnection

    /// The first row of a query.
    func row(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws -> Row? {
        try db.row(sql, arguments)
    }

    func rows(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws -> [Row] {
        try db.rows(sql, arguments)
    }

    func exists(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws -> Bool {
        try row(sql, arguments) != nil
    }

    /// Runs a statement and returns how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws -> Int {
        try db.execute(sql, arguments)
    }
}

/// Generations: see ``StoreRoot``.
extension Transaction {
    /// The generation to stamp a row with that is about to be written. Notes that there is something to be synced, so
    /// it must be in the same transaction as whatever makes the content visible.
    func stamp() throws -> Int64 {
        let state = try generations()
        if state.written < state.current { try execute("UPDATE state SET written = current") }
        return state.current
    }

    /// Begins a new generation and returns the one that ended; `nil` when all is durable.
    func endGeneration() throws -> Int64? {
        let state = try generations()
        guard state.written > state.durable else { return nil }
        try execute("UPDATE state SET current = current + 1")
        return state.current
    }

    func markDurable(_ generation: Int64) throws {
        try execute("UPDATE state SET durable = max(durable, ?)", [generation])
    }

    private func generations() throws -> (current: Int64, written: Int64, durable: Int64) {
        guard let row = try row("SELECT current, written, durable FROM state") else {
            throw SQLiteError.corrupt("the state is missing")
        }
        return (try row[0], try row[1], try row[2])
    }

    /// Drops what another boot wrote and did not sync.
    func beginBoot(_ bootID: String) throws {
        for table in ["blobs", "layers", "layer_blobs", "layer_sources", "snapshots", "cache"] {
            try execute("DELETE FROM \(table) WHERE generation > (SELECT durable FROM state)")
        }
        try execute("UPDATE state SET boot = ?, written = durable, current = max(current, durable) + 1", [bootID])
    }

    func isOfBoot(_ bootID: String) throws -> Bool {
        try exists("SELECT 1 FROM state WHERE boot = ?", [bootID])
    }
}
