import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct BuildIndexTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    private func build(_ id: String, _ second: Int64 = 1, _ status: BuildRecord.Status = .succeeded) -> BuildRecord {
        BuildRecord(
            id: id, started: Timestamp(seconds: second), finished: Timestamp(seconds: second + 1, nanoseconds: 5),
            name: "app", target: "t", status: status, cachedSteps: 1, totalSteps: 2,
            imageID: status == .succeeded ? Digest(of: id) : nil, tags: ["a:1", "b:2"],
            error: status == .failed ? "no" : nil, details: "{}")
    }

    private func log(_ text: String) throws -> BuildLogFile {
        let log = try root.builds.beginLog()
        try log.write(Array(text.utf8).span)
        return log
    }

    @Test func theNewestIsFirst() throws {
        let builds = [build("one", 5), build("two", 3, .failed), build("three", 4, .cancelled)]
        for build in builds { try root.builds.save(build) }
        let other = try fixture.open(.readOnly)
        #expect(try other.builds.list() == builds.reversed())
        #expect(try other.builds.list(limit: 1) == [builds[2]])
        #expect(try other.builds.build("two") == builds[1])
        #expect(try other.builds.build("x") == nil)
    }

    @Test(arguments: [
        ("^0", "axe"), ("^", "axe"), ("^1", "arm"), ("^2", "bow"), ("^3", nil), ("^x", nil), ("^-1", nil),
        ("b", "bow"), ("arm", "arm"), ("armx", nil), ("", nil), ("%", nil), ("_rm", nil), ("ä", nil),
    ])
    func areFoundByReference(_ reference: String, _ expected: String?) throws {
        for id in ["bow", "arm", "axe"] { try root.builds.save(build(id)) }
        #expect(try root.builds.find(reference)?.id == expected)
    }

    @Test func anAmbiguousReferenceIsAnError() throws {
        for id in ["arm", "axe"] { try root.builds.save(build(id)) }
        let error = #expect(throws: StoreError.self) { try root.builds.find("a") }
        #expect(error?.code == .ambiguous)
    }

    @Test func logsAreKeptAndDroppedLogsLeaveNothing() throws {
        var first = build("one")
        first.logSize = 5
        try root.builds.save(first, log: log("hello"))
        try root.builds.save(build("two"))
        do { _ = try log("dropped") }
        #expect(try root.builds.openLog("one")?.readAll(limit: 100) == Array("hello".utf8))
        #expect(try root.builds.openLog("two") == nil)
        #expect(try fixture.names("tmp").filter { !$0.hasSuffix(".lock") } == [])
        try root.builds.remove("one")
        #expect(try root.builds.openLog("one") == nil)
        #expect(try root.builds.list().map(\.id) == ["two"])
    }

    @Test func factsAreSharedAndGoWithTheLastBuildThatHadThem() throws {
        let (old, new, list) = (Digest(of: "old"), Digest(of: "new"), Digest(of: "list"))
        var facts = BuildFacts()
        facts.keys = [old: "o", new: "n"]
        facts.lists = [list: [1, 2], Digest(of: "other"): [3]]
        try root.builds.save(build("b0"), facts: facts)
        facts.keys = [new: "ignored: the first stays"]
        facts.lists = [list: []]
        for number in 1...25 {
            try root.builds.save(build("b\(number)"), facts: facts, limits: BuildIndex.Limits(builds: 5))
        }
        #expect(try root.builds.ingredients(of: old) == nil)
        #expect(try root.builds.ingredients(of: new) == "n")
        #expect(try root.builds.openList(list)?.readAll(limit: 9) == [1, 2])
        #expect(try root.builds.openList(Digest(of: "other")) == nil)
        #expect(try !root.builds.hasList(Digest(of: "other")))
        #expect(try (5...25).contains(root.builds.list().count))
        #expect(try root.builds.list().first?.id == "b25")
    }

    @Test func theLogsOfOldBuildsGoFirst() throws {
        for number in 0..<4 {
            var record = build("b\(number)")
            record.logSize = 100
            try root.builds.save(record, log: log("\(number)"), limits: BuildIndex.Limits(logBytes: 250))
        }
        #expect(try (0..<4).map { try root.builds.openLog("b\($0)") != nil } == [false, false, true, true])
        #expect(try root.builds.list().map(\.logSize) == [100, 100, 0, 0])
        // One that is too large alone is kept all the same.
        var large = build("large")
        large.logSize = 1000
        try root.builds.save(large, log: log("l"), limits: BuildIndex.Limits(logBytes: 250))
        #expect(try root.builds.openLog("large") != nil)
        #expect(try root.builds.openLog("b3") == nil)
    }

    @Test func allCanBeForgotten() throws {
        try root.builds.removeAll()
        var facts = BuildFacts()
        facts.keys = [Digest(of: "k"): "k"]
        facts.lists = [Digest(of: "l"): [1]]
        try root.builds.save(build("one"), facts: facts, log: log("x"))
        try root.builds.removeAll()
        #expect(try root.builds.list().isEmpty)
        #expect(try root.builds.ingredients(of: Digest(of: "k")) == nil)
        #expect(try fixture.names("builds/logs") == [])
        #expect(try fixture.names("builds/files") == [])
    }
}
