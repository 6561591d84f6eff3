import GRDB
package import OCI

/// One build, as far as history goes.
package struct BuildRecord: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable {
        case running
        case succeeded
        case failed
        case cancelled
    }

    package let id: String
    package let started: Timestamp
    package let finished: Timestamp?
    /// The name of the target stage; empty for the last one.
    package let target: String
    /// The path of the Dockerfile as the user gave it.
    package let dockerfile: String
    package let status: Status
    package let cachedSteps: Int
    package let totalSteps: Int
    package let imageID: Digest?
    /// What the user was told when the build failed.
    package let error: String?

    package init(
        id: String, started: Timestamp, finished: Timestamp? = nil, target: String, dockerfile: String,
        status: Status, cachedSteps: Int = 0, totalSteps: Int = 0, imageID: Digest? = nil, error: String? = nil
    ) {
        self.id = id
        self.started = started
        self.finished = finished
        self.target = target
        self.dockerfile = dockerfile
        self.status = status
        self.cachedSteps = cachedSteps
        self.totalSteps = totalSteps
        self.imageID = imageID
        self.error = error
    }

    fileprivate init(_ row: Row) throws {
        self.init(
            id: row["id"], started: Timestamp(column: row["started"]),
            finished: (row["finished"] as String?).map(Timestamp.init(column:)), target: row["target"],
            dockerfile: row["dockerfile"], status: Status(rawValue: row["status"]) ?? .failed,
            cachedSteps: row["cached_steps"], totalSteps: row["total_steps"],
            imageID: try (row["image"] as String?).map { try Digest(parsing: $0) }, error: row["error"])
    }
}

/// The history of builds. It is told to users and relied upon by nobody.
package struct BuildIndex: Sendable {
    let root: StoreRoot

    /// Stores a record, in place of one with the same ID.
    package func save(_ build: BuildRecord) throws {
        _ = try root.write { transaction in
            try transaction.execute(
                "INSERT OR REPLACE INTO builds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    build.id, build.started.column, build.finished?.column, build.target, build.dockerfile,
                    build.status.rawValue, build.cachedSteps, build.totalSteps, build.imageID?.description,
                    build.error,
                ])
        }
    }

    /// The newest builds, the newest first.
    package func list(limit: Int = 50) throws -> [BuildRecord] {
        try root.read { transaction in
            try transaction.rows("SELECT * FROM builds ORDER BY started DESC, id LIMIT ?", [limit])
                .map(BuildRecord.init)
        }
    }

    package func build(_ id: String) throws -> BuildRecord? {
        try root.read { try $0.row("SELECT * FROM builds WHERE id = ?", [id]).map(BuildRecord.init) }
    }

    package func removeAll() throws {
        _ = try root.write { try $0.execute("DELETE FROM builds") }
    }
}
