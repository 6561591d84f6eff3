import Linux
import OCI
import SQLite

/// The store's size on disk.
package struct DiskUsage: Hashable, Sendable {
    /// A number of things and the sum of their sizes in bytes.
    package struct Amount: Hashable, Sendable {
        package private(set) var count = 0
        package private(set) var bytes: Int64 = 0

        package init(count: Int = 0, bytes: Int64 = 0) {
            self.count = count
            self.bytes = bytes
        }

        mutating func add(_ bytes: Int64) {
            count += 1
            self.bytes = self.bytes.addingClamped(bytes)
        }
    }

    package struct Category: Hashable, Sendable {
        package let total: Amount
        /// How many of them cannot be removed: they have a name, or are in use.
        package let active: Int
        /// The bytes that would be free without the removable ones.
        package let reclaimable: Int64

        package init(total: Amount, active: Int, reclaimable: Int64) {
            self.total = total
            self.active = active
            self.reclaimable = reclaimable
        }
    }

    package let images: Category
    /// The results of steps. Their layers may be those of images too.
    package let cache: Category
    package let cacheMounts: Category
    package let blobs: Category
    package let snapshots: Category
    package let fileLists: Category
    /// The records of builds with their logs and lists: they go by themselves when there are many.
    package let builds: Amount
    /// The database with its log, in bytes.
    package let database: Int64
    /// All of it, each byte once; what users pay for.
    package let total: Int64
    /// All that can go, in bytes.
    package let reclaimable: Int64
}

extension StoreLedger {
    /// Sums the store up.
    package func usage(of root: StoreRoot) -> DiskUsage {
        let table = resources
        let isNamed = table.isNamed
        func category(_ kind: ResourceTable.Kind) -> DiskUsage.Category {
            DiskUsage.Category(
                total: table.sum { table.kinds[$0] == kind },
                active: table.sum { table.kinds[$0] == kind && isNamed[$0] }.count,
                reclaimable: table.sum { table.kinds[$0] == kind && !isNamed[$0] }.bytes)
        }
        let (unnamed, cached) = (isNeeded(by: .image), isNeeded(by: .step))
        let steps = records.filter { $0.kind == .step }
        let mounts = records.filter { $0.kind == .cacheMount }
        let mountBytes = mounts.clampedSum(\.bytes)
        let database = root.databaseSize()
        let builds = root.buildRecords()
        return DiskUsage(
            images: .init(
                total: .init(count: images.count, bytes: table.sum { isNamed[$0] || unnamed[$0] }.bytes),
                active: images.count { !$0.names.isEmpty }, reclaimable: table.sum { unnamed[$0] && !isNamed[$0] }.bytes
            ),
            cache: .init(
                total: .init(count: steps.count, bytes: table.sum { cached[$0] }.bytes),
                active: steps.count(where: \.isShared), reclaimable: table.sum { cached[$0] && !isNamed[$0] }.bytes),
            cacheMounts: .init(
                total: .init(count: mounts.count, bytes: mountBytes), active: mounts.count(where: \.isInUse),
                reclaimable: mounts.clampedSum { $0.isInUse ? 0 : $0.bytes }),
            blobs: category(.blob), snapshots: category(.snapshot), fileLists: category(.fileList),
            builds: builds, database: database,
            total: [table.sum { _ in true }.bytes, mountBytes, database, builds.bytes].clampedSum(\.self),
            reclaimable: removableBytes.addingClamped(unneededBytes))
    }
}

extension StoreRoot {
    /// Sums the store up as it is now.
    package func diskUsage() throws -> DiskUsage { try ledger().usage(of: self) }

    fileprivate func buildRecords() -> DiskUsage.Amount {
        guard let directory = try? openDirectory(), let builds = try? builds.list() else { return .init() }
        return .init(count: builds.count, bytes: TreeSize(of: "builds", in: directory).bytes)
    }

    fileprivate func databaseSize() -> Int64 {
        guard let directory = try? openDirectory() else { return 0 }
        return ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm"].clampedSum { name in
            (try? directory.statusIfExists(PathBytes(name)))??.size ?? 0
        }
    }
}
