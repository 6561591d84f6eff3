import Glibc
package import Linux
package import OCI

/// How far the store is cleaned up without being asked.
package protocol CollectionRules: Sendable {
    /// Whether it is worth looking; `last` is `nil` before the first time.
    func isDue(_ last: CollectionMark?, space: FileSystemSpace, now: Timestamp) -> Bool

    /// The rules by which records go, for a store with so many removable bytes.
    func rules(removable: Int64, space: FileSystemSpace, now: Timestamp) -> [PruneRule]
}

/// The time of the last collection in seconds, and the bytes that were free on the file system then.
package struct CollectionMark: Hashable, Sendable {
    package let seconds: Int64
    package let available: Int64

    fileprivate init(seconds: Int64, available: Int64) {
        self.seconds = seconds
        self.available = available
    }

    fileprivate init?(_ text: String) {
        let numbers = text.split(separator: " ").compactMap { Int64($0) }
        guard numbers.count == 2 else { return nil }
        self.init(seconds: numbers[0], available: numbers[1])
    }
}

extension StoreRoot {
    private static let markName: PathBytes = "collected"

    /// Collects what was removed while a lease still held it. Call without a lease.
    package func collectRemains(until deadline: ContinuousClock.Instant? = nil) throws {
        guard isCollectionDue, let lock = try attemptExclusive() else { return }
        _ = try collector.collect(holding: lock, until: deadline)
    }

    /// Cleans up at the end of a build that has written something. Call without a lease.
    ///
    /// When there is nothing to do this costs some system calls. What it deletes it first moves out of sight; of the
    /// deleting itself the next process does what takes longer than some seconds.
    ///
    /// - Parameter policy: how far.
    /// - Returns: what was removed; `nil` when nothing was, or when another build has to do it as it still runs.
    /// - Throws: ``StoreError``.
    package func collectAutomatically(_ policy: some CollectionRules) throws -> Pruning? {
        let deadline = ContinuousClock.now + .seconds(3)
        let space = try explaining { try FileSystemSpace(of: path) }
        let now = Timestamp(FileTime.now)
        guard policy.isDue(mark(), space: space, now: now) else { return nil }
        var ledger = try ledger()
        let rules = policy.rules(removable: ledger.removableBytes, space: space, now: now)
        var pruning: Pruning?
        if rules.contains(where: { !ledger.take($0).isEmpty }) || ledger.unneededBytes > 64_000_000 {
            // Only now, as the next build waits for whoever holds it.
            guard let lock = try attemptExclusive() else { return nil }
            pruning = try pruner.prune(rules, holding: lock, until: deadline)
        }
        let after = try explaining { try FileSystemSpace(of: path) }
        write(CollectionMark(seconds: now.seconds, available: after.available))
        return pruning.flatMap { $0.records.isEmpty && $0.freedBytes == 0 ? nil : $0 }
    }

    private func mark() -> CollectionMark? {
        guard let content = try? openDirectory().open(Self.markName).readAll(limit: 100) else { return nil }
        return CollectionMark(String(decoding: content, as: UTF8.self))
    }

    /// Without it, all that happens is that the next build looks again.
    private func write(_ mark: CollectionMark) {
        guard let file = try? openDirectory().open(Self.markName, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600) else {
            return
        }
        try? file.write(Array("\(mark.seconds) \(mark.available)".utf8).span)
    }
}
