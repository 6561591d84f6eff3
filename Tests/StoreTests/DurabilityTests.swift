import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

/// The store after a restart of the machine, for which another boot ID stands.
@Suite struct DurabilityTests {
    private func fill(_ root: StoreRoot, _ text: String) throws -> (blob: Digest, diffID: DiffID, key: Digest) {
        let blob = try root.content.save(Array(text.utf8))
        let (_, diffID) = try root.snapshot(text)
        try root.layers.record(LayerRecord(diffID: diffID, contentSize: 1, fileCount: 1), fileList: [1])
        try root.layers.addBlob(Descriptor(mediaType: .ociLayerGzip, digest: blob, size: 3), of: diffID)
        let key = Digest(of: "key \(text)")
        try root.cache.save(
            CacheRecord(key: key, kind: "run", description: "", result: "{}", createdAt: Timestamp(seconds: 1)))
        return (blob, diffID, key)
    }

    private func has(_ root: StoreRoot, _ content: (blob: Digest, diffID: DiffID, key: Digest)) throws -> [Bool] {
        [
            try root.content.contains(content.blob), try root.layers.layer(content.diffID) != nil,
            try root.layers.diffID(ofBlob: content.blob) != nil,
            try root.snapshots.snapshot(ChainID(content.diffID.digest)) != nil,
            try root.cache.record(for: content.key) != nil,
        ]
    }

    @Test func whatWasNotSyncedIsGoneAfterARestart() throws {
        let fixture = try StoreFixture()
        let first = try fixture.open(boot: "one")
        let synced = try fill(first, "synced")
        try first.synchronize()
        let unsynced = try fill(first, "unsynced")

        // The same boot, as after a kill: all is there.
        #expect(try has(try fixture.open(boot: "one"), unsynced) == [true, true, true, true, true])
        // Another boot, for a reader that must not change anything.
        let reader = try fixture.open(.readOnly, boot: "two")
        #expect(try has(reader, synced) == [true, true, true, true, true])
        #expect(try has(reader, unsynced) == [false, false, false, false, false])
        #expect(try has(try fixture.open(.readOnly, boot: "one"), unsynced) == [true, true, true, true, true])

        let second = try fixture.open(boot: "two")
        #expect(try has(second, synced) == [true, true, true, true, true])
        #expect(try has(second, unsynced) == [false, false, false, false, false])
        // Its torn directory is swept, and all can be made again.
        #expect(try fixture.names("snapshots").count == 1)
        _ = try fill(second, "unsynced")
        #expect(try has(second, unsynced) == [true, true, true, true, true])
        try second.synchronize()
        #expect(try has(try fixture.open(boot: "three"), unsynced) == [true, true, true, true, true])
    }

    @Test func aNamedImageSurvivesARestartWhole() throws {
        let fixture = try StoreFixture()
        let first = try fixture.open(boot: "one")
        let image = try first.image("a")
        try first.images.save(image, as: [try reference("a")])
        _ = try first.image("b")
        let second = try fixture.open(boot: "two")
        let found = try #require(try second.images.lookup("a"))
        #expect(try second.isWhole(found))
        #expect(try second.images.list().count == 1)
    }

    @Test func whatIsWrittenWhileSyncingIsNotTakenForSynced() throws {
        let fixture = try StoreFixture()
        let (first, other) = (try fixture.open(boot: "one"), try fixture.open(boot: "one"))
        let early = try fill(first, "early")
        try other.synchronize()
        let late = try fill(other, "late")
        let second = try fixture.open(boot: "two")
        #expect(try has(second, early).allSatisfy { $0 })
        #expect(try !has(second, late).contains(true))
    }

    @Test func aDurableBlobStaysDurableWhenItIsMadeAgain() throws {
        let fixture = try StoreFixture()
        let first = try fixture.open(boot: "one")
        let digest = try first.content.save([1])
        try first.synchronize()
        var again = try first.content.begin()
        try again.write([1].span)
        #expect(try again.commit().digest == digest)
        #expect(try fixture.open(boot: "two").content.contains(digest))
    }
}
