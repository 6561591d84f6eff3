import Diagnostics
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@testable import LazyLayers

@Suite("Layers in the format zstd:chunked", .enabled(if: Host.hasPython, "needs python3"))
struct ChunkedLayerTests {
    @Test("a reader of the specification finds every file, piece and digest, and rebuilds the archive")
    func isRead() throws {
        let workshop = try Workshop(SampleArchive.small)
        let layer = try workshop.chunked()
        let said = try workshop.reading(chunked: layer)
        #expect(said["diffID"]?.string == layer.diffID.description)
        #expect(said["holes"]?.integer == 1)
        #expect(layer.blob.mediaType == .ociLayer(.zstd))
        // The archive stays as it is.
        #expect(try layer.diffID == DiffID(Digest(of: workshop.bytes("archive.tar"))))
    }

    @Test("decoders of zstd read the archive", .enabled(if: shell("zstd --version >/dev/null 2>&1") == 0, "needs zstd"))
    func isDecompressed() throws {
        let workshop = try Workshop(SampleArchive.small)
        _ = try workshop.reading(chunked: workshop.chunked())
        #expect(shell("cd '\(workshop.path)' && zstd -qdc blob | cmp - archive.tar") == 0)
    }

    @Test("the bytes do not depend on the number of threads", arguments: [1, 3, 64])
    func isDeterministic(threads: Int) throws {
        let workshop = try Workshop(
            "for i in $(seq 200); do head -c 20000 /dev/urandom >f$i; done && tar -cf ../archive.tar .")
        #expect(try workshop.chunked(threads: threads).bytes == workshop.chunked(threads: 2).bytes)
    }

    @Test(
        "old archives, long names, and what is behind the end belong to the layer", arguments: ["gnu", "ustar", "v7"])
    func readsOldForms(form: String) throws {
        let workshop = try Workshop(
            "printf a >a && mkdir d && printf b >d/b && tar --format=\(form) -b 40 -cf ../archive.tar a d")
        let said = try workshop.reading(chunked: workshop.chunked())
        #expect(said["names"]?.strings == ["a", "d/", "d/b"])
    }

    @Test("the end of the blob tells the format, and its annotations")
    func isRecognised() throws {
        let workshop = try Workshop(SampleArchive.small)
        let layer = try workshop.chunked()
        _ = try workshop.reading(chunked: layer)
        let file = SharedDescriptor(try .open(workshop.path.appending("blob")))
        let found = try #require(try LazyBlob(file, archiveSize: 0))
        #expect(found.format == .chunked)
        #expect(found.annotations == layer.blob.annotations)
    }

    @Test("a path that occurs twice is refused, as readers refuse it")
    func refusesRepetitions() throws {
        let workshop = try Workshop("printf x >a && tar -cf ../archive.tar a ./a")
        #expect(throws: LazyLayersError.self) { _ = try workshop.chunked() }
    }
}

@Suite("The pieces of files in zstd:chunked") struct ContentChunkerTests {
    private static func pieces(_ parts: [(Int, UInt8)]) -> [ContentChunker.Piece] {
        pieces(parts.flatMap { [UInt8](repeating: $0.1, count: $0.0) }, by: .max)
    }

    private static func pieces(_ bytes: [UInt8], by size: Int) -> [ContentChunker.Piece] {
        var chunker = ContentChunker()
        var start = 0
        while start < bytes.count {
            let end = start + min(size, bytes.count - start)
            chunker.update(bytes.span.extracting(start..<end))
            start = end
        }
        return chunker.finish()
    }

    /// 1 MiB of numbers that look random.
    private static let numbers: [UInt8] = {
        var value: UInt32 = 1
        return (0..<1 << 20).map { _ in
            value = value &* 1_103_515_245 &+ 12345
            return UInt8(truncatingIfNeeded: value >> 16)
        }
    }()

    @Test("runs of 1,024 zeros and more are pieces of their own")
    func holes() {
        let a = UInt8(ascii: "A")
        #expect(
            Self.pieces([(5000, a), (2000, 0), (10, a)]) == [
                .init(size: 5000), .init(size: 2000, isHole: true), .init(size: 10),
            ])
        #expect(Self.pieces([(1023, 0), (1, a)]) == [.init(size: 1024)])
        #expect(Self.pieces([(1024, 0), (1, a)]) == [.init(size: 1024, isHole: true), .init(size: 1)])
        #expect(Self.pieces([(1, a), (1024, 0)]) == [.init(size: 1), .init(size: 1024, isHole: true)])
        #expect(Self.pieces([(4096, 0)]) == [.init(size: 4096, isHole: true)])
        #expect(Self.pieces([]) == [])
    }

    @Test(
        "a rolling sum cuts where that of containers/storage does, however the content comes",
        arguments: [Int.max, 1, 777])
    func cuts(size: Int) {
        let pieces = Self.pieces(Self.numbers, by: size)
        #expect(pieces.count == 24)
        #expect(pieces.prefix(6).map(\.size) == [49253, 65256, 41131, 11963, 77785, 18138])
        #expect(pieces.last?.size == 130150)
        #expect(pieces.allSatisfy { !$0.isHole })
    }
}

@Suite("Sums and texts of tar-split") struct TarSplitTests {
    @Test(
        "the checksum is that of Go's crc64.ISO", arguments: [("hi\n", "YUmYEAAAAAA="), ("123456789", "uQlWx3WkEAE=")])
    func checksum(text: String, base64: String) {
        let sum = SplitChecksum.update(0, Array(text.utf8).span)
        #expect(Base64.text(Array(sum.littleEndianBytes.reversed())) == base64)
    }

    @Test(
        "base64 has its padding",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("fooba", "Zm9vYmE=")])
    func base64(text: String, expected: String) {
        #expect(Base64.text(Array(text.utf8)) == expected)
    }
}

@Suite("Files to prefetch") struct PrefetchPlanTests {
    private static func file(_ path: PathBytes, _ kind: LayerEntry.Kind = .regular) -> LayerEntry {
        LayerEntry(path: path, kind: kind)
    }

    @Test("each file is taken from the layer that has it in the image")
    func finds() throws {
        let plan = try PrefetchPlan(
            ["a", "d/b"], in: [[Self.file("a"), Self.file("d/b")], [Self.file("a")], []])
        #expect(plan.paths == [["d/b"], ["a"], []])
    }

    @Test(
        "a file that is not there is refused by name",
        arguments: [
            [], [file("x")], [file("a", .whiteout)],
        ])
    func refuses(top: [LayerEntry]) {
        let bottom = top.isEmpty ? [] : [Self.file("b")]
        let error = #expect(throws: LazyLayersError.self) { _ = try PrefetchPlan(["a"], in: [bottom, top]) }
        #expect(error?.message.contains("'/a'") == true)
    }

    @Test(
        "a directory that was removed or emptied takes its files along", arguments: [LayerEntry.Kind.whiteout, .opaque])
    func hides(kind: LayerEntry.Kind) {
        #expect(throws: LazyLayersError.self) {
            _ = try PrefetchPlan(["d/e/f"], in: [[Self.file("d/e/f")], [Self.file("d", kind)]])
        }
    }

    @Test("a list has one path a line, however it is spelled")
    func parses() {
        let text = "/usr/bin/app\n\n  ./etc/conf \r\nvar//lib/\n"
        #expect(PrefetchPlan.paths(parsing: Array(text.utf8)) == ["usr/bin/app", "etc/conf", "var/lib"])
    }
}
