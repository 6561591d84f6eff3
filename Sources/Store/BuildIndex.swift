import Diagnostics
package import Linux
package import OCI
import SQLite
import SystemPackage

/// The history of builds. It is told to users and relied upon by nobody: it is not synced to the disk, and a reader
/// takes what there is.
///
/// A record is one row, written when its build has ended. Its log and the lists of files are files below `builds/`; rows
/// and files go when they are old. While a build runs, its log says that it does; see ``UnfinishedBuild``.
package struct BuildIndex: Sendable {
    /// The minimum to keep: so many builds, and the logs of the newest of them up to so many bytes.
    package struct Limits: Sendable {
        package var builds = 100
        package var logBytes: Int64 = 256 << 20

        package init(builds: Int = 100, logBytes: Int64 = 256 << 20) {
            self.builds = builds
            self.logBytes = logBytes
        }
    }

    /// Old records go in bunches, so that not every build has to look for some.
    private static let slack = 20

    let root: StoreRoot

    // MARK: Writing

    /// Records a build that has ended, and forgets old ones.
    package func save(
        _ build: BuildRecord, facts: BuildFacts = BuildFacts(), log: consuming BuildLogFile? = nil,
        limits: Limits = Limits()
    ) throws {
        try root.explaining {
            let directory = try root.openDirectory()
            let staged = try stage(facts.lists, in: directory)
            defer { for name in staged.values { try? directory.unlinkIfExists(name) } }
            var log = log.take()
            let old = try root.write { transaction in
                try transaction.insert(build)
                let number = transaction.db.lastInsertedRow
                try transaction.note(facts.keys, of: number)
                for digest in facts.lists.keys {
                    let target = Self.listName(digest)
                    if let name = staged[digest] { try directory.rename(name, to: target, in: directory) }
                    // One that is said to be there may have been forgotten since.
                    guard try directory.statusIfExists(target) != nil else { continue }
                    try transaction.note(list: digest, of: number)
                }
                if log != nil { try log?.move(to: Self.logName(build.id)) }
                return try transaction.forget(limits, slack: Self.slack)
            }
            for name in old { try directory.unlinkIfExists(name) }
        }
    }

    /// Writes the lists that are not there, each to a file that is swept if this process is killed.
    private func stage(_ lists: [Digest: [UInt8]], in directory: borrowing Directory) throws -> [Digest: PathBytes] {
        try Self.makeFolders(in: directory)
        _ = try root.database()
        var names: [Digest: PathBytes] = [:]
        for (digest, content) in lists where !content.isEmpty {
            let name = PathBytes("tmp/\(Leftovers.newName())")
            names[digest] = name
            try directory.create(name, permissions: 0o444).write(content.span)
        }
        return names
    }

    fileprivate static func makeFolders(in directory: borrowing Directory) throws {
        for name in ["builds", "builds/logs", "builds/files", UnfinishedBuild.folder] {
            try StoreRoot.createDirectory(PathBytes(name), in: directory)
        }
    }

    /// Begins a log. Dropped without being saved, it leaves nothing.
    ///
    /// A log of a build shows others until its end that the build runs. One of none takes the place of another.
    package func beginLog(of build: String? = nil) throws -> BuildLogFile {
        // Opening the database claims the names of this process.
        _ = try root.database()
        return try root.explaining {
            try Self.makeFolders(in: try root.openDirectory())
            guard let build else { return BuildLogFile(file: try TemporaryFile(root)) }
            return BuildLogFile(file: try TemporaryFile(root, name: UnfinishedBuild.newName(build)))
        }
    }

    // MARK: Reading

    /// The newest builds, the newest first. A record that cannot be read is passed over.
    package func list(limit: Int = .max) throws -> [BuildRecord] {
        try root.read { transaction in
            try transaction.rows("SELECT * FROM builds ORDER BY number DESC LIMIT ?", [limit])
                .compactMap { try? BuildRecord($0) }
        }
    }

    package func build(_ id: String) throws -> BuildRecord? {
        try root.read { try $0.row("SELECT * FROM builds WHERE id = ?", [id]).map(BuildRecord.init) }
    }

    /// The build that a reference names: an ID or the beginning of one, `^N` for the one N before the newest.
    ///
    /// - Returns: `nil` when there is none.
    /// - Throws: ``StoreError`` `.ambiguous` when the beginning is that of several.
    package func find(_ reference: String) throws -> BuildRecord? {
        if reference.hasPrefix("^") {
            guard let offset = reference == "^" ? 0 : Int(reference.dropFirst()), offset >= 0 else { return nil }
            return try root.read { transaction in
                try transaction.row("SELECT * FROM builds ORDER BY number DESC LIMIT 1 OFFSET ?", [offset])
                    .map(BuildRecord.init)
            }
        }
        guard !reference.isEmpty, reference.utf8.allSatisfy({ $0 < 0x80 && $0 != 0x25 && $0 != 0x5f }) else {
            return nil
        }
        let found = try root.read { transaction in
            try transaction.rows("SELECT * FROM builds WHERE id LIKE ? LIMIT 2", [reference + "%"])
                .map(BuildRecord.init)
        }
        if found.count > 1 {
            throw StoreError(
                .ambiguous, "several builds begin with '\(reference)'", hint: "Give more of the reference.")
        }
        return found.first
    }

    /// Opens the log of a build as it was saved; `nil` when it has none.
    package func openLog(_ id: String) throws -> OwnedDescriptor? { try openIfExists(Self.logName(id)) }

    /// The ingredients of a key, if a build that is still known had it.
    package func ingredients(of key: Digest) throws -> String? {
        try root.read { try $0.row("SELECT ingredients FROM build_keys WHERE key = ?", [key.description])?[0] }
    }

    /// Whether a list of files is kept.
    package func hasList(_ digest: Digest) throws -> Bool {
        try root.openDirectory().statusIfExists(Self.listName(digest)) != nil
    }

    /// Opens a list of files as it was saved; `nil` when it is not kept.
    package func openList(_ digest: Digest) throws -> OwnedDescriptor? { try openIfExists(Self.listName(digest)) }

    func openIfExists(_ name: PathBytes) throws -> OwnedDescriptor? {
        do { return try root.openDirectory().open(name) } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    // MARK: Removing

    /// Removes a build and its log. One that runs stays.
    package func remove(_ id: String) throws {
        try root.writeFreeingSpace { transaction in
            try transaction.execute("DELETE FROM builds WHERE id = ?", [id])
            try root.openDirectory().unlinkIfExists(Self.logName(id))
        }
        for build in try unfinished() where build.id == id && !build.isRunning { try discard(build) }
    }

    /// Removes all builds that do not run, and what was kept for them.
    package func removeAll() throws {
        for build in try unfinished() where !build.isRunning { try discard(build) }
        try root.writeFreeingSpace { transaction in
            for table in ["builds", "build_keys", "build_lists"] { try transaction.execute("DELETE FROM \(table)") }
            let directory = try root.openDirectory()
            for folder in ["builds/logs", "builds/files"] where try directory.statusIfExists(PathBytes(folder)) != nil {
                for name in try directory.directory(PathBytes(folder)).names() {
                    try directory.unlinkIfExists(PathBytes(folder).appending(name))
                }
            }
        }
    }

    static func logName(_ id: String) -> PathBytes { PathBytes("builds/logs/\(id)") }

    static func listName(_ digest: Digest) -> PathBytes { PathBytes("builds/files/\(digest.hex)") }
}

/// The log of a build while it is written.
package struct BuildLogFile: ~Copyable, Sendable {
    fileprivate var file: TemporaryFile

    /// Appends bytes.
    package func write(_ bytes: Span<UInt8>) throws { try file.content.descriptor.write(bytes) }

    /// Writes as ``write(_:)`` does.
    package var sink: (Span<UInt8>) throws -> Void {
        let content = file.content
        return { try content.descriptor.write($0) }
    }

    /// Writes over what was written before.
    package func overwrite(_ bytes: [UInt8], at offset: Int64) throws {
        let descriptor = file.content.descriptor.raw
        try unsafe bytes.withUnsafeBytes { _ = try unsafe descriptor.writeAll(toAbsoluteOffset: offset, $0) }
    }

    /// In bytes.
    package func size() throws -> Int64 { try file.content.descriptor.status().size }

    /// Goes back to the start, to read what was written.
    package func rewind() throws { try file.content.descriptor.seek(to: 0) }

    /// Reads into the front of `buffer`; 0 at the end.
    package func read(into buffer: inout [UInt8]) throws -> Int { try file.content.descriptor.read(into: &buffer) }

    fileprivate mutating func move(to name: PathBytes) throws { try file.move(to: name) }
}

extension Transaction {
    func insert(_ build: BuildRecord) throws {
        try execute(
            """
            INSERT INTO builds (id, started, finished, name, target, status, cached_steps, total_steps, image, tags,
                error, log_size, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                build.id, build.started.column, build.finished.column, build.name, build.target,
                build.status.rawValue, build.cachedSteps, build.totalSteps, build.imageID?.description,
                build.tags.joined(separator: " "), build.error, build.logSize, build.details,
            ])
    }

    fileprivate func note(_ keys: [Digest: String], of build: Int64) throws {
        for (key, ingredients) in keys {
            let known = try execute("UPDATE build_keys SET build = ? WHERE key = ?", [build, key.description])
            if known == 0 {
                try execute("INSERT INTO build_keys VALUES (?, ?, ?)", [key.description, ingredients, build])
            }
        }
    }

    fileprivate func note(list digest: Digest, of build: Int64) throws {
        try execute("INSERT OR REPLACE INTO build_lists VALUES (?, ?)", [digest.description, build])
    }

    /// Removes the rows of what is too old, and returns the names of the files that went with them.
    fileprivate func forget(_ limits: BuildIndex.Limits, slack: Int) throws -> [PathBytes] {
        var names: [PathBytes] = []
        let count: Int = try row("SELECT count(*) FROM builds")?[0] ?? 0
        if count > limits.builds + slack {
            let oldest = try row("SELECT number FROM builds ORDER BY number DESC LIMIT 1 OFFSET ?", [limits.builds - 1])
            if let oldest: Int64 = try oldest?[0] {
                names += try rows("SELECT id FROM builds WHERE number < ? AND log_size > 0", [oldest])
                    .map { try BuildIndex.logName($0[0]) }
                names += try rows("SELECT digest FROM build_lists WHERE build < ?", [oldest])
                    .map { try BuildIndex.listName(Digest(parsing: $0[0] as String)) }
                try execute("DELETE FROM builds WHERE number < ?", [oldest])
                try execute("DELETE FROM build_keys WHERE build < ?", [oldest])
                try execute("DELETE FROM build_lists WHERE build < ?", [oldest])
            }
        }
        var bytes: Int64 = 0
        for row in try rows("SELECT number, id, log_size FROM builds WHERE log_size > 0 ORDER BY number DESC") {
            bytes += try row[2]
            guard bytes > limits.logBytes, try bytes > row[2] else { continue }
            names.append(BuildIndex.logName(try row[1]))
            try execute("UPDATE builds SET log_size = 0 WHERE number = ?", [row[0] as Int64])
        }
        return names
    }
}
