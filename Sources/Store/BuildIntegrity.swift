import Linux
import OCI
import SQLite

// What a check of the history needs, and nobody else: all rows as they are, and ways to take broken ones out.

/// A row of the history.
package struct BuildRow: Sendable {
    package let number: Int64
    package let id: String
    /// The contents of the row, or why it cannot be read.
    package let record: Result<BuildRecord, any Error>
}

extension BuildIndex {
    /// All rows, the oldest first.
    package func rows() throws -> [BuildRow] {
        try root.read { transaction in
            try transaction.rows("SELECT * FROM builds ORDER BY number").map { row in
                BuildRow(
                    number: try row["number"], id: (try? row["id"]) ?? "",
                    record: Result { try BuildRecord(row) })
            }
        }
    }

    /// Removes a row whatever is in it, and the log of its build.
    package func remove(_ row: BuildRow) throws {
        try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM builds WHERE number = ?", [row.number])
            if !row.id.isEmpty { try root.openDirectory().unlinkIfExists(Self.logName(row.id)) }
        }
    }

    /// The size of a build's log on disk, in bytes; `nil` when there is none.
    package func logSize(of id: String) throws -> Int64? {
        try root.openDirectory().statusIfExists(Self.logName(id))?.size
    }

    /// Removes the log of a build and keeps its record.
    package func removeLog(of id: String) throws {
        try root.writeFreeingSpace { transaction in
            try transaction.execute("UPDATE builds SET log_size = 0 WHERE id = ?", [id])
            try root.openDirectory().unlinkIfExists(Self.logName(id))
        }
    }

    /// The ingredients of keys, by the text of the key.
    package func allIngredients() throws -> [(key: String, ingredients: String)] {
        try texts("SELECT key, ingredients FROM build_keys ORDER BY key").map { ($0[0], $0[1]) }
    }

    /// Forgets what went into a key.
    package func removeIngredients(of key: String) throws {
        _ = try root.writeFreeingSpace { try $0.execute("DELETE FROM build_keys WHERE key = ?", [key]) }
    }

    /// The digests of all lists of files, as text.
    package func allLists() throws -> [String] {
        try texts("SELECT digest FROM build_lists ORDER BY digest").map { $0[0] }
    }

    /// Forgets a list of files; the next build that has it writes it again.
    package func removeList(_ digest: String) throws {
        try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM build_lists WHERE digest = ?", [digest])
            if let digest = try? Digest(parsing: digest) {
                try root.openDirectory().unlinkIfExists(Self.listName(digest))
            }
        }
    }

    private func texts(_ sql: String) throws -> [[String]] {
        try root.read { transaction in
            try transaction.rows(sql).map { row in
                row.values.map { String(sqliteValue: $0) ?? "" }
            }
        }
    }

    /// Logs and lists that no row accounts for, by names relative to the root: killed processes leave them.
    static func strays(in directory: borrowing Directory, _ transaction: Transaction) throws -> [PathBytes] {
        func names(_ folder: PathBytes) throws -> [PathBytes] {
            guard try directory.statusIfExists(folder) != nil else { return [] }
            return try directory.directory(folder).names().map { folder.appending($0) }
        }
        let logs = Set(try transaction.rows("SELECT id FROM builds WHERE log_size > 0").map { try logName($0[0]) })
        let lists = Set(
            try transaction.rows("SELECT digest FROM build_lists").compactMap { row -> PathBytes? in
                (try? Digest(parsing: row[0] as String)).map(listName)
            })
        return try names("builds/logs").filter { !logs.contains($0) }
            + names("builds/files").filter { !lists.contains($0) }
    }
}
