import OCI
import SQLite

/// Migrates a store of version 4, where each cache record has a list of all its layers, to version 5, where stacks of
/// layers have rows of their own. The keys stay.
struct StackMigration {
    func run(_ transaction: Transaction) throws {
        let records = try transaction.rows("SELECT * FROM cache")
        try transaction.db.executeScript("DROP TABLE cache; \(StoreSchema.cache)")
        for row in records {
            var result: String = try row["result"]
            let diffIDs = try [DiffID](column: row["diff_ids"])
            let layers = Self.layers(of: result)
            // The result of a step is its layers; of other records, it is what the caller made it.
            let isStack = layers.map { $0.map(\.diffID) == diffIDs } ?? false
            if isStack { result = "" }
            let stack = (isStack ? layers ?? [] : diffIDs.map { LayerStack.Layer(diffID: $0, created: nil) })
            let number = try stack.reduce(0) { try transaction.stackNumber(of: $1, on: $0) }
            try transaction.execute(
                "INSERT INTO cache VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    row["key"] as String, row["kind"] as String, row["description"] as String, result, number,
                    row["blobs"] as String, row["created"] as String, row["last_used"] as String,
                    row["generation"] as Int64,
                ])
        }
        try transaction.db.executeScript("PRAGMA user_version = 5")
    }

    /// The layers that a result names, as version 4 wrote them; `nil` for any other result.
    private static func layers(of result: String) -> [LayerStack.Layer]? {
        guard let items = try? JSON(parsing: result).array else { return nil }
        var layers: [LayerStack.Layer] = []
        for item in items {
            guard let name = item["diffID"]?.string, let diffID = try? DiffID(parsing: name) else { return nil }
            let created = item["created"]?.string.flatMap(Timestamp.init(parsing:))
            layers.append(LayerStack.Layer(diffID: diffID, created: created))
        }
        return layers
    }
}
