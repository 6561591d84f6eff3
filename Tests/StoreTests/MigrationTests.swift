import Linux
import OCI
import SQLite
import Store
import SystemPackage
import Testing

/// A store of version 3, whose names point to configs: see `testdata/store-v3`.
@Suite struct MigrationTests {
    private let fixture: StoreFixture
    private let built = "sha256:0ddedce5c7c97c4d6cb14b65ff640b65493909d9a07467f1afacd3a7e844ea5f"
    private let pulled = "sha256:14a4d3fdce451c65fb2aa8c737a028de66f38953d6d59d44925f891a89a5a1f0"
    private let unnamed = "sha256:e5ccf34a1100a11d0344175f021bc431085ad74ea4fca13ca14926f48359f655"

    init() throws {
        fixture = try StoreFixture()
        var source = FilePath(#filePath)
        for _ in 0..<3 { source.removeLastComponent() }
        source.append("testdata/store-v3")
        // Makes the directories.
        _ = try fixture.open()
        for folder in ["blobs/sha256", "layers/44", "layers/de", "layers/f5"] {
            let target = try Directory(opening: fixture.path)
            if try target.statusIfExists(PathBytes(folder)) == nil {
                try target.makeDirectory(PathBytes(folder), permissions: 0o700)
            }
            for name in try Directory(opening: source.appending(folder)).names() {
                let bytes = try OwnedDescriptor.open(source.appending(folder).appending(name.text)).readAll(limit: 4096)
                try target.directory(PathBytes(folder)).create(name).write(bytes.span)
            }
        }
        let dump = try OwnedDescriptor.open(source.appending("dump.sql")).readAll(limit: 1 << 20)
        try SQLiteDatabase(path: fixture.path.appending("db.sqlite").string).withoutTransaction {
            try $0.executeScript(String(decoding: dump, as: UTF8.self))
        }
    }

    private func version() throws -> Int? {
        try SQLiteDatabase(path: fixture.path.appending("db.sqlite").string).read {
            try $0.row("PRAGMA user_version")?[0]
        }
    }

    @Test(arguments: [(StoreRoot.Mode.readOnly, 3), (.readWrite, 5)])
    func imagesKeepTheirNamesAndGetARoot(_ mode: StoreRoot.Mode, _ version: Int) throws {
        #expect(try self.version() == 3)
        let root = try fixture.open(mode, boot: "v3")
        let images = try root.images.list()
        #expect(images.map(\.id.description) == [built, pulled, unnamed])
        #expect(images.map { $0.names.map(\.familiar) } == [["built:1", "built:2"], ["localhost:5077/pulled:1"], []])
        #expect(images.map(\.origin) == [.made, .narrowed, .made])
        #expect(images.allSatisfy { $0.root == $0.manifest && $0.root != nil })
        #expect(images[0].layers == [Descriptor(mediaType: .ociLayer, digest: images[0].diffIDs[0].digest, size: 2048)])
        #expect(images[1].layers.map(\.size) == [116])
        #expect(try root.images.lookup("built:2")?.id == images[0].id)
        #expect(try root.layers.layer(images[1].diffIDs[0])?.tarSize == 2048)
        #expect(try self.version() == version)
    }

    @Test func everythingIsKeptByTheCollector() throws {
        let root = try fixture.open(boot: "v3")
        let collection = try root.collector.collect()
        #expect(collection.ran && collection.blobs == 0 && collection.layers == 0 && collection.cacheRecords == 0)
        for image in try root.images.list() {
            let manifest = try #require(image.manifest)
            let bytes = try #require(try root.content.bytes(of: manifest.digest))
            #expect(Digest(of: bytes) == manifest.digest && Int64(bytes.count) == manifest.size)
            #expect(try Manifest(parsing: bytes).config.digest == image.id)
            #expect(try root.content.contains(image.id))
        }
        #expect(try root.cache.list().count == 4)
    }

    @Test func theManifestsOutliveARestart() throws {
        _ = try fixture.open(boot: "v3").images.list()
        let root = try fixture.open(boot: "next")
        for image in try root.images.list() {
            let manifest = try #require(image.manifest)
            #expect(try root.content.contains(manifest.digest))
        }
    }
}
