import Diagnostics
import Glibc
import Linux
import OCI
import Store
import SystemPackage
import Testing

/// A small file system in memory, unmounted at the end.
private final class SmallDisk {
    let path: FilePath

    init(options: String) throws {
        path = FilePath("/tmp/store-disk-\(ProcessIdentity.current)-\(UInt64.random(in: 0...UInt64.max))")
        try Directory(opening: "/tmp").makeDirectory(PathBytes(path.lastComponent?.string ?? ""), permissions: 0o700)
        try check("mount", path) { unsafe mount("tmpfs", path.string, "tmpfs", 0, options) }
    }

    func makeReadOnly() throws {
        try check("mount", path) { unsafe mount("tmpfs", path.string, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) }
    }

    /// Whether all but 4 MiB is free in the end: a child of another test has the open files of this process, and so
    /// what was removed, until it executes its program.
    func becomesEmpty() throws -> Bool {
        for _ in 0..<1000 {
            let space = try FileSystemSpace(of: path)
            if space.available > space.total - 4 << 20 { return true }
            usleep(10_000)
        }
        return false
    }

    deinit {
        unsafe umount2(path.string, Int32(MNT_DETACH))
        unsafe rmdir(path.string)
    }

    static let isAllowed: Bool = { (try? SmallDisk(options: "size=64k")) != nil }()
}

@Suite(.enabled(if: SmallDisk.isAllowed, "needs the right to mount")) struct FullDiskTests {
    private func fillUp(_ disk: SmallDisk) throws {
        let file = try OwnedDescriptor.open(
            disk.path.appending("ballast"), .writeOnly, options: .create,
            permissions: FilePermissions(rawValue: 0o600))
        for size in [65536, 4096] {
            let chunk = [UInt8](repeating: 1, count: size)
            while (try? file.write(chunk.span)) != nil {}
        }
    }

    @Test("A file system without a free inode is named as that, and not as one that cannot be written to")
    func noInodesIsAClearError() throws {
        let disk = try SmallDisk(options: "size=8m,nr_inodes=24")
        let root = try StoreRoot(at: disk.path.appending("root"))
        let directory = try Directory(opening: disk.path)
        var count = 0
        while (try? directory.create(PathBytes("\(count)"))) != nil { count += 1 }
        #expect(count > 0)
        let error = #expect(throws: StoreError.self) { _ = try root.images.list() }
        #expect(error?.code == .noSpace && error?.message.hasPrefix("no inodes are left") == true)
    }

    @Test func aBlobThatDoesNotFitIsAClearErrorAndLeavesNothing() throws {
        let disk = try SmallDisk(options: "size=1m")
        let root = try StoreRoot(at: disk.path.appending("root"))
        let kept = try root.content.save([1, 2, 3])
        let chunk = [UInt8](repeating: 7, count: 100_000)
        do {
            var ingest = try root.content.begin()
            for _ in 0..<20 { try ingest.write(chunk.span) }
            Issue.record("two megabytes fit into one")
        } catch let error as StoreError {
            #expect(error.code == .noSpace)
            #expect(error.message.contains(root.path.string))
        }
        #expect(try root.content.all().map(\.digest) == [kept])
        // The space is free again.
        let small = try root.content.save(Array(chunk.prefix(50000)))
        #expect(try root.content.contains(small))
    }

    /// A large write fails while there is still room for others, whether its size was known or not.
    @Test func aBlobThatIsTooLargeLeavesAReserve() throws {
        let disk = try SmallDisk(options: "size=64m")
        let root = try StoreRoot(at: disk.path.appending("root"))
        let chunk = [UInt8](repeating: 7, count: 1 << 20)
        func fill(_ write: (Span<UInt8>) throws -> Void) throws {
            let error = #expect(throws: StoreError.self) { for _ in 0..<64 { try write(chunk.span) } }
            #expect(error?.code == .noSpace)
            let space = try FileSystemSpace(of: disk.path)
            #expect(space.available >= 3 << 20 && space.available < 20 << 20, "\(space.available) bytes are left")
        }
        do {
            let ingest = try root.content.begin()
            try fill(ingest.sink)
            _ = consume ingest
        }
        #expect(try disk.becomesEmpty())
        var ingest = try root.content.begin(expecting: 32 << 20)
        try fill { try ingest.write($0) }
        _ = consume ingest
        #expect(try disk.becomesEmpty())
        let error = #expect(throws: StoreError.self) { _ = try root.content.begin(expecting: 62 << 20) }
        #expect(error?.code == .noSpace)
        #expect(try Directory(opening: root.path.appending("tmp")).names().allSatisfy { $0.text.hasSuffix(".lock") })
    }

    @Test func onAFullDiskEveryOperationFailsClearlyOrWorks() throws {
        let disk = try SmallDisk(options: "size=2m")
        let root = try StoreRoot(at: disk.path.appending("root"))
        let image = try root.image("before")
        try root.images.save(image, as: [try reference("before")])
        try fillUp(disk)
        var failures = 0
        for number in 0..<300 {
            do {
                let new = try root.image("image \(number)")
                try root.images.save(new, as: [try reference("n\(number)")])
                #expect(try root.isWhole(new))
            } catch let error as StoreError {
                #expect(error.code == .noSpace)
                failures += 1
            } catch let error as LinuxError {
                // The test's own file in the snapshot.
                #expect(error.code == .noSpace)
                failures += 1
            }
        }
        #expect(failures > 0)
        for image in try root.images.list() { #expect(try root.isWhole(image)) }
        let blobs = try Directory(opening: root.path.appending("blobs/sha256")).names()
        #expect(try blobs.count == root.content.all().count)
        let snapshots = try Directory(opening: root.path.appending("snapshots")).names()
        #expect(try snapshots.count == root.diskUsage().snapshots.total.count)
        unsafe unlink(disk.path.appending("ballast").string)
        let again = try StoreRoot(at: root.path)
        for image in try again.images.list() { #expect(try again.isWhole(image)) }
        let after = try again.image("after")
        try again.images.save(after, as: [try reference("after")])
        #expect(try again.isWhole(after))
        #expect(
            try Set(again.images.list().flatMap(\.names)).isSuperset(of: [reference("before"), reference("after")]))
    }

    /// Empty files and directories take no space here, so that it is the database that fails, with the rename done.
    @Test func aCommitThatFailsLateTakesTheFilesBack() throws {
        let disk = try SmallDisk(options: "size=2m")
        let root = try StoreRoot(at: disk.path.appending("root"))
        _ = try root.snapshot("before")
        _ = try root.content.save([1])
        try fillUp(disk)
        var failures = 0
        for number in 0..<2000 where failures < 20 {
            do {
                if number % 2 == 0 {
                    try root.content.begin().commit(as: Digest(of: "\(number)"), size: 0)
                } else {
                    _ = try root.snapshots.prepare().commit(as: ChainID(Digest(of: "\(number)")))
                }
            } catch let error as StoreError {
                #expect(error.code == .noSpace)
                failures += 1
            }
        }
        #expect(failures == 20)
        let blobs = try Directory(opening: root.path.appending("blobs/sha256")).names()
        #expect(try blobs.count == root.content.all().count)
        let snapshots = try Directory(opening: root.path.appending("snapshots")).names()
        #expect(try snapshots.count == root.diskUsage().snapshots.total.count)
    }

    @Test func spaceCanBeFreedOnAFullDisk() throws {
        let disk = try SmallDisk(options: "size=4m")
        let path = disk.path.appending("root")
        let kept: StoredImage
        let id: Digest
        do {
            let root = try StoreRoot(at: path)
            kept = try root.image("kept")
            let large = try root.content.save([UInt8](repeating: 7, count: 200_000))
            id = try root.content.save(Array("config".utf8))
            try root.images.save(kept, as: [try reference("kept")])
            try root.images.save(
                StoredImage(
                    id: id, platform: .host, created: nil, diffIDs: [], size: 1,
                    layers: [Descriptor(mediaType: .ociLayer, digest: large, size: 200_000)]))
        }
        try fillUp(disk)
        let root = try StoreRoot(at: path)
        let error = #expect(throws: StoreError.self) { try root.content.save([UInt8](repeating: 9, count: 3 << 20)) }
        #expect(error?.code == .noSpace)
        #expect(try root.images.remove(id))
        #expect(try root.collector.collect().freedBytes >= 200_000)
        #expect(try root.isWhole(kept))
        #expect(try root.content.contains(root.content.save([UInt8](repeating: 8, count: 100_000))))
    }

    @Test func aReadOnlyDiskIsAClearError() throws {
        let disk = try SmallDisk(options: "size=2m")
        let path = disk.path.appending("root")
        _ = try StoreRoot(at: path).content.save([1])
        try disk.makeReadOnly()
        let error = #expect(throws: StoreError.self) { try StoreRoot(at: path).content.save([2]) }
        #expect(error?.code == .notWritable)
        let missing = #expect(throws: StoreError.self) { try StoreRoot(at: disk.path.appending("other")) }
        #expect(missing?.code == .notWritable)
        // The database cannot be read either, as its log has an index that readers share in a file: but that is said.
        let unreadable = #expect(throws: StoreError.self) {
            try StoreRoot(at: path, mode: .readOnly).images.list()
        }
        #expect(unreadable?.code == .notWritable)
    }
}
