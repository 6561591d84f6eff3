package import OCI

/// Something of the store that can go without anything being lost that has a name.
package struct UsageRecord: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// An image without a name.
        case image
        /// The result of a step, under all keys that lead to it.
        case step
        case cacheMount
    }

    package let kind: Kind
    /// BuildKit's name of its type: `regular`, `source.git.checkout`, `source.http` or `exec.cachemount`; or `image`.
    package let type: String
    /// Of an image the digest of its config, of a result the first of its keys, of a cache mount its key.
    package let id: Digest
    /// All keys of a result, in order.
    package let keys: [Digest]
    /// The keys of the results it was made on: those of the highest stack below its own.
    package let parents: [Digest]
    package let description: String
    package let createdAt: Timestamp
    /// The time at which it, or a result made on top of it, was used last.
    package let lastUsed: Timestamp
    /// Its size on disk in bytes: of a result without the layers it was made on, of an image without what images
    /// with a name need.
    package let bytes: Int64
    /// Whether an image with a name needs all of it.
    package let isShared: Bool
    /// Whether a command that runs now has it mounted.
    package let isInUse: Bool
    /// Whether commands may still change it.
    package var isMutable: Bool { kind == .cacheMount }
    /// How many layers it is made of.
    let depth: Int
    /// The numbers of the stacks of layers that it needs.
    let stacks: [Int]
    /// The numbers of the other parts of the store that it needs.
    let others: [Int]
}

/// Which records go, and how far.
package struct PruneRule: Sendable {
    /// Whether those go too that images with a name need: it frees no space, and what is built next starts anew.
    package var includesShared = false
    /// Only what was last used before this.
    package var unusedSince: Timestamp?
    /// Which records the rule is about.
    package var matches: @Sendable (UsageRecord) -> Bool = { _ in true }
    /// Nothing more goes when all that could takes no more than this, in bytes.
    package var keepBytes: Int64?

    package init() {}

    func applies(to record: UsageRecord) -> Bool {
        guard !record.isInUse, includesShared || !record.isShared else { return false }
        if let unusedSince, record.lastUsed >= unusedSince { return false }
        return matches(record)
    }
}
