package import Linux
package import OCI
import SQLite
import SystemPackage

/// A build of which there is no record yet: it runs, or its process was killed.
///
/// All there is of it is its log, in a file that tells its owner as everything does that is being made. So a build says
/// that it runs by one small file, and a reader learns by that name whether it still does.
package struct UnfinishedBuild: Hashable, Sendable {
    static let folder = "builds/running"

    package let id: String
    package let isRunning: Bool
    /// The time of the last write to its log, which is all that is known of the end of a killed build.
    package let modified: Timestamp
    /// The size of its log, in bytes.
    package let size: Int64
    fileprivate let name: PathBytes

    /// `<id>.<owner>`, with the owner as everywhere.
    static func newName(_ id: String) -> PathBytes { PathBytes("\(folder)/\(id).\(ProcessIdentity.current)") }
}

extension BuildIndex {
    /// The builds without a record, in no order.
    package func unfinished() throws -> [UnfinishedBuild] {
        guard let directory = try? root.openDirectory(),
            try directory.statusIfExists(PathBytes(UnfinishedBuild.folder)) != nil
        else { return [] }
        return try directory.directory(PathBytes(UnfinishedBuild.folder)).names().compactMap { entry in
            let parts = entry.text.split(separator: ".", maxSplits: 1)
            let name = PathBytes(UnfinishedBuild.folder).appending(entry)
            guard parts.count == 2, let owner = ProcessIdentity(parts[1]),
                // Gone meanwhile, it has a record.
                let status = try directory.statusIfExists(name)
            else { return nil }
            return UnfinishedBuild(
                id: String(parts[0]), isRunning: !Leftovers(root: root.path).isDead(owner),
                modified: Timestamp(status.modified), size: status.size, name: name)
        }
    }

    /// Opens the log of a build as far as it is written; `nil` when the build has a record now.
    package func openLog(of build: UnfinishedBuild) throws -> OwnedDescriptor? { try openIfExists(build.name) }

    /// Makes the record of a build whose process is gone, with what it has logged.
    package func adopt(_ build: UnfinishedBuild, as record: BuildRecord) throws {
        try root.write { transaction in
            let directory = try root.openDirectory()
            // Another process may have been faster.
            guard try directory.statusIfExists(build.name) != nil else { return }
            if try transaction.exists("SELECT 1 FROM builds WHERE id = ?", [build.id]) {
                return try directory.unlink(build.name)
            }
            try transaction.insert(record)
            try directory.rename(build.name, to: Self.logName(build.id), in: directory)
        }
    }

    /// Forgets a build whose process is gone.
    package func discard(_ build: UnfinishedBuild) throws {
        try root.explaining { try root.openDirectory().unlinkIfExists(build.name) }
    }
}
