import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct LayerIndexTests {
    @Test func aLayerKeepsItsFirstRecordAndAllItsBlobs() throws {
        let fixture = try StoreFixture()
        let root = try fixture.open()
        let diffID = DiffID(Digest(of: "layer"))
        let blobs = [("a", MediaType.ociLayerGzip), ("b", .ociLayer)].map {
            Descriptor(mediaType: $0.1, digest: Digest(of: $0.0), size: 7)
        }
        for blob in blobs + blobs { try root.layers.addBlob(blob, of: diffID) }
        #expect(try root.layers.layer(diffID) == nil)
        #expect(try root.layers.fileList(diffID) == nil)
        let record = LayerRecord(diffID: diffID, contentSize: 2048, fileCount: 3)
        try root.layers.record(record, fileList: [1, 2])
        try root.layers.record(LayerRecord(diffID: diffID, contentSize: 1, fileCount: 1), fileList: [9])
        let other = try fixture.open()
        #expect(try other.layers.layer(diffID) == record)
        #expect(try other.layers.fileList(diffID) == [1, 2])
        #expect(try Set(other.layers.blobs(of: diffID)) == Set(blobs))
        #expect(try other.layers.diffID(ofBlob: blobs[0].digest) == diffID)
        #expect(try other.layers.diffID(ofBlob: Digest(of: "c")) == nil)
    }

    @Test func aLostFileListCanBeRecordedAgain() throws {
        let fixture = try StoreFixture()
        let root = try fixture.open()
        let diffID = DiffID(Digest(of: "layer"))
        let record = LayerRecord(diffID: diffID, contentSize: 2048, fileCount: 3)
        try root.layers.record(record, fileList: [1])
        let hex = diffID.digest.hex
        try Directory(opening: fixture.path).unlink(PathBytes("layers/\(hex.prefix(2))/\(hex).files"))
        #expect(try root.layers.fileList(diffID) == nil)
        try root.layers.record(record, fileList: [1])
        #expect(try root.layers.fileList(diffID) == [1])
    }
}

@Suite struct CacheIndexTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    private func record(
        _ key: String, diffIDs: [DiffID] = [], blobs: [Digest] = [], at second: Int64 = 5
    ) -> CacheRecord {
        CacheRecord(
            key: Digest(of: key), kind: "run", description: "RUN \(key)", result: #"{"a":1}"#,
            stack: LayerStack(ofImage: diffIDs), blobs: blobs,
            createdAt: Timestamp(seconds: second, nanoseconds: 1_000_000))
    }

    @Test func savedIsFoundReplacedListedAndRemoved() throws {
        let (a, b) = (record("a"), record("b", at: 6))
        for record in [a, b] { try root.cache.save(record) }
        let other = try fixture.open()
        #expect(try other.cache.record(for: a.key) == a)
        #expect(try other.cache.list() == [b, a])
        try root.cache.noteUse(of: [a], [], at: Timestamp(seconds: 67))
        try root.cache.noteUse(of: [], [a.key, b.key], at: Timestamp(seconds: 1))
        #expect(try other.cache.list().map(\.key) == [a.key, b.key])
        #expect(try other.cache.list().map(\.lastUsed) == [Timestamp(seconds: 67), b.lastUsed])
        // Less than a minute later nothing is written.
        try root.cache.noteUse(of: [a], [], at: Timestamp(seconds: 120))
        #expect(try other.cache.list().first?.lastUsed == Timestamp(seconds: 67))
        try root.cache.save(record("a", at: 1))
        #expect(try other.cache.record(for: a.key)?.createdAt.seconds == 1)
        try other.cache.remove([a.key, Digest(of: "none")])
        #expect(try root.cache.record(for: a.key) == nil)
        #expect(try root.cache.list() == [b])
        // What a build has found comes back at its end.
        try other.cache.noteUse(of: [a, b], [Digest(of: "none")], at: Timestamp(seconds: 6))
        #expect(try Set(root.cache.list()) == [a, b])
    }

    @Test func aRecordNeedsItsSnapshot() throws {
        let (_, diffID) = try root.snapshot("s")
        try root.layers.record(LayerRecord(diffID: diffID, contentSize: 1, fileCount: 1), fileList: [])
        let saved = record("a", diffIDs: [diffID])
        try root.cache.save(saved)
        #expect(try root.cache.record(for: saved.key) == saved)
        try Directory(opening: fixture.path).removeTree("snapshots/1")
        #expect(try root.cache.record(for: saved.key) == nil)
    }

    @Test func aRecordNeedsItsBlobsAndLayers() throws {
        let blob = try root.content.save([1])
        let diffID = DiffID(Digest(of: "layer"))
        let (withBlob, withLayer) = (record("a", blobs: [blob]), record("b", diffIDs: [diffID]))
        for record in [withBlob, withLayer] { try root.cache.save(record) }
        #expect(try root.cache.record(for: withBlob.key) != nil)
        #expect(try root.cache.record(for: withLayer.key) == nil)
        try root.layers.record(LayerRecord(diffID: diffID, contentSize: 1, fileCount: 1), fileList: [])
        #expect(try root.cache.record(for: withLayer.key) == nil)
        try root.layers.addBlob(Descriptor(mediaType: .ociLayer, digest: blob, size: 1), of: diffID)
        #expect(try root.cache.record(for: withLayer.key) == withLayer)
        try root.content.remove(blob)
        #expect(try root.cache.record(for: withBlob.key) == nil)
        #expect(try root.cache.record(for: withLayer.key) == nil)
    }
}
