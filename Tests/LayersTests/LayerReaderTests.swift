import Diagnostics
import Layers
import Linux
import OCI
import Testing

private final class CollectedPieces { var bytes: [UInt8] = [] }

@Suite(.enabled(if: Host.hasPython, "needs python3"))
struct LayerReaderTests {
    private func read(_ name: String, piece: Int = .max) throws -> [LayerEntry] {
        try LayerReader.readFileList(from: PieceStream(try archive(name), size: piece)).fileList.entries
    }

    @Test(arguments: [
        ("dotdot", LayerCode.unsafePath), ("dotdot-link", .unsafePath), ("dotdot-whiteout", .unsafePath),
        ("truncated", .truncated), ("truncated-header", .truncated), ("garbage", .notAnArchive),
        ("short", .notAnArchive), ("damaged", .damaged), ("huge-record", .unsupported), ("bad-pax", .damaged),
        ("sparse-overlap", .damaged), ("sparse-beyond", .damaged),
    ])
    func `bad archives are refused with a sentence`(_ name: String, _ code: LayerCode) throws {
        let error = #expect(throws: LayerError.self) { try read(name) }
        #expect(error?.code == code)
        #expect(error?.message.isEmpty == false)
        #expect(error?.message.last != ".")
    }

    /// umoci ends its archives so.
    @Test(arguments: [515, 600, 1023, 1024, 1536, 2048])
    func `an archive may end with the content of its last member`(_ length: Int) throws {
        let collected = CollectedPieces()
        var writer = try LayerWriter(CompressionOptions(.none)) { piece in
            for index in piece.indices { collected.bytes.append(piece[index]) }
        }
        try writer.add(LayerEntry(path: "a", kind: .regular), content: Array("abc".utf8).span)
        _ = try writer.finish()
        let bytes = Array(collected.bytes.prefix(length))
        let summary = try LayerReader.readFileList(from: PieceStream(bytes, size: .max))
        #expect(summary.fileList.entries.map(\.size) == [3] && summary.diffID == DiffID(Digest(of: bytes)))
        #expect(throws: LayerError.self) {
            try LayerReader.readFileList(from: PieceStream(Array(bytes[..<514]), size: .max))
        }
    }

    @Test func `names are normalised`() throws {
        #expect(try read("absolute").map(\.path) == ["a/b", "abs/file"])
    }

    @Test(arguments: ["gnu-long", "pax-long"], [1, 700, 1 << 20])
    func `long names and links are whole`(_ name: String, _ piece: Int) throws {
        let long = PathBytes(Array(repeating: String(repeating: "d", count: 90), count: 30).joined(separator: "/"))
        let entries = try read(name, piece: piece)
        #expect(entries.map(\.path) == [long, "l"])
        #expect(entries.map(\.size) == [4, 0])
        #expect(entries[1].linkTarget == long)
    }

    @Test func `names are bytes that nobody composes`() throws {
        let path = try #require(try read("pax-names").first).path
        #expect(path.bytes == Array("e\u{301}/\u{65e5}\u{672c}".utf8))
    }

    @Test func `times may be negative and have fractions`() throws {
        let entries = try read("pax-time")
        #expect(entries[0].modified == FileTime(seconds: -2, nanoseconds: 500_000_000))
        #expect(entries[1].modified == FileTime(seconds: 1, nanoseconds: 250_000_000))
    }

    @Test func `attributes are kept but for those of overlayfs`() throws {
        let attributes = try #require(try read("pax-attributes").first).attributes
        #expect(
            attributes == [
                ExtendedAttribute(name: "user.a", value: [0x31]), ExtendedAttribute(name: "user.b", value: [0x32]),
            ])
    }

    @Test func `numbers that octal digits cannot hold`() throws {
        let entry = try #require(try read("gnu-large").first)
        #expect(entry.owner == 3_000_000_000)
        #expect(entry.group == 2_097_152)
        #expect(entry.modified == FileTime(seconds: -5))
    }

    /// Linux could make no such file; each would cost a builder time and memory.
    @Test(arguments: [
        ("many-attributes", "a file in the layer has more extended attributes than Linux takes, or a longer one"),
        ("long-attribute", "a file in the layer has more extended attributes than Linux takes, or a longer one"),
        ("long-link", "the link 'l' in the layer leads to a path of 40000 bytes, more than the 4095 that Linux takes"),
    ])
    func `what no file can have is refused`(_ name: String, _ message: String) throws {
        let error = #expect(throws: LayerError.self) { try read(name) }
        #expect(error?.code == .unsupported)
        #expect(error?.message == message)
    }

    @Test func `links with the most components that Linux takes are read`() throws {
        let entries = try read("links-to-links")
        #expect(entries.count == 2002)
        let error = #expect(throws: LayerError.self) { try read("links-in-links") }
        #expect(error?.code == .unsafePath)
    }

    @Test(arguments: ["trailing", "no-end", "empty"])
    func `the digest covers everything`(_ name: String) throws {
        let bytes = try archive(name)
        let summary = try LayerReader.readFileList(from: PieceStream(bytes, size: 999))
        #expect(summary.diffID.digest == Digest(of: bytes))
        #expect(summary.tarSize == Int64(bytes.count))
        #expect(summary.fileList.entries.count == (name == "empty" ? 0 : 1))
    }

    @Test(arguments: [1 << 20, 100])
    func `holes are zeros`(_ piece: Int) throws {
        var reader = try LayerReader(PieceStream(try archive("sparse"), size: piece))
        let entry = try #require(try reader.next())
        #expect(entry.path == "s")
        #expect(entry.size == 10000)
        let collector = Collector()
        try reader.readContent { collector.append($0) }
        var expected = [UInt8](repeating: 0, count: 10000)
        expected.replaceSubrange(1000..<1005, with: "hello".utf8)
        expected.replaceSubrange(8000..<8003, with: "abc".utf8)
        #expect(collector.bytes == expected)
        #expect(try reader.next() == nil)
    }

    @Test(arguments: [
        ("--format=gnu", 1 << 20), ("--format=pax", 333), ("--format=pax --sparse-version=0.1", 1 << 20),
        ("--format=pax --sparse-version=0.0", 1 << 20),
    ])
    func `holes as GNU tar writes them`(_ options: String, _ piece: Int) throws {
        let scratch = try Scratch()
        // More parts than the header of the old format has room for.
        scratch.run(
            "for i in $(seq 1 40); do printf $i | dd of=f bs=1 seek=$((i * 100000)) conv=notrunc status=none; done")
        scratch.run("truncate -s 5M f && tar -S \(options) -cf t.tar f && test $(stat -c %s t.tar) -lt 1000000")
        var reader = try LayerReader(PieceStream(try scratch.read("t.tar"), size: piece))
        let entry = try #require(try reader.next())
        #expect(entry.path == "f")
        #expect(entry.size == 5 << 20)
        var hasher = DigestHasher()
        var size = 0
        try reader.readContent {
            hasher.update($0)
            size += $0.count
        }
        let digest = hasher.finish()
        #expect(size == 5 << 20)
        #expect(digest == Digest(of: try scratch.read("f")))
    }

    @Test func `whiteouts are marks in layers only`() throws {
        let bytes = try archive("whiteouts")
        let entries = try LayerReader.readFileList(from: PieceStream(bytes)).fileList.entries
        #expect(entries.map(\.path) == ["a", "a", "a", "a/gone", "a/kept", "b"])
        #expect(entries.map(\.kind) == [.whiteout, .directory, .opaque, .whiteout, .regular, .whiteout])
        var reader = try LayerReader(PieceStream(bytes), readsMarks: false)
        var paths: [PathBytes] = []
        while let entry = try reader.next() { paths.append(entry.path) }
        #expect(
            paths == ["a", "a/.wh.gone", "a/.wh..wh..opq", "a/kept", ".wh.a", ".wh..wh.plnk", ".wh.b"])
    }

    /// An archive of the directory of an overlay, as some tools make it, has such marks.
    @Test func `a device with the number zero is a mark in layers only`() throws {
        var bytes = try tar([LayerEntry(path: "a", kind: .characterDevice, deviceMajor: 1, deviceMinor: 3)]).bytes
        bytes.replaceSubrange(329..<345, with: Array("0000000\00000000\0".utf8))
        bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        let digits = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        let sum = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
        bytes.replaceSubrange(148..<156, with: Array(sum.utf8))
        let entries = try LayerReader.readFileList(from: PieceStream(bytes)).fileList.entries
        #expect(entries == [LayerEntry(path: "a", kind: .whiteout)])
        var reader = try LayerReader(PieceStream(bytes), readsMarks: false)
        let entry = try #require(try reader.next())
        #expect(entry.isWhiteoutDevice)
        let error = #expect(throws: LayerError.self) { _ = try tar([entry]) }
        #expect(error?.code == .reservedName)
    }

    @Test(arguments: 0..<200)
    func `damage never crashes`(_ seed: Int) throws {
        let names = ["gnu-long", "pax-long", "sparse", "whiteouts", "pax-attributes"]
        var bytes = try archive(names[seed % names.count])
        let random = noise(64 + seed)
        for index in 0..<6 {
            bytes[(seed * 7919 + index * 104_729 + Int(random[index])) % bytes.count] = random[10 + index + seed % 40]
        }
        _ = try? LayerReader.readFileList(from: PieceStream(bytes))
    }

    @Test func `an error of the source comes through`() throws {
        struct Broken: Error {}
        final class BrokenStream: ByteStream {
            private var first = true
            func read(into buffer: inout [UInt8]) throws -> Int {
                if !first { throw Broken() }
                first = false
                return buffer.count
            }
        }
        #expect(throws: Broken.self) { try LayerReader.readFileList(from: BrokenStream()) }
    }
}
