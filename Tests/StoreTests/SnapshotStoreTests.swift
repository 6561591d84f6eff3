import Diagnostics
import Glibc
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct SnapshotStoreTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    private var leftovers: [String] {
        get throws { try fixture.names("tmp").filter { !$0.hasSuffix(".lock") } }
    }

    @Test func committedIsVisibleUnderAShortName() throws {
        let chain = ChainID(Digest(of: "a"))
        let active = try root.snapshots.prepare()
        #expect(active.upper.removingLastComponent() == active.work.removingLastComponent())
        #expect(try OwnedDescriptor.open(active.upper).status().permissions == 0o755)
        try makeFile("file", bytes: 3, in: active.upper)
        try makeFile("scratch", bytes: 3, in: active.work)
        #expect(try root.snapshots.snapshot(chain) == nil)
        let snapshot = try active.commit(as: chain)
        #expect(snapshot.directory == fixture.path.appending("snapshots/1/fs"))
        #expect(try fixture.open().snapshots.snapshot(chain) == snapshot)
        #expect(try fixture.names("snapshots/1/fs") == ["file"])
        #expect(try fixture.names("snapshots/1") == ["fs"])
        #expect(try leftovers.isEmpty)
    }

    @Test func theFirstOfTwoStays() throws {
        let chain = ChainID(Digest(of: "a"))
        let (one, two) = (try fixture.open(), try fixture.open())
        let slow = try one.snapshots.prepare()
        try makeFile("slow", bytes: 1, in: slow.upper)
        let (fast, _) = try two.snapshot("a")
        #expect(try slow.commit(as: chain) == fast)
        #expect(try fixture.names("snapshots") == ["1"])
        #expect(try fixture.names("snapshots/1/fs") == ["file"])
        #expect(try leftovers.isEmpty)
    }

    @Test func droppedLeavesNothing() throws {
        do {
            let active = try root.snapshots.prepare()
            try makeFile("file", bytes: 1, in: active.upper)
            #expect(try fixture.names("snapshots").count == 1)
            _ = consume active
        }
        #expect(try fixture.names("snapshots").isEmpty && leftovers.isEmpty)
    }

    @Test func aSnapshotWhoseDirectoryIsGoneReadsAsAbsentAndCanBeMadeAgain() throws {
        let (first, diffID) = try root.snapshot("a")
        try Directory(opening: fixture.path).removeTree("snapshots/1")
        #expect(try root.snapshots.snapshot(ChainID(diffID.digest)) == nil)
        let (second, _) = try root.snapshot("a")
        #expect(second.number != first.number)
        #expect(try root.snapshots.snapshot(ChainID(diffID.digest)) == second)
    }

    @Test func aStrayDirectoryIsNoObstacle() throws {
        _ = try root.snapshots.snapshot(ChainID(Digest(of: "a")))
        try Directory(opening: fixture.path).makeDirectory("snapshots/1", permissions: 0o700)
        try makeFile("stray", bytes: 1, in: fixture.path.appending("snapshots/1"))
        #expect(try root.snapshot("a").0.number == 1)
        #expect(try fixture.names("snapshots/1") == ["fs"])
    }

    @Test func threadsOfTwoStoresMakeTheSameStacks() async throws {
        let roots = [root, try fixture.open()]
        let found = try await withThrowingTaskGroup(of: [Snapshot].self) { group in
            for task in 0..<6 {
                let root = roots[task % 2]
                group.addTask {
                    try await offload { try (0..<10).map { try root.snapshot("layer \($0)").0 } }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(found).count == 1)
        #expect(try fixture.names("snapshots").count == 10)
    }
}

/// Files that killed processes leave, and files that live ones must keep.
@Suite struct LeftoverTests {
    private let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private func plant(_ owner: String) throws {
        let directory = try Directory(opening: fixture.path)
        try directory.makeDirectory(PathBytes("snapshots/\(owner)-1"), permissions: 0o700)
        try directory.makeDirectory(PathBytes("snapshots/\(owner)-1/fs"), permissions: 0o000)
        try makeFile("\(owner)-2", bytes: 5, in: fixture.path.appending("tmp"))
        try makeFile("\(owner).lock", bytes: 0, in: fixture.path.appending("tmp"))
    }

    /// The sweep deletes in the background.
    private func waitUntilSwept() throws {
        for _ in 0..<500 {
            let own = "\(ProcessIdentity.current)-"
            if try !fixture.names("tmp").contains(where: { $0.hasPrefix(own) }) { return }
            usleep(10000)
        }
        Issue.record("the sweep does not end")
    }

    @Test func thoseOfTheDeadAreSwept() throws {
        _ = try fixture.open()
        try plant("4194999-17")
        try Directory(opening: fixture.path).makeDirectory("snapshots/7", permissions: 0o700)
        _ = try fixture.open(.readOnly).images.list()
        #expect(try fixture.names("snapshots").count == 2)
        _ = try fixture.open().images.list()
        try waitUntilSwept()
        #expect(try fixture.names("tmp") == ["\(ProcessIdentity.current).lock"])
        #expect(try fixture.names("snapshots").isEmpty)
    }

    @Test func theLockFileOfTheDeadGoesAtOnce() throws {
        _ = try fixture.open()
        try makeFile("4194999-17.lock", bytes: 0, in: fixture.path.appending("tmp"))
        _ = try fixture.open().images.list()
        // Nothing is left to a thread in the background, which may not get to it before the process ends.
        #expect(try fixture.names("tmp") == ["\(ProcessIdentity.current).lock"])
    }

    @Test func thoseOfTheLivingStay() throws {
        let root = try fixture.open()
        let init1 = String(decoding: try OwnedDescriptor.open("/proc/1/stat").readAll(limit: 65536), as: UTF8.self)
        let fields = try #require(init1.split(separator: ")").last).split(separator: " ")
        try plant("1-\(fields[19])")
        let active = try root.snapshots.prepare()
        let before = try (fixture.names("tmp"), fixture.names("snapshots"))
        _ = try fixture.open().images.list()
        #expect(try (fixture.names("tmp"), fixture.names("snapshots")) != ([], []))
        #expect(try Set(before.0).isSubset(of: fixture.names("tmp")))
        #expect(try fixture.names("snapshots") == before.1)
        _ = consume active
    }

    @Test func aProcessOfAnotherPidNamespaceIsKnownByItsLock() throws {
        _ = try fixture.open()
        try plant("4194999-17")
        let lock = try FileLock(fixture.path.appending("tmp/4194999-17.lock"), .shared)
        _ = try fixture.open().images.list()
        #expect(try fixture.exists("tmp/4194999-17-2") && fixture.exists("snapshots/4194999-17-1"))
        _ = consume lock
    }

    @Test func aTemporaryDirectoryLastsAsLongAsItIsHeld() throws {
        let root = try fixture.open()
        var directory: TemporaryDirectory? = try root.temporaryDirectory()
        let path = try #require(directory?.path)
        try makeFile("file", bytes: 1, in: path)
        _ = try fixture.open().images.list()
        #expect(try Directory(opening: path).names() == ["file"])
        directory = nil
        #expect(try fixture.names("tmp") == ["\(ProcessIdentity.current).lock"])
    }

    @Test func aTemporaryDirectoryThatIsStillHeldGoesAtTheEndOfItsProcess() async throws {
        let path = fixture.path.string
        await #expect(processExitsWith: .success) { [path = path as String] in
            let directory = try StoreRoot(at: FilePath(path)).temporaryDirectory()
            try makeFile("file", bytes: 1, in: directory.path)
            withExtendedLifetime(directory) { exit(0) }
        }
        #expect(try fixture.names("tmp").filter { !$0.hasSuffix(".lock") } == [])
    }

    @Test func twoProcessesMakeTheStoreAndShareIt() async throws {
        let path = fixture.path.string
        async let first = #expect(processExitsWith: .success) { [path = path as String] in
            try work(inStoreAt: path)
        }
        async let second = #expect(processExitsWith: .success) { [path = path as String] in
            try work(inStoreAt: path)
        }
        _ = await (first, second)
        let root = try fixture.open()
        #expect(try root.images.list().count == 20)
        for image in try root.images.list() {
            #expect(try root.isWhole(image))
            #expect(image.names.count == 1)
        }
        #expect(try fixture.names("snapshots").count == 20)
        #expect(try root.collector.collect().freedBytes == 0)
    }

    @Test func aKilledProcessLeavesAStoreThatWorks() async throws {
        let path = fixture.path.string
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let root = try StoreRoot(at: FilePath(path))
            let image = try root.image("kept")
            try root.images.save(image, as: [try reference("kept")])
            _ = try root.content.save([1])
            var ingest = try root.content.begin()
            try ingest.write([1, 2, 3].span)
            let active = try root.snapshots.prepare()
            try makeFile("file", bytes: 1, in: active.upper)
            kill(getpid(), SIGKILL)
            _ = consume active
            _ = consume ingest
        }
        #expect(try fixture.names("snapshots").count == 2)
        let root = try fixture.open()
        let image = try #require(try root.images.lookup("kept"))
        #expect(try root.isWhole(image))
        #expect(try root.content.contains(Digest(of: [1])))
        try waitUntilSwept()
        #expect(try fixture.names("tmp") == ["\(ProcessIdentity.current).lock"])
        #expect(try fixture.names("snapshots") == ["1"])
    }
}
