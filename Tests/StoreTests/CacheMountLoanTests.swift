import Linux
import OCI
import Store
import SystemPackage
import Testing

/// Caches that a command used when its process was killed.
struct CacheMountLoanTests {
    private static let key = Digest(of: "cache")

    private func makeCache(_ store: StoreRoot) throws -> FilePath {
        let lease = try #require(
            try store.cacheMounts.acquire(Self.key, named: "c", .locked) { path in
                _ = try Directory(opening: path).create("file")
            })
        return lease.path
    }

    private func directory(_ fixture: StoreFixture) throws -> Directory { try Directory(opening: fixture.path) }

    private func contents(_ fixture: StoreFixture) throws -> [String] {
        try directory(fixture).directory(PathBytes("cache-mounts/\(Self.key.hex)/0/fs")).names().map(\.text)
    }

    @Test func `the next process takes them back`() throws {
        let fixture = try StoreFixture()
        var home: PathBytes = ""
        do {
            let path = try makeCache(try fixture.open())
            home = PathBytes(String(path.string.dropFirst(fixture.path.string.count + 1)))
        }
        // What a builder with process number 1 that died long ago has left.
        let root = try directory(fixture)
        try root.makeDirectory("tmp/1-1-1", permissions: 0o700)
        try root.makeDirectory("tmp/1-1-1/root", permissions: 0o755)
        try root.rename(home, to: "tmp/1-1-1/root/cache", in: root)
        try root.create(home.parent.appending("lent")).write(Array("tmp/1-1-1/root/cache".utf8).span)

        let store = try fixture.open()
        _ = try store.cacheMounts.list()
        _ = try store.temporaryDirectory()
        #expect(try contents(fixture) == ["file"])
        #expect(try root.directory(home.parent).names().map(\.text) == ["fs", "lock"])
    }

    @Test func `one that cannot be found is empty`() throws {
        let fixture = try StoreFixture()
        var home: PathBytes = ""
        do {
            let path = try makeCache(try fixture.open())
            home = PathBytes(String(path.string.dropFirst(fixture.path.string.count + 1)))
        }
        let root = try directory(fixture)
        try root.removeTree(home)
        try root.create(home.parent.appending("lent")).write(Array("tmp/1-1-1/../../escape".utf8).span)
        _ = try fixture.open().temporaryDirectory()
        #expect(try contents(fixture).isEmpty)
    }

    @Test func `one in use is left alone`() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        _ = try makeCache(store)
        let lease = try #require(
            try store.cacheMounts.acquire(Self.key, named: "c", .locked) { _ in })
        let root = try directory(fixture)
        let note = PathBytes("cache-mounts/\(Self.key.hex)/0/lent")
        try root.create(note).write(Array("tmp/x/root/c".utf8).span)
        _ = try fixture.open().temporaryDirectory()
        #expect(try root.statusIfExists(note) != nil)
        _ = lease.path
    }
}
