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

    private func with(_ image: StoredImage, _ names: [String]) throws -> StoredImage {
        StoredImage(
            id: image.id, platform: image.platform, created: image.created, diffIDs: image.diffIDs,
            size: image.size, manifest: image.manifest, layers: image.layers, names: try names.map(reference))
    }

    @Test func anImageComesBackAsItWasSaved() throws {
        // The zero time of Go is what many images say they were created at.
        for saved in [
            try image("a", manifest: "m"), try image("b", created: nil), try image("c", created: -62_135_596_800),
        ] {
            try root.images.save(saved)
            #expect(try fixture.open().images.image(id: saved.id) == saved)
        }
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
        try root.images.save(try image("a"))
        #expect(try root.images.image(id: pulled.id) == pulled)
        let pushed = try image("a", manifest: "n")
        try root.images.save(pushed)
        #expect(try root.images.image(id: pulled.id) == pushed)
    }

    @Test func namesMoveAndGo() throws {
        let (a, b) = (try image("a"), try image("b", created: 2))
        #expect(try root.images.save(a, as: [try reference("x"), try reference("y")]) == [nil, nil])
        #expect(try root.images.save(b, as: [try reference("x")]) == [a.id])
        #expect(try root.images.list() == [try with(b, ["x"]), try with(a, ["y"])])
        #expect(try root.images.tag(try reference("z"), a.id) == nil)
        #expect(try root.images.tag(try reference("x"), a.id) == b.id)
        #expect(try root.images.image(named: try reference("x")) == with(a, ["x", "y", "z"]))
        #expect(try root.images.untag(try reference("y")) == a.id)
        #expect(try root.images.untag(try reference("y")) == nil)
        #expect(try root.images.remove(a.id))
        #expect(try !root.images.remove(a.id))
        #expect(try root.images.image(named: try reference("x")) == nil)
        #expect(try root.images.list() == [b])
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
