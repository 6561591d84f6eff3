package import Linux
package import OCI
package import Store

/// How far the store is cleaned up without being asked.
///
/// The amounts are about what can go at all: what only images without names, cached steps and cache mounts need. The
/// default is that of BuildKit.
package struct CollectionPolicy: CollectionRules, Hashable, Sendable {
    /// An amount that may depend on the size of the file system.
    package enum Amount: Hashable, Sendable {
        case bytes(Int64)
        /// Of the file system, from 0 to 1.
        case share(Double)
        /// A share, but no more than so many bytes.
        case limitedShare(Double, Int64)

        func bytes(of total: Int64) -> Int64 {
            switch self {
            case .bytes(let bytes): bytes
            case .share(let share): Self.part(share, of: total)
            case .limitedShare(let share, let limit): min(limit, Self.part(share, of: total))
            }
        }

        private static func part(_ share: Double, of total: Int64) -> Int64 {
            Int64(exactly: (Double(total) * share).rounded(.towardZero)) ?? total
        }
    }

    package var isOn = true
    /// The part that stays however full the disk is.
    package var reserved = Amount.limitedShare(0.1, 10_000_000_000)
    /// The maximum.
    package var maxUsed = Amount.limitedShare(0.8, 100_000_000_000)
    /// The free space to keep on the file system; below it, all but the reserved part is removed.
    package var minFree = Amount.share(0.2)
    /// The age in seconds after which unused data is removed, down to the reserved part.
    package var unused: Int64 = 60 * 86400
    /// Sources that were fetched and cache mounts go after so long, down to 512 MB in all; in seconds.
    package var sourcesUnused: Int64 = 48 * 3600

    package init() {}

    /// An image without a name stays for so many seconds after it was built: somebody may have its ID.
    private static let imageGrace: Int64 = 48 * 3600

    /// The effect of the policy on a store with so many removable bytes.
    package func rules(removable: Int64, space: FileSystemSpace, now: Timestamp) -> [PruneRule] {
        func before(_ seconds: Int64) -> Timestamp {
            Timestamp(seconds: now.seconds.subtractingClamped(seconds), nanoseconds: now.nanoseconds)
        }
        let reserved = reserved.bytes(of: space.total)
        let grace = before(Self.imageGrace)
        let isRipe: @Sendable (UsageRecord) -> Bool = { $0.kind != .image || $0.lastUsed < grace }

        var sources = PruneRule()
        sources.matches = { ["source.git.checkout", "source.http", "exec.cachemount"].contains($0.type) }
        sources.unusedSince = before(sourcesUnused)
        sources.keepBytes = 512_000_000

        var old = PruneRule()
        old.matches = isRipe
        old.unusedSince = before(unused)
        old.keepBytes = reserved

        var excess = PruneRule()
        excess.matches = isRipe
        let missing = max(0, minFree.bytes(of: space.total) - space.available)
        excess.keepBytes = max(reserved, min(maxUsed.bytes(of: space.total), removable - missing))
        return [sources, old, excess]
    }

    /// Whether it is worth looking: the last time is a day ago, or much was written since, or the disk is full.
    package func isDue(_ last: CollectionMark?, space: FileSystemSpace, now: Timestamp) -> Bool {
        guard isOn else { return false }
        guard let last else { return true }
        let age = now.seconds.subtractingClamped(last.seconds)
        if age < 0 || age > 86400 { return true }
        if age > 600, space.available < minFree.bytes(of: space.total) { return true }
        return last.available.subtractingClamped(space.available) > 256_000_000
    }
}
