import Linux
import OCI
import SQLite

/// The users of each part of the store and its size on disk, for `df` and for choosing what to remove.
///
/// A snapshot counts with the sizes of the files of its layer, as they were noted when it was made. A ledger says what
/// was true when it was read; ``Pruner`` minds what has changed since.
package struct StoreLedger: Sendable {
    /// The removable items, the least recently used first; of items used together, the highest stack first.
    package private(set) var records: [UsageRecord] = []
    /// The bytes that become free when all records are removed.
    package private(set) var removableBytes: Int64 = 0
    /// The bytes without a user: the collector frees them whenever it runs.
    package let unneededBytes: Int64
    let images: [StoredImage]
    private var uses: ResourceUses

    /// The parts of the store.
    var resources: ResourceTable { uses.table }

    init(_ root: StoreRoot) throws {
        let cacheMounts = try root.cacheMounts.list()
        let containers = try root.containerUses()
        (images, uses, records) = try root.read { transaction in
            let (images, cache) = (try transaction.images(), try transaction.cacheRecords(root.stacks))
            let roots = try transaction.imageRoots()
            var uses = ResourceUses(try ResourceTable(transaction))
            for root in roots where !root.names.isEmpty {
                uses.name(nil, and: uses.table.numbers(of: root.allBlobs), isOfImage: true)
                for image in root.images { uses.name(uses.add(image.diffIDs), and: [], isOfImage: true) }
            }
            for use in containers { uses.name(uses.add(use.diffIDs), and: [], isOfImage: false) }
            var results = StepResults(cache, &uses)
            let unnamed = UnnamedImages(images, roots, used: Set(containers.map(\.image)), &uses)
            try uses.table.measureTheRest(root, transaction)
            results.finish(uses)
            return (images, uses, results.records(uses) + (try unnamed.records(root, uses, results)))
        }
        for record in records { uses.hold(record.stacks, and: record.others) }
        records += cacheMounts.map(UsageRecord.init)
        records.sort { ($0.lastUsed, $1.depth, $0.id) < ($1.lastUsed, $0.depth, $1.id) }
        let (isNamed, users) = (uses.table.isNamed, uses.table.users)
        removableBytes =
            uses.table.sum { !isNamed[$0] && users[$0] > 0 }.bytes.addingClamped(cacheMounts.clampedSum(\.bytes))
        unneededBytes = uses.table.sum { !isNamed[$0] && users[$0] == 0 }.bytes
    }

    /// Takes out what a rule says shall go.
    package mutating func take(_ rule: PruneRule) -> [UsageRecord] {
        var (taken, left): ([UsageRecord], [UsageRecord]) = ([], [])
        for record in records {
            let isEnough = rule.keepBytes.map { removableBytes <= $0 } ?? false
            if isEnough || !rule.applies(to: record) {
                left.append(record)
            } else {
                remove(record)
                taken.append(record)
            }
        }
        records = left
        return taken
    }

    private mutating func remove(_ record: UsageRecord) {
        if record.kind == .cacheMount { removableBytes = removableBytes.subtractingClamped(record.bytes) }
        removableBytes = removableBytes.subtractingClamped(uses.release(record.stacks, and: record.others))
    }

    /// For each part of the store, whether a record of a kind needs it.
    func isNeeded(by kind: UsageRecord.Kind) -> [Bool] {
        let all = records.filter { $0.kind == kind }
        var isNeeded = [Bool](repeating: false, count: resources.sizes.count)
        for number in uses.parts(of: all.flatMap(\.stacks), and: all.flatMap(\.others)) { isNeeded[number] = true }
        return isNeeded
    }
}

// MARK: - Records

/// The results of steps: each has a record for every key that leads to it.
private struct StepResults {
    private let cache: [CacheRecord]
    /// The stack of each record.
    private let stacks: [Int?]
    /// The keys of the results that are a stack, in order.
    private var keys: [Int: [Digest]] = [:]
    /// For each stack the highest one that it consists of, itself included, that there are results of.
    private var nearest: [Int?] = []
    /// For each stack when a result was used last that is made of it and perhaps of more.
    private var lastUses: [Timestamp?] = []

    init(_ cache: [CacheRecord], _ uses: inout ResourceUses) {
        self.cache = cache
        stacks = cache.map { uses.add($0.stack) }
        for (record, stack) in zip(cache, stacks) {
            if let stack { keys[stack, default: []].append(record.key) }
        }
        for stack in keys.keys { keys[stack]?.sort() }
    }

    /// Computes what is known of a stack by those below and on top of it, when all stacks were added.
    mutating func finish(_ uses: ResourceUses) {
        let nodes = uses.forest.nodes
        for (number, node) in nodes.enumerated() {
            nearest.append(keys[number] == nil ? node.below.flatMap { nearest[$0] } : number)
        }
        lastUses = Array(repeating: nil, count: nodes.count)
        for (record, stack) in zip(cache, stacks) {
            if let stack { lastUses[stack] = max(lastUses[stack] ?? record.lastUsed, record.lastUsed) }
        }
        for (number, node) in nodes.enumerated().reversed() {
            guard let time = lastUses[number], let below = node.below else { continue }
            lastUses[below] = max(lastUses[below] ?? time, time)
        }
    }

    /// The keys of the results that are a stack, or else of those of the highest one below it that there are results of.
    func keys(at stack: Int?) -> [Digest] { stack.flatMap { nearest[$0] }.flatMap { keys[$0] } ?? [] }

    func records(_ uses: ResourceUses) -> [UsageRecord] {
        let table = uses.table
        let hasNamedParts = uses.stacksWithNamedParts()
        var groups: [StepIdentity: [CacheRecord]] = [:]
        for (record, stack) in zip(cache, stacks) { groups[StepIdentity(record, stack), default: []].append(record) }
        return groups.map { identity, group in
            let group = group.sorted { $0.key < $1.key }
            let (first, stack) = (group[0], identity.stack)
            let blobs = table.numbers(of: first.blobs)
            let lastUsed = group.map(\.lastUsed).max() ?? first.lastUsed
            return UsageRecord(
                kind: .step, type: first.type, id: first.key, keys: group.map(\.key),
                parents: keys(at: stack.flatMap { uses.forest.nodes[$0].below }), description: first.description,
                createdAt: group.map(\.createdAt).min() ?? first.createdAt,
                lastUsed: stack.flatMap { lastUses[$0] }.map { max($0, lastUsed) } ?? lastUsed,
                bytes: Set(uses.parts(of: stack) + blobs).clampedSum { table.sizes[$0] },
                // Not by what is here alone: layers may be elsewhere.
                isShared: uses.isNamed(stack) && stack.map { hasNamedParts[$0] } ?? false
                    && blobs.allSatisfy { table.isNamed[$0] },
                isInUse: false, depth: first.stack.count, stacks: stack.map { [$0] } ?? [], others: blobs)
        }
    }
}

/// The images without a name.
private struct UnnamedImages {
    private let images: [(image: StoredImage, stack: Int?, stacks: [Int], blobs: [Int])]

    /// `used` are those that containers need.
    init(_ images: [StoredImage], _ roots: [ImageRoot], used: Set<Digest>, _ uses: inout ResourceUses) {
        let unnamed = Dictionary(grouping: roots.filter(\.names.isEmpty), by: \.defaultImage?.id)
        self.images = images.filter { $0.names.isEmpty && !used.contains($0.id) }.map { image in
            let roots = unnamed[image.id] ?? []
            return (
                image, uses.add(image.diffIDs), roots.flatMap(\.images).compactMap { uses.add($0.diffIDs) },
                uses.table.numbers(of: roots.reduce(into: Set()) { $0.formUnion($1.allBlobs) })
            )
        }
    }

    func records(_ root: StoreRoot, _ uses: ResourceUses, _ results: StepResults) throws -> [UsageRecord] {
        let table = uses.table
        return try images.map { image, stack, stacks, blobs in
            let stored = try root.openDirectory().statusIfExists(ContentStore.name(image.id))?.modified
            let time = stored.map(Timestamp.init) ?? image.created ?? Timestamp(seconds: 0)
            return UsageRecord(
                kind: .image, type: "image", id: image.id, keys: [], parents: results.keys(at: stack),
                description: "image without a name", createdAt: image.created ?? time, lastUsed: time,
                bytes: uses.parts(of: stacks, and: blobs).clampedSum { table.isNamed[$0] ? 0 : table.sizes[$0] },
                isShared: false, isInUse: false, depth: image.diffIDs.count + 1, stacks: stacks, others: blobs)
        }
    }
}

/// The common part of two records of one result.
private struct StepIdentity: Hashable {
    let kind: String
    let description: String
    let stack: Int?
    let blobs: [Digest]

    init(_ record: CacheRecord, _ stack: Int?) {
        kind = record.kind
        description = record.description
        self.stack = stack
        blobs = record.blobs
    }
}

extension UsageRecord {
    fileprivate init(_ mount: StoredCacheMount) {
        self.init(
            kind: .cacheMount, type: "exec.cachemount", id: mount.key, keys: [], parents: [],
            description: mount.name,
            createdAt: mount.createdAt, lastUsed: mount.lastUsed, bytes: mount.bytes, isShared: false,
            isInUse: mount.isInUse, depth: 0, stacks: [], others: [])
    }
}

extension CacheRecord {
    fileprivate var type: String {
        switch kind {
        case "git": "source.git.checkout"
        case "http": "source.http"
        default: "regular"
        }
    }
}

extension StoreRoot {
    /// Reads the parts of the store and their users.
    package func ledger() throws -> StoreLedger { try explaining { try StoreLedger(self) } }
}
