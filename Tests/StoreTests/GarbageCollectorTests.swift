import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct GarbageCollectorTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    @Test func keepsWhatImagesNeedAndFreesTheRest() throws {
        let (kept, dropped) = (try root.image("kept"), try root.image("dropped"))
        // Untagged images are kept: they are removed, not collected.
        for image in [kept, dropped] { try root.images.save(image) }
        #expect(try root.collector.collect().freedBytes == 0)
        let manifest = try #require(try root.images.image(id: dropped.id)?.manifest)
        try root.images.remove(dropped.id)
        let plan = try root.collector.collect(dryRun: true)
        #expect(try root.isWhole(dropped))
        let collection = try root.collector.collect()
        #expect(collection == plan)
        // Layer, config, manifest, file list and the file of the snapshot.
        let expected = "layer dropped".utf8.count + "config dropped".utf8.count + "dropped".utf8.count + 10
        #expect(collection.freedBytes == manifest.size + Int64(expected))
        #expect(collection.blobs == 3 && collection.layers == 1 && collection.snapshots == 1)
        #expect(try root.isWhole(kept))
        #expect(try root.layers.layer(dropped.diffIDs[0]) == nil)
        #expect(try root.layers.blobs(of: dropped.diffIDs[0]).isEmpty)
        #expect(try fixture.names("snapshots").count == 1)
        #expect(try fixture.names("blobs/sha256").count == 3)
        #expect(try fixture.names("tmp").filter { !$0.hasSuffix(".lock") }.isEmpty)
    }

    @Test func aPulledImageKeepsItsManifestAndItsLayersAsTheyCame() throws {
        let (manifest, layer) = (try root.content.save([1]), try root.content.save([2]))
        let config = try root.content.save([3])
        try root.images.save(
            StoredImage(
                id: config, platform: .host, created: nil, diffIDs: [DiffID(Digest(of: "d"))], size: 1,
                manifest: Descriptor(mediaType: .ociManifest, digest: manifest, size: 1),
                layers: [Descriptor(mediaType: .ociLayerGzip, digest: layer, size: 1)]))
        _ = try root.content.save([4])
        #expect(try root.collector.collect().blobs == 1)
        for digest in [manifest, layer, config] { #expect(try root.content.contains(digest)) }
    }

    @Test func keepsWhatTheCacheNeedsUntilThePolicyDropsIt() throws {
        let (below, belowID) = try root.snapshot("below")
        let (_, topID) = try root.snapshot("top", on: ChainID(belowID.digest))
        let blob = try root.content.save([1])
        let layerBlob = try root.content.save([2])
        let layer = DiffID(Digest(of: "layer"))
        for diffID in [belowID, topID, layer] {
            try root.layers.record(LayerRecord(diffID: diffID, contentSize: 10, fileCount: 1), fileList: [1])
        }
        try root.layers.addBlob(Descriptor(mediaType: .ociLayer, digest: layerBlob, size: 1), of: layer)
        let record = CacheRecord(
            key: Digest(of: "key"), kind: "run", description: "", result: "{}",
            stack: LayerStack(ofImage: [belowID, topID, layer]), blobs: [blob], createdAt: Timestamp(seconds: 10))
        try root.cache.save(record)
        _ = try root.snapshot("alone")
        #expect(try root.collector.collect().snapshots == 1)
        #expect(try root.cache.record(for: record.key) == record)
        #expect(try root.snapshots.snapshot(below.chainID) == below)
        #expect(try root.content.contains(blob) && root.content.contains(layerBlob))

        // Two snapshots, two blobs, three file lists.
        let usage = try root.diskUsage()
        #expect(usage.cache.total == .init(count: 1, bytes: 25) && usage.cache.reclaimable == 25)
        var rule = PruneRule()
        rule.unusedSince = Timestamp(seconds: 10)
        #expect(try root.pruner.prune([rule]).records.isEmpty)
        #expect(try root.cache.record(for: record.key) == record)
        rule.unusedSince = Timestamp(seconds: 11)
        let pruning = try root.pruner.prune([rule])
        #expect(pruning.records.map(\.id) == [record.key] && pruning.freedBytes == 25)
        #expect(try root.cache.list().isEmpty)
        #expect(try fixture.names("snapshots").isEmpty && fixture.names("blobs/sha256").isEmpty)
    }

    @Test func dropsCacheRecordsThatCannotBeUsed() throws {
        let blob = try root.content.save([1])
        try root.cache.save(
            CacheRecord(
                key: Digest(of: "key"), kind: "run", description: "", result: "", blobs: [blob],
                createdAt: Timestamp(seconds: 1)))
        try root.content.remove(blob)
        #expect(try root.collector.collect(dryRun: true).cacheRecords == 1)
        #expect(try root.cache.list().count == 1)
        #expect(try root.collector.collect().cacheRecords == 1)
        #expect(try root.cache.list().isEmpty)
    }

    @Test func freesFilesWithoutRows() throws {
        _ = try root.images.list()
        try makeFile(Digest(of: "stray").hex, bytes: 100, in: fixture.path.appending("blobs/sha256"))
        let collection = try root.collector.collect()
        #expect(collection.freedBytes == 100 && collection.blobs == 0)
        #expect(try fixture.names("blobs/sha256").isEmpty)
    }

    @Test func usageIsWhatWasStored() throws {
        let image = try root.image("a")
        let manifest = try #require(try root.images.record(image, as: []).manifest)
        let blobs = manifest.size + Int64("layer a".utf8.count + "config a".utf8.count)
        for _ in 0..<2 {
            let usage = try root.diskUsage()
            #expect(usage.blobs.total == .init(count: 3, bytes: blobs))
            #expect(usage.snapshots.total == .init(count: 1, bytes: 10))
            #expect(usage.fileLists.total == .init(count: 1, bytes: 1))
            #expect(usage.cache.total == .init())
            #expect(usage.images.total == .init(count: 1, bytes: blobs + 11) && usage.images.active == 0)
            #expect(usage.database > 0 && usage.reclaimable == blobs + 11)
        }
    }

    @Test(arguments: 0..<6) func noOrderOfOperationsLosesANamedImage(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let names = try (0..<4).map { try reference("name\($0)") }
        var model: [ImageReference: StoredImage] = [:]
        var stored: [Digest: StoredImage] = [:]
        for _ in 0..<60 {
            let name = names[Int(random.next() % 4)]
            switch random.next() % 6 {
            case 0, 1:
                let image = try root.image("image \(random.next() % 5)")
                try root.images.save(image, as: [name])
                model[name] = image
                stored[image.id] = image
            case 2:
                guard let image = stored.values.randomElement(using: &random) else { continue }
                try root.images.tag(name, image.id)
                model[name] = image
            case 3:
                #expect(try root.images.untag(name) == model.removeValue(forKey: name)?.id)
            case 4:
                guard let image = stored.values.randomElement(using: &random) else { continue }
                try root.images.remove(image.id)
                stored[image.id] = nil
                model = model.filter { $0.value.id != image.id }
            default:
                #expect(try root.collector.collect().ran)
            }
            for (name, image) in model {
                #expect(try root.images.image(named: name)?.id == image.id)
                #expect(try root.isWhole(image))
            }
        }
        for image in stored.values { try root.images.remove(image.id) }
        _ = try root.collector.collect()
        let usage = try root.diskUsage()
        #expect(usage.total == usage.database)
        #expect(try fixture.names("blobs/sha256").isEmpty && fixture.names("snapshots").isEmpty)
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
