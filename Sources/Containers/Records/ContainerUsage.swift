import OCI
import Requests
package import Store

/// The room that containers and volumes take on disk.
package struct ContainerUsage: Hashable, Sendable {
    /// The containers: running ones are active, and the others can go.
    package let containers: DiskUsage.Category
    /// The volumes: those of a container are active, and the others can go.
    package let volumes: DiskUsage.Category

    package init(of store: StoreRoot) throws {
        let all = try ContainerStore(store).list()
        containers = try Self.category(all, size: { try $0.writtenBytes() }, isActive: \.isRunning)
        let used = Set(all.flatMap { $0.record.request.volumes.volumes.compactMap(\.name) })
        volumes = try Self.category(
            VolumeStore(store).list(), size: { try $0.bytes() }, isActive: { used.contains($0.name) })
    }

    private static func category<Item>(
        _ items: [Item], size: (Item) throws -> Int64, isActive: (Item) -> Bool
    ) throws -> DiskUsage.Category {
        var (bytes, free, active) = (Int64(0), Int64(0), 0)
        for item in items {
            let count = try size(item)
            bytes = bytes.addingClamped(count)
            if isActive(item) { active += 1 } else { free = free.addingClamped(count) }
        }
        return DiskUsage.Category(
            total: .init(count: items.count, bytes: bytes), active: active, reclaimable: free)
    }
}
