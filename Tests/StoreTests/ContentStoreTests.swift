import Diagnostics
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct ContentStoreTests {
    private let fixture: StoreFixture
    private let root: StoreRoot

    init() throws {
        fixture = try StoreFixture()
        root = try fixture.open()
    }

    private var leftovers: [String] {
        get throws { try fixture.names("tmp").filter { !$0.hasSuffix(".lock") } }
    }

    @Test func committedIsVisibleImmutableAndShared() throws {
        let other = try fixture.open()
        var ingest = try root.content.begin()
        try ingest.write([1, 2].span)
        try ingest.write([3].span)
        let digest = Digest(of: [1, 2, 3])
        #expect(try !other.content.contains(digest))
        let (committed, size) = try ingest.commit(expecting: digest)
        #expect(committed == digest && size == 3)
        #expect(try other.content.size(of: digest) == 3)
        #expect(try other.content.bytes(of: digest) == [1, 2, 3])
        #expect(try OwnedDescriptor.open(root.content.path(of: digest)).status().permissions == 0o444)
        #expect(try root.content.all().map(\.digest) == [digest])
        #expect(try leftovers.isEmpty)
    }

    @Test func anEmptyBlobIsABlob() throws {
        let digest = try root.content.begin().commit().digest
        #expect(digest == Digest(of: [UInt8]()))
        #expect(try root.content.size(of: digest) == 0)
    }

    @Test func aWrongDigestLeavesNothing() throws {
        var ingest = try root.content.begin()
        try ingest.write([1].span)
        do {
            _ = try ingest.commit(expecting: Digest(of: [2]))
            Issue.record("the digest is wrong")
        } catch let error as StoreError {
            #expect(error.code == .digestMismatch)
        }
        #expect(try root.content.all().isEmpty)
        #expect(try leftovers.isEmpty)
    }

    @Test func droppedLeavesNothing() throws {
        do {
            var ingest = try root.content.begin()
            try ingest.write([1].span)
            #expect(try leftovers.count == 1)
            _ = consume ingest
        }
        #expect(try leftovers.isEmpty)
    }

    @Test func aForeignWriterGivesDigestAndSize() throws {
        let digest = Digest(of: [9, 9])
        for (size, isRight) in [(3, false), (2, true)] {
            let ingest = try root.content.begin()
            let bytes: [UInt8] = [9, 9]
            try ingest.sink(bytes.span)
            do {
                try ingest.commit(as: digest, size: Int64(size))
                #expect(isRight)
            } catch let error as StoreError {
                #expect(!isRight && error.code == .sizeMismatch)
            }
            #expect(try root.content.contains(digest) == isRight)
        }
    }

    @Test func aBlobWhoseFileIsGoneOrTornReadsAsAbsentAndCanBeMadeAgain() throws {
        let digest = try root.content.save([1, 2, 3])
        try Directory(opening: fixture.path).unlink(PathBytes("blobs/sha256/\(digest.hex)"))
        #expect(try !root.content.contains(digest))
        #expect(try root.content.open(digest) == nil)
        try makeFile(digest.hex, bytes: 1, in: fixture.path.appending("blobs/sha256"))
        #expect(try !root.content.contains(digest))
        #expect(try root.content.open(digest) == nil)
        #expect(try root.content.save([1, 2, 3]) == digest)
        #expect(try root.content.bytes(of: digest) == [1, 2, 3])
    }

    @Test func removedIsGone() throws {
        let digest = try root.content.save([1])
        try root.content.remove(digest)
        try root.content.remove(digest)
        #expect(try !root.content.contains(digest))
        #expect(try fixture.names("blobs/sha256").isEmpty)
    }

    @Test func manyThreadsWriteTheSameBlobs() async throws {
        let fixture = fixture
        let roots = [root, try fixture.open()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                let root = roots[task % 2]
                group.addTask {
                    try await offload {
                        for number in 0..<20 { _ = try root.content.save([UInt8(number)]) }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try root.content.all().count == 20)
        #expect(try leftovers.isEmpty)
    }
}
