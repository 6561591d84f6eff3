import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct ImageIndexTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    private func image(_ text: String, created: Int64? = 1, manifest: String? = nil) throws -> StoredImage {
        let id = try root.content.save(Array(text.utf8))
        return StoredImage(
            id: id, platform: Platform(os: "linux", architecture: "arm", variant: "v7"),
            created: created.map { Timestamp(seconds: $0, nanoseconds: 30) },
            diffIDs: [DiffID(Digest(of: "1")), DiffID(Digest(of: "2"))], size: 12,
            manifest: try manifest.map {
                Descriptor(
                    mediaType: .dockerManifest, digest: try root.content.save(Array($0.utf8)), size: 3,
                    annotations: ["a": "b"])
            },
            layers: manifest == nil ? [] : [Descriptor(mediaType: .dockerLayerGzip, digest: Digest(of: "l"), size: 4)])
    }

    private func list() throws -> [String] {
        try root.images.list().map { "\($0.id.short) " + $0.names.map(\.familiar).joined(separator: " ") }
    }

    @Test func anImageComesBackAsItWasSaved() throws {
        // The zero time of Go is what many images say they were created at.
        for saved in [
            try image("a", manifest: "m"), try image("b", created: nil, manifest: "n"),
            try image("c", created: -62_135_596_800, manifest: "o"),
        ] {
            try root.images.save(saved)
            let found = try #require(try fixture.open().images.image(id: saved.id))
            #expect(
                found
                    == StoredImage(
                        id: saved.id, platform: saved.platform, created: saved.created, diffIDs: saved.diffIDs,
                        size: saved.size, manifest: saved.manifest, layers: saved.layers, root: saved.manifest))
        }
    }

    @Test func anImageWithoutAManifestGetsOneOverPlainArchives() throws {
        let built = try image("a")
        try root.layers.record(
            LayerRecord(diffID: built.diffIDs[0], contentSize: 1, fileCount: 1, tarSize: 2048), fileList: [1])
        let blob = try root.content.save(Array("compressed".utf8))
        try root.layers.addBlob(Descriptor(mediaType: .dockerLayerGzip, digest: blob, size: 10), of: built.diffIDs[1])
        try root.images.save(built, as: [try reference("x")])
        let found = try #require(try root.images.image(named: try reference("x")))
        #expect(found.origin == .made && found.root == found.manifest && found.rootDigest == nil)
        let bytes = try #require(try found.manifest.flatMap { try root.content.bytes(of: $0.digest) })
        let manifest = try Manifest(parsing: bytes)
        #expect(manifest.config.digest == built.id && manifest.config.size == 1)
        #expect(
            manifest.layers == [
                Descriptor(mediaType: .ociLayer, digest: built.diffIDs[0].digest, size: 2048),
                Descriptor(mediaType: .ociLayerGzip, digest: blob, size: 10),
            ])
        // Saved again, it keeps its manifest even if more is known by now.
        try root.layers.addBlob(Descriptor(mediaType: .ociLayerGzip, digest: blob, size: 10), of: built.diffIDs[0])
        #expect(try root.images.record(built, as: []).manifest == found.manifest)
        #expect(try root.images.roots().count == 1)
    }

    @Test func anImageNeedsItsConfigAndItsManifest() throws {
        let bare = StoredImage(id: Digest(of: "no blob"), platform: .host, created: nil, diffIDs: [], size: 0)
        let error = #expect(throws: StoreError.self) { try root.images.save(bare) }
        #expect(error?.code == .notFound)
        let half = try image("a", manifest: "m")
        try root.content.remove(Digest(of: "m"))
        #expect(throws: StoreError.self) { try root.images.save(half, as: [try reference("a")]) }
        #expect(try root.images.list().isEmpty)
        #expect(throws: StoreError.self) { try root.images.tag(try reference("a"), half.id) }
    }

    @Test func aManifestIsKeptUntilThereIsAnother() throws {
        let pulled = try image("a", manifest: "m")
        try root.images.save(pulled)
        try root.images.save(try image("a"), as: [try reference("x")])
        #expect(try root.images.image(id: pulled.id)?.manifest == pulled.manifest)
        let pushed = try image("a", manifest: "n")
        try root.images.save(pushed, as: [try reference("x")])
        #expect(try root.images.image(id: pulled.id)?.manifest == pushed.manifest)
        // The root that lost its name had nothing that the new one has not.
        #expect(try root.images.roots().map(\.descriptor) == [pushed.manifest])
    }

    @Test func namesMoveAndGo() throws {
        let (a, b) = (try image("a"), try image("b", created: 2))
        #expect(try root.images.save(a, as: [try reference("x"), try reference("y")]) == [nil, nil])
        #expect(try root.images.save(b, as: [try reference("x")]) == [a.id])
        #expect(try list() == ["\(b.id.short) x:latest", "\(a.id.short) y:latest"])
        #expect(try root.images.tag(try reference("z"), a.id) == nil)
        #expect(try root.images.tag(try reference("x"), a.id) == b.id)
        #expect(try root.images.image(named: try reference("x"))?.names.map(\.familiarName) == ["x", "y", "z"])
        #expect(try root.images.untag(try reference("y")) == a.id)
        #expect(try root.images.untag(try reference("y")) == nil)
        #expect(try root.images.remove(a.id))
        #expect(try !root.images.remove(a.id))
        #expect(try root.images.image(named: try reference("x")) == nil)
        #expect(try list() == ["\(b.id.short) "])
    }

    @Test func lookupFindsWhatDockerFinds() throws {
        // Digests of small numbers, two of which begin with the same digit.
        let images = try (0..<17).map { try image("image \($0)") }
        for image in images { try root.images.save(image) }
        let first = images[0]
        let hex = first.id.hex
        #expect(try root.images.lookup(hex)?.id == first.id)
        #expect(try root.images.lookup("sha256:\(hex)")?.id == first.id)
        #expect(try root.images.lookup(String(hex.prefix(12)))?.id == first.id)
        #expect(try root.images.lookup("sha256:\(hex.prefix(12))")?.id == first.id)
        #expect(try root.images.lookup("nosuch") == nil)
        #expect(try root.images.lookup("") == nil)
        #expect(try root.images.lookup(String(repeating: "0", count: 64)) == nil)
        let digits = images.map { $0.id.hex.prefix(1) }
        let shared = try #require(digits.first { digit in digits.count { $0 == digit } > 1 })
        let error = #expect(throws: StoreError.self) { try root.images.lookup(String(shared)) }
        #expect(error?.code == .ambiguous)
        // A name goes before the beginning of an ID.
        try root.images.tag(try reference(String(hex.prefix(12))), images[1].id)
        #expect(try root.images.lookup(String(hex.prefix(12)))?.id == images[1].id)
        try root.images.tag(try reference("localhost:5000/app:1"), images[2].id)
        #expect(try root.images.lookup("localhost:5000/app:1")?.id == images[2].id)
        #expect(try root.images.lookup("localhost:5000/app") == nil)
    }

    /// An index of two images, an attestation and a manifest that is not here.
    private func index() throws -> (root: ImageRoot, attestation: Digest, foreign: Digest) {
        let attestation = try root.content.save(Array("attestation".utf8))
        let foreign = Digest(of: "foreign")
        let index = Array("index".utf8)
        let descriptor = Descriptor(
            mediaType: .ociIndex, digest: try root.content.save(index), size: Int64(index.count))
        let arm = try image("arm", manifest: "arm manifest")
        let host = try image("host", manifest: "host manifest")
        let images = [
            arm,
            StoredImage(
                id: host.id, platform: .host, created: host.created, diffIDs: host.diffIDs, size: host.size,
                manifest: host.manifest, layers: host.layers),
        ]
        return (
            ImageRoot(descriptor, location: "somewhere", images: images, blobs: [attestation, foreign]), attestation,
            foreign
        )
    }

    @Test func anIndexKeepsEverythingThatCameWithIt() throws {
        let (index, attestation, _) = try index()
        try root.images.save(index, as: [try reference("multi")])
        _ = try root.content.save(Array("stray".utf8))
        #expect(try root.collector.collect().blobs == 1)
        #expect(try root.content.contains(attestation) && root.content.contains(index.descriptor.digest))
        for image in index.images {
            #expect(try root.content.contains(image.id))
            let manifest = try #require(image.manifest)
            #expect(try root.content.contains(manifest.digest))
        }
        let found = try #require(try root.images.root(named: try reference("multi")))
        #expect(found.images.map(\.id) == index.images.map(\.id) && found.blobs == index.blobs)
        #expect(found.location == "somewhere" && found.descriptor == index.descriptor)

        try root.images.untag(try reference("multi"))
        #expect(
            try Set(root.images.removeUnnamed(root: index.descriptor.digest)) == Set(index.images.map(\.id)))
        _ = try root.collector.collect()
        #expect(try root.content.all().isEmpty)
    }

    @Test func aNameOfAnIndexStandsForTheImageOfThisMachine() throws {
        let (index, _, _) = try index()
        let (arm, host) = (index.images[0], index.images[1])
        try root.images.save(index, as: [try reference("multi")])
        #expect(try root.images.lookup("multi")?.id == host.id)
        #expect(try list() == ["\(host.id.short) multi:latest"])
        #expect(try root.images.lookup("multi@\(index.descriptor.digest)")?.id == host.id)
        #expect(try root.images.lookup("multi@\(Digest(of: "arm manifest"))")?.id == arm.id)
        // By the ID of the image the whole index gets the name, by that of another platform its manifest.
        let byID = try #require(try root.images.lookup(host.id.hex))
        try root.images.tag(try reference("again"), byID)
        #expect(try root.images.root(named: try reference("again"))?.descriptor == index.descriptor)
        let foreign = try #require(try root.images.lookup(arm.id.hex))
        try root.images.tag(try reference("arm"), foreign)
        #expect(try root.images.root(named: try reference("arm"))?.descriptor == arm.manifest)
        // It is no image of its own as long as it is but a part.
        try root.images.untag(try reference("arm"))
        let manifest = try #require(arm.manifest)
        _ = try root.images.removeUnnamed(root: manifest.digest)
        #expect(try !root.images.remove(arm.id))
        #expect(try root.images.remove(host.id))
        #expect(try root.images.image(id: arm.id) == nil)
    }

    @Test func pushesOfAnImageMadeHereAreItsRepositoryDigests() throws {
        let built = try root.images.record(try image("a"), as: [try reference("x")])
        #expect(built.repositoryDigests.isEmpty)
        let there = try reference("localhost:5000/x@\(Digest(of: "compressed"))")
        let made = try #require(built.root)
        try root.images.notePush(of: made.digest, as: there)
        #expect(try root.images.image(named: try reference("x"))?.repositoryDigests == [there])
        #expect(try root.images.lookup(there.description)?.id == built.id)
    }

    @Test func lookupByManifestDigest() throws {
        let pulled = try image("a", manifest: "m")
        let digest = Digest(of: "m")
        try root.images.save(pulled, as: [try reference("app:1")])
        #expect(try root.images.lookup("app@\(digest)")?.id == pulled.id)
        #expect(try root.images.lookup("app:2@\(digest)")?.id == pulled.id)
        #expect(try root.images.lookup("other@\(digest)") == nil)
        try root.images.untag(try reference("app:1"))
        try root.images.tag(try reference("app@\(digest)"), pulled.id)
        #expect(try root.images.lookup("app:1@\(digest)")?.id == pulled.id)
    }
}
