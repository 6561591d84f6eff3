import Glibc
import Linux
import OCI

extension StoreRoot {
    private static let markName: PathBytes = "collected"

    /// Cleans up at the end of a build, as a policy says. Call without a lease.
    ///
    /// When there is nothing to do this costs some system calls. What it deletes it first moves out of sight; of the
    /// deleting itself the next process does what takes longer than some seconds.
    ///
    /// - Parameters:
    ///   - policy: how far.
    ///   - hasGrown: whether the build has written anything.
    /// - Returns: what was removed; `nil` when nothing was, or when another build has to do it as it still runs.
    /// - Throws: ``StoreError``.
    package func collectAutomatically(_ policy: CollectionPolicy, hasGrown: Bool) throws -> Pruning? {
        let deadline = ContinuousClock.now + .seconds(3)
        if isCollectionDue, let lock = try attemptExclusive() {
            _ = try collector.collect(holding: lock, until: deadline)
        }
        guard hasGrown, policy.isOn else { return nil }
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
        try? file.write(Array(mark.text.utf8).span)
    }
}
