import Diagnostics
import Layers
import Linux
import Testing

struct FileListTests {
    static let entries = [
        LayerEntry(path: "", kind: .opaque),
        LayerEntry(path: "a", kind: .whiteout),
        LayerEntry(
            path: "a", kind: .directory, permissions: 0o1777, owner: 4_000_000_000, group: 1,
            modified: FileTime(seconds: -7, nanoseconds: 999_999_999)),
        LayerEntry(path: "a", kind: .opaque),
        LayerEntry(
            path: "a/f", kind: .regular, permissions: 0o4755, owner: 4_000_000_000, group: 1, size: .max,
            modified: FileTime(seconds: .max), contentHash: .max),
        LayerEntry(
            path: "a/f2", kind: .regular, size: 300,
            attributes: [ExtendedAttribute(name: "user.a", value: []), ExtendedAttribute(name: "b", value: [0, 255])]),
        LayerEntry(path: "a/h", kind: .hardLink, linkTarget: "a/f"),
        LayerEntry(path: "a-b", kind: .symlink, linkTarget: PathBytes([0xff, 0x2f])),
        LayerEntry(path: "c", kind: .characterDevice, deviceMajor: 5, deviceMinor: 1 << 20),
        LayerEntry(path: PathBytes([0x63, 0xff]), kind: .fifo),
    ]

    @Test func `a list is the same after encoding`() throws {
        let list = FileList(Self.entries, tarSize: 12345)
        #expect(list.entries == Self.entries)
        #expect(try FileList(decoding: list.encode()) == list)
        let empty = FileList([], tarSize: 1024)
        #expect(try FileList(decoding: empty.encode()) == empty)
    }

    @Test func `entries are sorted as a walk finds them and the last of a name counts`() {
        var late = LayerEntry(path: "a/f", kind: .symlink, linkTarget: "x")
        let list = FileList(Array(Self.entries.reversed()) + [late], tarSize: 0)
        #expect(list.entries.map(\.path) == Self.entries.map(\.path))
        #expect(list["a/f"] == late)
        #expect(list["a"]?.kind == .directory)
        #expect(list["a/"] == nil)
        late.path = "zzz"
        #expect(list[late.path] == nil)
    }

    @Test func `every beginning of a list is refused`() {
        let bytes = FileList(Self.entries, tarSize: 1).encode()
        for count in bytes.indices {
            #expect(throws: LayerError.self) { try FileList(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: LayerError.self) { try FileList(decoding: bytes + [0]) }
        var other = bytes
        other[3] = 2
        #expect(throws: LayerError.self) { try FileList(decoding: other) }
    }

    @Test(arguments: 0..<300)
    func `random changes do not crash`(_ seed: Int) {
        var bytes = FileList(Self.entries, tarSize: 1).encode()
        let random = noise(16 + seed)
        for index in 0..<3 {
            let at = (seed * 31 + index * 97 + Int(random[random.count - 1 - index])) % bytes.count
            bytes[at] = random[(seed + index) % random.count]
        }
        if let list = try? FileList(decoding: bytes) { #expect(list.entries.count <= bytes.count) }
    }

    @Test(
        arguments: [
            ("a", "b"), ("a", "a/b"), ("a/b", "a-b"), ("a/z/z", "a.b"), ("", "a"), ("a/b", "a/b/c"), ("ab/c", "abc"),
        ])
    func `the order is that of a walk`(_ first: String, _ second: String) {
        #expect(PathBytes(first).walksBefore(PathBytes(second)))
        #expect(!PathBytes(second).walksBefore(PathBytes(first)))
        #expect(!PathBytes(first).walksBefore(PathBytes(first)))
    }
}

/// The list that a writer keeps as bytes.
@Suite struct EncodedFileListTests {
    private static let names: [PathBytes] = ["a", "a/b", "a/b/c", "a-b", "d"]

    private static func written(_ names: [PathBytes]) throws -> EncodedFileList {
        var writer = LayerWriter()
        for (number, name) in names.enumerated() {
            let content = [UInt8](repeating: 1, count: number)
            try writer.add(
                LayerEntry(path: name, kind: .regular, modified: FileTime(seconds: 1)), content: content.span)
        }
        return try writer.finish().files
    }

    @Test func `it says the same as the list itself`() throws {
        let files = try Self.written(Self.names)
        let list = try files.decoded()
        #expect(list.entries.map(\.path) == Self.names)
        #expect(files.bytes == list.encode())
        #expect(files.contentSize == list.contentSize && list.contentSize == 10)
        #expect(files.fileCount == 5 && list.fileCount == 5)
        #expect(files.tarSize == list.tarSize)
    }

    @Test func `entries out of order are put in order, and of two for one file the later counts`() throws {
        let files = try Self.written(["d", "a/b", "a", "d", "a-b", "a/b/c"])
        let list = try files.decoded()
        #expect(list.entries.map(\.path) == Self.names)
        #expect(list["d"]?.size == 3)
        #expect(files.contentSize == list.contentSize && files.fileCount == 5)
        #expect(files.bytes == list.encode())
    }

    @Test func `bytes compressed at once are a frame of zstd`() throws {
        for count in [0, 1, 70_000, 3 << 20] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let frame = try bytes.compressedAtOnce()
            let stream = try DecompressedStream(PieceStream(frame))
            var (read, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
            while case let count = try stream.read(into: &buffer), count > 0 { read += buffer[..<count] }
            #expect(read == bytes && stream.format == .zstd)
        }
    }
}
