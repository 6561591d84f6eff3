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
    private(set) var resources: ResourceTable

    init(_ root: StoreRoot) throws {
        let cacheMounts = try root.cacheMounts.list()
        let uses = try root.containerUses()
        let used = Set(uses.map(\.image))
        var (images, resources, records): ([StoredImage], ResourceTable, [UsageRecord]) = try root.read {
            transaction in
            let (images, cache) = (try transaction.images(), try transaction.cacheRecords(root.stacks))
            let roots = try transaction.imageRoots()
            var resources = try ResourceTable(transaction)
            let chains = ChainTable()
            var named: Set<ChainID> = []
            for root in roots where !root.names.isEmpty {
                for number in resources.needs(of: root, chains) { resources.isNamed[number] = true }
                for image in root.images {
                    named.formUnion(ChainID.prefixes(of: image.diffIDs))
                }
            }
            for use in uses {
                for number in resources.needs(use.diffIDs, chains).all { resources.isNamed[number] = true }
            }
            let stacks = StackKeys(cache, chains)
            let steps = Self.steps(cache, &resources, named: named, stacks)
            let unnamed = try images.filter { $0.names.isEmpty && !used.contains($0.id) }.map { image in
                let all = roots.filter { $0.names.isEmpty && $0.defaultImage?.id == image.id }
                return try Self.record(of: image, all, root, &resources, stacks)
            }
            try resources.measureTheRest(root, transaction)
            return (images, resources, (steps + unnamed).map { $0(resources) })
        }
        for record in records {
            for number in record.resources { resources.users[number] += 1 }
        }
        records += cacheMounts.map(UsageRecord.init)
        self.records = records.sorted { ($0.lastUsed, $1.depth, $0.id.hex) < ($1.lastUsed, $0.depth, $1.id.hex) }
        let (isNamed, users) = (resources.isNamed, resources.users)
        removableBytes =
            resources.sum { !isNamed[$0] && users[$0] > 0 }.bytes.addingClamped(cacheMounts.clampedSum(\.bytes))
        unneededBytes = resources.sum { !isNamed[$0] && users[$0] == 0 }.bytes
        self.images = images
        self.resources = resources
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
        for number in record.resources {
            resources.users[number] -= 1
            if resources.users[number] == 0, !resources.isNamed[number] {
                removableBytes = removableBytes.subtractingClamped(resources.sizes[number])
            }
        }
    }
}

// MARK: - Records

/// A record for which only the sizes are missing.
private typealias Draft = (ResourceTable) -> UsageRecord

extension StoreLedger {
    /// The results of steps: each has a record for every key that leads to it.
    ///
    /// `named` are the stacks that images with a name have, whole or in part.
    private static func steps(
        _ cache: [CacheRecord], _ resources: inout ResourceTable, named: Set<ChainID>, _ stacks: StackKeys
    ) -> [Draft] {
        let times = lastUses(cache)
        var groups: [StepIdentity: [CacheRecord]] = [:]
        for record in cache { groups[StepIdentity(record), default: []].append(record) }
        return groups.values.map { group in
            let group = group.sorted { $0.key < $1.key }
            let first = group[0]
            let (all, top) = resources.needs(first.diffIDs, blobs: first.blobs, stacks.chains)
            let chain = first.stack.chainID
            let lastUsed = max(
                group.map(\.lastUsed).max() ?? first.lastUsed,
                chain.flatMap { times[$0] } ?? first.lastUsed)
            // Not by what is here: layers may be elsewhere.
            let isInImage = chain.map(named.contains) ?? false
            return { table in
                UsageRecord(
                    kind: .step, type: first.type, id: first.key, keys: group.map(\.key),
                    parents: stacks.keys(at: first.stack.below), description: first.description,
                    createdAt: group.map(\.createdAt).min() ?? first.createdAt, lastUsed: lastUsed,
                    bytes: top.clampedSum { table.sizes[$0] },
                    isShared: isInImage && all.allSatisfy { table.isNamed[$0] }, isInUse: false,
                    depth: first.stack.count, resources: all)
            }
        }
    }

    /// For each stack when a result was used last that is made of it and perhaps of more.
    private static func lastUses(_ cache: [CacheRecord]) -> [ChainID: Timestamp] {
        var times: [ChainID: Timestamp] = [:]
        var stacks: [Int: Set<LayerStack>] = [:]
        func add(_ stack: LayerStack, _ time: Timestamp) {
            guard let chain = stack.chainID else { return }
            times[chain] = max(times[chain] ?? time, time)
            stacks[stack.count, default: []].insert(stack)
        }
        for record in cache { add(record.stack, record.lastUsed) }
        // From the highest down: what is below a stack was used with it.
        for count in stride(from: stacks.keys.max() ?? 0, to: 1, by: -1) {
            for stack in stacks[count] ?? [] {
                if let below = stack.below, let time = stack.chainID.flatMap({ times[$0] }) { add(below, time) }
            }
        }
        return times
    }

    private static func record(
        of image: StoredImage, _ roots: [ImageRoot], _ root: StoreRoot, _ resources: inout ResourceTable,
        _ stacks: StackKeys
    ) throws -> Draft {
        let all = Array(Set(roots.flatMap { resources.needs(of: $0, stacks.chains) }))
        let stored = try root.openDirectory().statusIfExists(ContentStore.name(image.id))?.modified
        let time = stored.map(Timestamp.init) ?? image.created ?? Timestamp(seconds: 0)
        return { table in
            UsageRecord(
                kind: .image, type: "image", id: image.id, keys: [],
                parents: stacks.keys(at: LayerStack(ofImage: image.diffIDs)), description: "image without a name",
                createdAt: image.created ?? time, lastUsed: time,
                bytes: all.clampedSum { table.isNamed[$0] ? 0 : table.sizes[$0] }, isShared: false,
                isInUse: false, depth: image.diffIDs.count + 1, resources: all)
        }
    }
}

/// The keys of results by the stack of layers that they are.
private struct StackKeys {
    let chains: ChainTable
    private var keys: [ChainID: [Digest]] = [:]

    init(_ cache: [CacheRecord], _ chains: ChainTable) {
        self.chains = chains
        for record in cache {
            if let chain = record.stack.chainID { keys[chain, default: []].append(record.key) }
        }
    }

    /// The results that are this stack, or else the highest one below it that there are results of.
    func keys(at stack: LayerStack?) -> [Digest] {
        var next = stack
        while let stack = next, let chain = stack.chainID {
            if let found = keys[chain] { return found.sorted() }
            next = stack.below
        }
        return []
    }
}

/// The common part of two records of one result.
private struct StepIdentity: Hashable {
    let kind: String
    let description: String
    let chain: ChainID?
    let blobs: [Digest]

    init(_ record: CacheRecord) {
        kind = record.kind
        description = record.description
        chain = record.stack.chainID
        blobs = record.blobs
    }
}

extension UsageRecord {
    fileprivate init(_ mount: StoredCacheMount) {
        self.init(
            kind: .cacheMount, type: "exec.cachemount", id: mount.key, keys: [], parents: [],
            description: mount.name,
            createdAt: mount.createdAt, lastUsed: mount.lastUsed, bytes: mount.bytes, isShared: false,
            isInUse: mount.isInUse, depth: 0, resources: [])
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

extension ResourceTable {
    fileprivate mutating func needs(of root: ImageRoot, _ chains: ChainTable) -> [Int] {
        var all = Set(needs([], blobs: Array(root.allBlobs), chains).all)
        for image in root.images { all.formUnion(needs(image.diffIDs, chains).all) }
        return Array(all)
    }
}

extension StoreRoot {
    /// Reads who needs what.
    package func ledger() throws -> StoreLedger { try explaining { try StoreLedger(self) } }
}
