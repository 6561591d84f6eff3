import Dispatch
import Linux
import OCI
import SQLite

/// The result of pruning, done or planned.
package struct Pruning: Sendable {
    /// The removed items.
    package internal(set) var records: [UsageRecord] = []
    /// In bytes: the sizes of deleted files; of what is only removed, or would be, what the ledger says.
    package internal(set) var freedBytes: Int64 = 0
    /// Whether the bytes are freed when the builds that run now have ended.
    package internal(set) var isPending = false
}

/// Removes what has no name, as rules say.
///
/// While somebody holds a lease, records go at once, but nothing that they need: a build may have found them just
/// before. Its end brings back those that it has used, and lets the collector free what the others needed. Images
/// without names stay then, as the build may be about to name one.
package struct Pruner: Sendable {
    let root: StoreRoot

    /// Applies the rules in turn.
    ///
    /// - Parameters:
    ///   - rules: each selects from what the rules before it have left.
    ///   - dryRun: whether to change nothing and only say what would go.
    /// - Returns: what was removed, or would be.
    /// - Throws: ``StoreError``.
    package func prune(_ rules: [PruneRule], dryRun: Bool = false) throws -> Pruning {
        if dryRun {
            var ledger = try root.ledger()
            let bytes = ledger.removableBytes + ledger.unneededBytes
            let records = rules.flatMap { ledger.take($0) }
            return Pruning(records: records, freedBytes: bytes - ledger.removableBytes)
        }
        defer { try? root.database().sweep.wait() }
        if let lock = try root.attemptExclusive() { return try prune(rules, holding: lock) }
        return try pruneBesideBuilds(rules)
    }

    /// Applies the rules with all leases kept away.
    func prune(
        _ rules: [PruneRule], holding lock: consuming FileLock, until deadline: ContinuousClock.Instant? = nil
    ) throws -> Pruning {
        var ledger = try root.ledger()
        let chosen = rules.flatMap { ledger.take($0) }
        let (removed, mountBytes) = try remove(chosen)
        let collection = try root.collector.collect(holding: lock, until: deadline)
        return Pruning(records: removed, freedBytes: collection.freedBytes + mountBytes)
    }

    private func pruneBesideBuilds(_ rules: [PruneRule]) throws -> Pruning {
        var ledger = try root.ledger()
        let rules = rules.map { rule in
            var rule = rule
            let matches = rule.matches
            rule.matches = { $0.kind != .image && matches($0) }
            return rule
        }
        let before = ledger.removableBytes
        let chosen = rules.flatMap { ledger.take($0) }
        let (removed, _) = try remove(chosen)
        root.isCollectionDue = true
        return Pruning(records: removed, freedBytes: before - ledger.removableBytes, isPending: true)
    }

    /// Removes the rows of records, and cache mounts; what the rows needed stays. What was used or named since the
    /// ledger was read stays, too.
    private func remove(_ chosen: [UsageRecord]) throws -> (removed: [UsageRecord], mountBytes: Int64) {
        var removed = try root.writeFreeingSpace { transaction in
            try chosen.filter { try transaction.remove($0) }
        }
        var mountBytes: Int64 = 0
        for record in chosen where record.kind == .cacheMount {
            guard try root.cacheMounts.remove(record.id) else { continue }
            mountBytes = mountBytes.addingClamped(record.bytes)
            removed.append(record)
        }
        return (removed, mountBytes)
    }
}

extension Transaction {
    fileprivate func remove(_ record: UsageRecord) throws -> Bool {
        switch record.kind {
        case .cacheMount: return false
        case .image:
            let roots = try imageRoots(leadingTo: record.id).filter { $0.defaultImage?.id == record.id }
            guard !roots.isEmpty, roots.allSatisfy(\.names.isEmpty) else { return false }
            for root in roots { try removeRoot(root.descriptor.digest) }
            return true
        case .step:
            let count = try record.keys.reduce(0) { count, key in
                try count
                    + execute(
                        "DELETE FROM cache WHERE key = ? AND last_used <= ?",
                        [key.description, record.lastUsed.column])
            }
            return count > 0
        }
    }
}
