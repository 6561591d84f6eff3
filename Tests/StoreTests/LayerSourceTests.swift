import Linux
import OCI
import Testing

@testable import Store

/// Layers that are not in the store, but known to be elsewhere.
@Suite struct LayerSourceTests {
    private let fixture: StoreFixture
    private let diffID = DiffID(Digest(of: "layer"))

    init() throws { fixture = try StoreFixture() }

    private func source(_ text: String, at location: String = "here", size: Int64 = 5) -> LayerSource {
        LayerSource(
            blob: Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: text), size: size), location: location)
    }

    @Test func keepsTheNewestFirstAndEachOnce() throws {
        let root = try fixture.open()
        let (one, two) = (source("one"), source("one", at: "there"))
        try root.layers.addSources([(diffID, one), (diffID, two)])
        #expect(try root.layers.sources(of: diffID) == [two, one])
        try root.layers.addSources([(diffID, one)])
        #expect(try fixture.open().layers.sources(of: diffID) == [one, two])
        try root.layers.removeSource(one, of: diffID)
        #expect(try root.layers.sources(of: diffID) == [two])
        #expect(try root.layers.hasSource(diffID))
        #expect(try !root.layers.hasSource(.empty))
    }

    @Test func recordsAreUsableWhileTheirLayersHaveSources() throws {
        let root = try fixture.open()
        let record = CacheRecord(
            key: Digest(of: "key"), kind: "run", description: "", result: "", stack: LayerStack(ofImage: [diffID]),
            createdAt: Timestamp(seconds: 1))
        try root.cache.save(record)
        #expect(try root.cache.record(for: record.key) == nil)
        try root.layers.addSources([(diffID, source("blob"))])
        #expect(try root.cache.record(for: record.key) == record)
        try root.layers.removeSource(source("blob"), of: diffID)
        #expect(try root.cache.record(for: record.key) == nil)
    }

    @Test func sourcesStayAsLongAsSomethingNeedsTheLayer() throws {
        let root = try fixture.open()
        let unused = DiffID(Digest(of: "unused"))
        try root.layers.addSources([(diffID, source("blob")), (unused, source("other"))])
        let config = try root.content.save(Array("config".utf8))
        let image = StoredImage(id: config, platform: .host, created: nil, diffIDs: [diffID], size: 0)
        try root.images.save(image)
        #expect(try root.collector.collect().ran)
        #expect(try root.layers.hasSource(diffID))
        #expect(try !root.layers.hasSource(unused))
        try root.images.remove(image.id)
        _ = try root.collector.collect()
        #expect(try !root.layers.hasSource(diffID))
    }

    @Test func imagesGetTheSizeOfTheirFilesOnceKnown() throws {
        let root = try fixture.open()
        let config = try root.content.save(Array("config".utf8))
        try root.layers.addSources([(diffID, source("blob", size: 5))])
        try root.images.save(StoredImage(id: config, platform: .host, created: nil, diffIDs: [diffID], size: 5))
        try root.images.updateSizes(holding: [diffID])
        #expect(try root.images.image(id: config)?.size == 5)
        try root.layers.record(LayerRecord(diffID: diffID, contentSize: 100, fileCount: 1), fileList: [1])
        try root.images.updateSizes(holding: [diffID])
        #expect(try root.images.image(id: config)?.size == 100)
    }
}
