import GRDB
import Linux
import OCI

/// What the store takes on disk.
package struct DiskUsage: Hashable, Sendable {
    package struct Category: Hashable, Sendable {
        package let count: Int
        /// Sizes of files; what is shared by hard links counts once.
        package let bytes: Int64

        package init(count: Int, bytes: Int64) {
            self.count = count
            self.bytes = bytes
        }
    }

    package let blobs: Category
    package let layerLists: Category
    package let snapshots: Category
    /// The cache records, and the bytes that would be free without them.
    package let cache: Category
    /// The database with its log, in bytes.
    package let database: Int64
}

extension StoreRoot {
    /// Measures the store. A snapshot is walked the first time only: it does not change.
    package func diskUsage() throws -> DiskUsage {
        let sizes = try snapshotSizes()
        return try explaining {
            try read { transaction in
                let blobs = try transaction.blobSizes()
                let lists = try listSizes(transaction)
                let records = try transaction.cacheRecords()
                let images = try transaction.images()
                let needed = try Reachable(images: images, cache: [], in: transaction)
                let all = try Reachable(images: images, cache: records, in: transaction)
                let (onlyBlobs, onlyChains) = (
                    all.blobs.subtracting(needed.blobs), all.chains.subtracting(needed.chains)
                )
                let cached =
                    blobs.filter { onlyBlobs.contains($0.key) }.values.reduce(0, +)
                    + sizes.filter { onlyChains.contains($0.key) }.values.reduce(0, +)
                return DiskUsage(
                    blobs: .init(count: blobs.count, bytes: blobs.values.reduce(0, +)),
                    layerLists: .init(count: lists.count, bytes: lists.reduce(0, +)),
                    snapshots: .init(count: sizes.count, bytes: sizes.values.reduce(0, +)),
                    cache: .init(count: records.count, bytes: cached), database: databaseSize())
            }
        }
    }

    private func listSizes(_ transaction: Transaction) throws -> [Int64] {
        let rows = try transaction.rows("SELECT diff_id FROM layers")
        guard !rows.isEmpty else { return [] }
        let directory = try openDirectory()
        return try rows.map { row in
            let name = LayerIndex.fileListName(try DiffID(parsing: row[0] as String))
            return try directory.statusIfExists(name)?.size ?? 0
        }
    }

    private func databaseSize() -> Int64 {
        guard let directory = try? openDirectory() else { return 0 }
        return ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm"].reduce(0) { sum, name in
            sum + ((try? directory.statusIfExists(PathBytes(name)))??.size ?? 0)
        }
    }

    private func snapshotSizes() throws -> [ChainID: Int64] {
        let rows = try read { try $0.rows("SELECT chain_id, number, bytes FROM snapshots") }
        guard !rows.isEmpty else { return [:] }
        let directory = try openDirectory()
        var sizes: [ChainID: Int64] = [:]
        var measured: [(number: Int64, bytes: Int64)] = []
        for row in rows {
            let number: Int64 = row[1]
            let known: Int64? = row[2]
            let bytes = known ?? TreeSize(of: SnapshotStore.contentName(number), in: directory).bytes
            if known == nil { measured.append((number, bytes)) }
            sizes[try ChainID(parsing: row[0] as String)] = bytes
        }
        if mode == .readWrite, !measured.isEmpty {
            // Only to be faster the next time, and people look at a disk that is full.
            try? write { transaction in
                for (number, bytes) in measured {
                    try transaction.execute("UPDATE snapshots SET bytes = ? WHERE number = ?", [bytes, number])
                }
            }
        }
        return sizes
    }
}

/// The size of files and of trees of them, in bytes.
struct TreeSize {
    private(set) var bytes: Int64 = 0
    /// Device and inode of files with several links.
    private var seen: Set<[UInt64]> = []

    init() {}

    init(of name: PathBytes, in directory: borrowing Directory) { add(name, in: directory) }

    /// Adds what is there; what cannot be read counts nothing.
    mutating func add(_ name: PathBytes, in directory: borrowing Directory) {
        guard let status = try? directory.status(name) else { return }
        switch status.type {
        case .regular:
            if status.links > 1, !seen.insert([status.device, status.inode]).inserted { return }
            bytes += status.size
        case .directory:
            guard let child = try? directory.directory(name, resolving: .noSymlinks), let names = try? child.names()
            else { return }
            for name in names { add(name, in: child) }
        default: return
        }
    }
}
