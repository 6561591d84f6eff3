import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct PrunerTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    /// The result of a step on top of others, with a layer of `bytes` bytes, under two keys.
    private func step(_ name: String, on below: [String] = [], bytes: Int, at second: Int64) throws -> [DiffID] {
        let diffIDs = (below + [name]).map { DiffID(Digest(of: "diff \($0)")) }
        let (lower, parent) = (Array(diffIDs.dropLast()), ChainID.of(diffIDs.dropLast()))
        _ = try root.snapshot("diff \(name)", on: parent, bytes: bytes)
        try root.layers.record(
            LayerRecord(diffID: diffIDs[lower.count], contentSize: Int64(bytes), fileCount: 1), fileList: [])
        for key in ["definition \(name)", "content \(name)"] {
            try root.cache.save(
                CacheRecord(
                    key: Digest(of: key), kind: "run", description: name, result: "",
                    stack: LayerStack(ofImage: diffIDs),
                    createdAt: Timestamp(seconds: second)))
        }
        return diffIDs
    }

    private func names() throws -> [String] { try root.ledger().records.map(\.description).sorted() }

    private func use(_ name: String, at second: Int64) throws {
        try root.cache.noteUse(of: [], [Digest(of: "definition \(name)")], at: Timestamp(seconds: second))
    }

    @Test func theLeastRecentlyUsedGoesFirstUntilTheRestFits() throws {
        _ = try step("a", bytes: 1000, at: 10)
        _ = try step("b", bytes: 2000, at: 20)
        _ = try step("c", bytes: 4000, at: 30)
        try use("a", at: 1000)
        #expect(try root.ledger().records.map(\.description) == ["b", "c", "a"])
        #expect(try root.ledger().removableBytes == 7000)
        var rule = PruneRule()
        rule.keepBytes = 5000
        let plan = try root.pruner.prune([rule], dryRun: true)
        #expect(plan.records.map(\.description) == ["b"] && plan.freedBytes == 2000)
        #expect(try names() == ["a", "b", "c"])
        let pruning = try root.pruner.prune([rule])
        #expect(pruning.records.map(\.description) == ["b"] && pruning.freedBytes == 2000 && !pruning.isPending)
        #expect(try names() == ["a", "c"])
        #expect(try root.pruner.prune([rule]).records.isEmpty)
    }

    @Test func whatAUsedResultStandsOnCountsAsUsed() throws {
        _ = try step("base", bytes: 1000, at: 10)
        _ = try step("top", on: ["base"], bytes: 100, at: 10)
        _ = try step("other", bytes: 500, at: 20)
        try use("top", at: 1000)
        #expect(try root.ledger().records.map(\.description) == ["other", "top", "base"])
        var rule = PruneRule()
        rule.keepBytes = 1000
        #expect(try root.pruner.prune([rule]).records.map(\.description) == ["other", "top"])
        #expect(try names() == ["base"])
    }

    @Test func imagesWithANameKeepTheirSteps() throws {
        let diffIDs = try step("kept", bytes: 1000, at: 10)
        _ = try step("dropped", bytes: 500, at: 10)
        let config = try root.content.save([1, 2, 3])
        let image = StoredImage(id: config, platform: .host, created: nil, diffIDs: diffIDs, size: 1000)
        let manifest = try #require(try root.images.record(image, as: [try reference("name")]).manifest)
        let records = try root.ledger().records
        #expect(records.filter(\.isShared).map(\.description) == ["kept"])
        #expect(try root.pruner.prune([PruneRule()]).records.map(\.description) == ["dropped"])
        var all = PruneRule()
        all.includesShared = true
        let pruning = try root.pruner.prune([all])
        #expect(pruning.records.map(\.description) == ["kept"] && pruning.freedBytes == 0)
        #expect(try root.images.image(named: reference("name"))?.diffIDs == diffIDs)
        #expect(try root.snapshots.snapshot(ChainID(diffIDs[0], on: nil)) != nil)
        // Without its name it goes as well.
        try root.images.untag(try reference("name"))
        #expect(try root.pruner.prune([PruneRule()]).freedBytes == 1003 + manifest.size)
        #expect(try root.images.list().isEmpty)
        #expect(try fixture.names("snapshots").isEmpty && fixture.names("blobs/sha256").isEmpty)
    }

    @Test func aLeaseKeepsAllButTheRecords() throws {
        let diffIDs = try step("found", bytes: 1000, at: 10)
        _ = try step("other", bytes: 100, at: 10)
        let image = try root.image("unnamed")
        try root.images.save(image)
        let build = try fixture.open()
        let lease = try build.lease()
        let found = try #require(try build.cache.record(for: Digest(of: "content found")))
        let pruning = try root.pruner.prune([PruneRule()])
        #expect(pruning.isPending && pruning.freedBytes == 1100 && pruning.records.count == 2)
        #expect(try root.cache.list().isEmpty)
        #expect(try root.snapshots.snapshot(ChainID(diffIDs[0], on: nil)) != nil)
        #expect(try root.isWhole(image))
        try build.cache.noteUse(of: [found], [], at: Timestamp(seconds: 10))
        try root.collectRemains()
        #expect(try fixture.exists("collect"))
        _ = consume lease
        try root.collectRemains()
        #expect(try !fixture.exists("collect"))
        #expect(try root.cache.record(for: found.key) == found)
        // The image, which was only removable, and the result that came back.
        #expect(try fixture.names("snapshots").count == 2)
        #expect(try root.isWhole(image))
    }

    @Test func cacheMountsInUseStay() throws {
        func mount(_ name: String) throws -> CacheMountLease {
            try #require(
                try root.cacheMounts.acquire(Digest(of: name), named: name, .shared) { path in
                    try makeFile("file", bytes: 100, in: path)
                })
        }
        _ = try mount("free")
        let lease = try mount("used")
        #expect(try root.cacheMounts.list().map(\.isInUse) == [false, true])
        #expect(try root.ledger().removableBytes == 200)
        let pruning = try root.pruner.prune([PruneRule()])
        #expect(pruning.records.map(\.description) == ["free"] && pruning.freedBytes == 100)
        #expect(try withExtendedLifetime(lease) { try root.cacheMounts.list().map(\.name) } == ["used"])
    }

    @Test func theLedgerFreesWhatTheCollectorFrees() throws {
        for round in 0..<8 {
            let image = try root.image("image \(round)")
            try root.images.save(image, as: round % 2 == 0 ? [try reference("n\(round)")] : [])
            _ = try step("a\(round)", bytes: 100 + round, at: Int64(round))
            _ = try step("b\(round)", on: ["a\(round)"], bytes: 10, at: Int64(round))
        }
        for tenths in [9, 7, 5, 3, 0] as [Int64] {
            var rule = PruneRule()
            rule.keepBytes = try root.ledger().removableBytes * tenths / 10
            let plan = try root.pruner.prune([rule], dryRun: true)
            let pruning = try root.pruner.prune([rule])
            #expect(plan.freedBytes == pruning.freedBytes && plan.records.map(\.id) == pruning.records.map(\.id))
            #expect(try root.ledger().removableBytes <= rule.keepBytes ?? 0)
        }
        #expect(try root.images.list().count == 4)
    }
}
