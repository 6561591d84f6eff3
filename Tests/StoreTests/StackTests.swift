import OCI
import SQLite
import Store
import SystemPackage
import Testing

/// The stacks of layers of cache records, as the database has them.
@Suite struct StackTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    private static func diffID(_ number: Int) -> DiffID { DiffID(Digest(of: "layer \(number)")) }

    /// A stack of layers, of which the first two are those of a base.
    private static func stack(_ count: Int) -> LayerStack {
        LayerStack(
            layers: (0..<count).map { number in
                let created = number < 2 ? nil : Timestamp(seconds: 1000 + Int64(number), nanoseconds: 123_456_789)
                return LayerStack.Layer(diffID: diffID(number), created: created)
            })
    }

    /// A record of a stack whose layers can be had elsewhere, so that it is usable.
    private func record(_ name: String, _ stack: LayerStack) throws -> CacheRecord {
        let blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: "blob"), size: 1)
        try root.layers.addSources(
            stack.diffIDs.map { ($0, LayerSource(blob: blob, location: "{}")) })
        return CacheRecord(
            key: Digest(of: name), kind: "run", description: name, stack: stack, createdAt: Timestamp(seconds: 5))
    }

    private func rows() throws -> Int {
        try SQLiteDatabase(path: fixture.path.appending("db.sqlite").string).read {
            try $0.row("SELECT count(*) FROM stacks")?[0] ?? -1
        }
    }

    @Test func aRowIsMadeForEachLayerOnce() throws {
        for count in 0...40 {
            let stack = Self.stack(count)
            for key in ["definition", "content"] { try root.cache.save(record("\(key) \(count)", stack)) }
        }
        #expect(try rows() == 40)
        // Another process knows nothing of the numbers.
        let other = try fixture.open()
        for count in [40, 0, 17, 39] {
            let found = try #require(try other.cache.record(for: Digest(of: "content \(count)")))
            #expect(found.stack == Self.stack(count))
            #expect(found.stack.layers == Self.stack(count).layers)
        }
        #expect(try other.cache.list().count == 82)
        try other.cache.save(record("more", Self.stack(41)))
        #expect(try rows() == 41)
        let keys = try root.cache.keys(ofStacksOf: [Digest(of: "content 7"), Digest(of: "content 0")])
        #expect(keys == [Digest(of: "content 7"): [Digest(of: "content 7"), Digest(of: "definition 7")].sorted()])
    }

    @Test func timesTellStacksApart() throws {
        let other = Self.stack(3).adding(Self.diffID(3), created: Timestamp(seconds: 7))
        try root.cache.save(record("a", Self.stack(4)))
        try root.cache.save(record("b", other))
        #expect(try rows() == 5)
        #expect(try fixture.open().cache.record(for: Digest(of: "b"))?.stack == other)
        #expect(try fixture.open().cache.record(for: Digest(of: "a"))?.stack == Self.stack(4))
    }

    @Test func whatNoRecordHasIsCollected() throws {
        let (a, b) = (try record("a", Self.stack(10)), try record("b", Self.stack(4)))
        for record in [a, b] { try root.cache.save(record) }
        try fixture.open().cache.remove([a.key])
        #expect(try fixture.open().collector.collect().ran)
        #expect(try rows() == 4)
        // The numbers of the deleted rows are still known here.
        try root.cache.save(record("a", Self.stack(10)))
        #expect(try rows() == 10)
        #expect(try fixture.open().cache.record(for: a.key)?.stack == a.stack)
        try root.cache.remove([a.key, b.key])
        _ = try root.collector.collect()
        #expect(try rows() == 0)
    }

    /// Look-ups of a build look at each layer once, and at all of them again when something is gone.
    @Test func knownStacksAreNotLookedAtAgain() throws {
        let known = StacksWithinReach()
        for count in [2, 3] { try root.cache.save(record("\(count)", Self.stack(count))) }
        #expect(try root.cache.record(for: Digest(of: "3"), known: known) != nil)
        for source in try root.layers.sources(of: Self.diffID(0)) {
            try root.layers.removeSource(source, of: Self.diffID(0))
        }
        #expect(try root.cache.record(for: Digest(of: "2"), known: known) != nil)
        #expect(try root.cache.record(for: Digest(of: "2")) == nil)
        #expect(try root.cache.record(for: Digest(of: "3"), known: StacksWithinReach()) == nil)
    }

    /// Records as version 4 wrote them: a list of layers in each record, and the same with times in its result.
    @Test(arguments: [StoreRoot.Mode.readOnly, .readWrite])
    func recordsOfVersion4AreFound(_ mode: StoreRoot.Mode) throws {
        for (name, count) in [("none", 0), ("base", 2), ("step", 5)] {
            try root.cache.save(record(name, Self.stack(count)))
        }
        let json = { (count: Int) in
            JSON.array(
                Self.stack(count).layers.map { layer in
                    .object(
                        ("diffID", .string(layer.diffID.description)),
                        ("created", layer.created.map { .string($0.description) }))
                }
            ).text()
        }
        let old = """
            DROP TABLE cache; DROP TABLE stacks; PRAGMA user_version = 4;
            CREATE TABLE cache (key TEXT PRIMARY KEY, kind TEXT NOT NULL, description TEXT NOT NULL,
                result TEXT NOT NULL, diff_ids TEXT NOT NULL, blobs TEXT NOT NULL,
                created TEXT NOT NULL, last_used TEXT NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
            """
        func row(_ name: String, _ result: String, _ count: Int) -> String {
            let diffIDs = Self.stack(count).diffIDs.map(\.description).joined(separator: " ")
            return "INSERT INTO cache VALUES ('\(Digest(of: name))', 'run', '\(name)', '\(result)', '\(diffIDs)', '', "
                + "'2020-01-01T00:00:00.000000000Z', '2020-01-01T00:00:00.000000000Z', 0);\n"
        }
        let rows =
            row("none", "[]", 0) + row("base", json(2), 2) + row("step", json(5), 5) + row("other", "1234", 0)
            + row("times", Self.diffID(0).description, 1)
        try SQLiteDatabase(path: fixture.path.appending("db.sqlite").string).withoutTransaction {
            try $0.executeScript(old + rows)
        }
        let migrated = try fixture.open(mode)
        for (name, count) in [("none", 0), ("base", 2), ("step", 5)] {
            let found = try #require(try migrated.cache.record(for: Digest(of: name)))
            #expect(found.stack == Self.stack(count))
            #expect(found.result == "")
        }
        #expect(try migrated.cache.record(for: Digest(of: "other"))?.result == "1234")
        let times = try #require(try migrated.cache.record(for: Digest(of: "times")))
        #expect(times.diffIDs == [Self.diffID(0)])
        #expect(try migrated.cache.list().count == 5)
    }
}
