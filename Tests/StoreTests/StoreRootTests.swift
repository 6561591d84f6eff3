import Diagnostics
import Glibc
import Linux
import OCI
import SQLite
import Store
import SystemPackage
import Testing

@Suite struct StoreRootTests {
    @Test(arguments: [
        (["LAMINA_ROOT": "/r", "HOME": "/h", "XDG_DATA_HOME": "/x"], true, "/r"),
        (["HOME": "/h", "XDG_DATA_HOME": "/x"], true, "/var/lib/lamina"),
        (["HOME": "/h", "XDG_DATA_HOME": "/x"], false, "/x/lamina"),
        (["HOME": "/h", "XDG_DATA_HOME": "relative"], false, "/h/.local/share/lamina"),
        (["HOME": "/h", "LAMINA_ROOT": ""], false, "/h/.local/share/lamina"),
    ])
    func defaultRoot(environment: [String: String], isRoot: Bool, expected: String) throws {
        #expect(try StoreRoot.defaultRoot(environment: environment, isRoot: isRoot) == FilePath(expected))
    }

    @Test func noHomeIsAnError() {
        #expect(throws: StoreError.self) { try StoreRoot.defaultRoot(environment: [:], isRoot: false) }
    }

    @Test func createsTheLayoutForItsOwnerOnly() throws {
        let fixture = try StoreFixture()
        let root = try fixture.open()
        #expect(try OwnedDescriptor.open(fixture.path).status().permissions == 0o700)
        #expect(
            try fixture.names("") == [
                "blobs", "cache-mounts", "claims", "contexts", "layers", "lock", "reserve", "snapshots", "tmp",
            ])
        #expect(try root.images.list().isEmpty)
        #expect(try fixture.exists("db.sqlite"))
    }

    @Test("The database and what SQLite makes beside it are for their owner only, in a store of an older version too")
    func theDatabaseIsPrivate() throws {
        let fixture = try StoreFixture()
        let files = ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm"].map { fixture.path.appending($0) }
        let root = try fixture.open()
        _ = try root.images.list()
        for file in files { #expect(try FileStatus(of: file).permissions == 0o600, "\(file)") }
        for file in files {
            try Directory(opening: fixture.path).setPermissions(PathBytes(file.lastComponent?.string ?? ""), 0o644)
        }
        let again = try fixture.open()
        _ = try again.images.list()
        for file in files { #expect(try FileStatus(of: file).permissions == 0o600, "\(file)") }
    }

    @Test("A root that is no directory is refused", arguments: [StoreRoot.Mode.readOnly, .readWrite])
    func refusesARootThatIsNoDirectory(mode: StoreRoot.Mode) throws {
        let fixture = try StoreFixture()
        let file = fixture.path.removingLastComponent().appending("file")
        _ = try Directory(opening: file.removingLastComponent()).create("file")
        let error = #expect(throws: StoreError.self) { _ = try StoreRoot(at: file, mode: mode).images.list() }
        #expect(error?.code == .notWritable && error?.hint == "Set LAMINA_ROOT to a directory.")
    }

    @Test func aFileInTheWayIsAClearError() throws {
        let fixture = try StoreFixture()
        let parent = fixture.path.removingLastComponent()
        try makeFile("file", bytes: 1, in: parent)
        let error = #expect(throws: StoreError.self) { try StoreRoot(at: parent.appending("file/root")) }
        #expect(error?.code == .notWritable)
    }

    @Test func readOnlyCreatesNothingAndWritesNothing() throws {
        let fixture = try StoreFixture()
        let missing = try fixture.open(.readOnly)
        #expect(try missing.images.list().isEmpty)
        #expect(try missing.content.contains(Digest(of: "x")) == false)
        #expect(throws: LinuxError.self) { _ = try OwnedDescriptor.open(fixture.path) }

        let digest = try fixture.open().content.save([1])
        let reader = try fixture.open(.readOnly)
        #expect(try reader.content.bytes(of: digest) == [1])
        let error = #expect(throws: StoreError.self) { try reader.content.remove(digest) }
        #expect(error?.code == .notWritable)
    }

    @Test(arguments: [(1, StoreCode.olderSchema), (1000, .newerSchema)])
    func anotherSchemaIsRefused(_ version: Int, _ code: StoreCode) throws {
        let fixture = try StoreFixture()
        _ = try fixture.open().images.list()
        try SQLiteDatabase(path: fixture.path.appending("db.sqlite").string).write {
            try $0.executeScript("PRAGMA user_version = \(version)")
        }
        for mode in [StoreRoot.Mode.readWrite, .readOnly] {
            let error = #expect(throws: StoreError.self) { try fixture.open(mode).images.list() }
            #expect(error?.code == code)
        }
    }

    @Test func aCorruptDatabaseIsAClearError() throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        try makeFile("db.sqlite", bytes: 9000, in: fixture.path)
        let error = #expect(throws: StoreError.self) { try fixture.open().images.list() }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains(fixture.path.string) == true)
    }

    @Test func leasesShareAndKeepTheCollectorAway() throws {
        let fixture = try StoreFixture()
        let (root, other) = (try fixture.open(), try fixture.open())
        let digest = try root.content.save([1])
        do {
            let first = try root.lease()
            let second = try other.lease()
            let collection = try other.collector.collect()
            #expect(!collection.ran && collection.freedBytes == 0)
            #expect(try root.content.contains(digest))
            _ = consume first
            _ = consume second
        }
        let collection = try other.collector.collect()
        #expect(collection.ran)
        #expect(collection.blobs == 1 && collection.freedBytes == 1)
        #expect(try !root.content.contains(digest))
    }
}
