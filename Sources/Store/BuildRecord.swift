import Diagnostics
package import OCI
import SQLite

/// One build, as history tells it.
package struct BuildRecord: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable, CaseIterable {
        /// Has not ended yet.
        case running
        case succeeded
        case failed
        case cancelled
        /// Its process ended without a word, as after `kill -9`.
        case lost
    }

    /// The build's ID for users: ten letters and digits.
    package let id: String
    package var started: Timestamp
    package var finished: Timestamp
    /// The directory with the files of the build, and the Dockerfile in it or beside it, for tables.
    package var name: String
    /// The target stage as it was asked for; empty for the last one.
    package var target: String
    package var status: Status
    package var cachedSteps: Int
    package var totalSteps: Int
    package var imageID: Digest?
    /// The image's names, as references.
    package var tags: [String]
    /// The message of a failed build.
    package var error: String?
    /// The size of the log as it is kept, in bytes.
    package var logSize: Int64
    /// All the rest: a document of the caller's.
    package var details: String

    package init(
        id: String, started: Timestamp, finished: Timestamp, name: String, target: String = "", status: Status,
        cachedSteps: Int = 0, totalSteps: Int = 0, imageID: Digest? = nil, tags: [String] = [], error: String? = nil,
        logSize: Int64 = 0, details: String = ""
    ) {
        self.id = id
        self.started = started
        self.finished = finished
        self.name = name
        self.target = target
        self.status = status
        self.cachedSteps = cachedSteps
        self.totalSteps = totalSteps
        self.imageID = imageID
        self.tags = tags
        self.error = error
        self.logSize = logSize
        self.details = details
    }

    /// Throws ``StoreError`` `.corrupt` for a row that no version of this program has written.
    init(_ row: Row) throws {
        func value<Value: SQLiteConvertible>(_ column: String) throws -> Value {
            do { return try row[column] } catch { throw Self.corrupt(column) }
        }
        func optional<Value: SQLiteConvertible>(_ column: String) throws -> Value? {
            try value(column) as Value?
        }
        func time(_ column: String) throws -> Timestamp {
            guard let time = Timestamp(parsing: try value(column) as String) else { throw Self.corrupt(column) }
            return time
        }
        guard let status = Status(rawValue: try value("status")) else { throw Self.corrupt("status") }
        self.init(
            id: try value("id"), started: try time("started"), finished: try time("finished"), name: try value("name"),
            target: try value("target"), status: status, cachedSteps: try value("cached_steps"),
            totalSteps: try value("total_steps"),
            imageID: try (optional("image") as String?).map { try Digest(parsing: $0) },
            tags: (try value("tags") as String).split(separator: " ").map(String.init), error: try optional("error"),
            logSize: try value("log_size"), details: try value("details"))
    }

    private static func corrupt(_ column: String) -> StoreError {
        StoreError(
            .corrupt, "a record of a build cannot be read: its \(column) is not what it can be",
            hint: "Run 'lamina fsck --repair', which forgets such builds.")
    }
}

/// The parts of a build record that many share: stored once, and removed with the last build that used
/// it.
package struct BuildFacts: Sendable {
    /// The ingredients of the keys of the build's steps, each a document of the caller's.
    package var keys: [Digest: String] = [:]
    /// Lists of files by a digest of what they list. An empty one is known to be there.
    package var lists: [Digest: [UInt8]] = [:]

    package init() {}
}
