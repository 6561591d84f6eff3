import Diagnostics
import Layers
import Linux
import OCI
import Testing

struct CompressionTests {
    private func compress(_ bytes: [UInt8], _ options: CompressionOptions, piece: Int = 300_000) throws -> (
        blob: [UInt8], descriptor: Descriptor
    ) {
        let collector = Collector()
        var writer = try CompressedBlobWriter(options) { collector.append($0) }
        var start = 0
        while start < bytes.count {
            let end = min(start + piece, bytes.count)
            try writer.write(bytes.span.extracting(start..<end))
            start = end
        }
        let descriptor = try writer.finish(uncompressed: Digest(of: bytes))
        return (collector.bytes, descriptor)
    }

    private func decompress(_ bytes: [UInt8], piece: Int = .max) throws -> [UInt8] {
        let stream = try DecompressedStream(PieceStream(bytes, size: piece))
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 70_000)
        while true {
            let count = try stream.read(into: &buffer)
            if count == 0 { return all }
            all += buffer[..<count]
        }
    }

    @Test(arguments: [Compression.gzip, .zstd], [0, 1, 512, 1 << 20, (5 << 20) + 7])
    func `what is compressed can be read again`(_ compression: Compression, _ size: Int) throws {
        let bytes = noise(size)
        let (blob, descriptor) = try compress(bytes, CompressionOptions(compression))
        #expect(descriptor.digest == Digest(of: blob))
        #expect(descriptor.size == Int64(blob.count))
        #expect(descriptor.mediaType == .ociLayer(compression))
        #expect(try decompress(blob) == bytes)
        #expect(try decompress(blob, piece: 4093) == bytes)
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func `threads and pieces do not show`(_ compression: Compression) throws {
        let bytes = noise(9 << 20)
        let one = try compress(bytes, CompressionOptions(compression, threads: 1)).blob
        #expect(one.count < bytes.count)
        for threads in [2, 3, 8] {
            #expect(try compress(bytes, CompressionOptions(compression, threads: threads), piece: 77_777).blob == one)
        }
    }

    @Test func `higher levels are smaller`() throws {
        let bytes = (0..<200_000).flatMap { Array("line \($0 % 977) of \($0 % 31)\n".utf8) }
        let gzip = try [0, 1, 5, 9].map { try compress(bytes, CompressionOptions(.gzip, level: $0)).blob.count }
        #expect(gzip[0] > gzip[1] && gzip[1] >= gzip[3])
        let zstd = try [1, 19].map { try compress(bytes, CompressionOptions(.zstd, level: $0)).blob.count }
        #expect(zstd[0] > zstd[1])
    }

    @Test(arguments: [0, 1, 5, 9])
    func `other programs read gzip`(_ level: Int) throws {
        let scratch = try Scratch()
        let bytes = noise(3_333_333)
        try scratch.write("plain", bytes)
        try scratch.write("f.gz", try compress(bytes, CompressionOptions(.gzip, level: level)).blob)
        scratch.run("gzip -t f.gz && gzip -dc f.gz | cmp - plain")
        guard Host.hasPython else { return }
        scratch.run("python3 -c 'import gzip; assert gzip.open(\"f.gz\").read() == open(\"plain\", \"rb\").read()'")
    }

    @Test(.enabled(if: shell("zstd --version >/dev/null 2>&1") == 0, "needs zstd"))
    func `other programs read zstd`() throws {
        let scratch = try Scratch()
        let bytes = noise(9_333_333)
        try scratch.write("plain", bytes)
        try scratch.write("f.zst", try compress(bytes, CompressionOptions(.zstd)).blob)
        scratch.run("zstd -q -t f.zst && zstd -q -dc f.zst | cmp - plain")
    }

    @Test func `the gzip header tells nothing`() throws {
        let blob = try compress([1], CompressionOptions(.gzip)).blob
        #expect(Array(blob[..<10]) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
    }

    @Test(
        arguments: [
            ("gzip", StreamFormat.gzip), ("bzip2", .bzip2), ("xz", .xz), ("zstd -q", .zstd), ("cat", .plain),
            ("gzip -9n | cat - two.gz", .gzip), ("bzip2 | cat - two.bz2", .bzip2), ("xz | cat - two.xz", .xz),
            ("zstd -q | cat - two.zst", .zstd),
        ], [1, 1000, 1 << 20])
    func `all formats are recognised`(_ packing: (command: String, format: StreamFormat), _ piece: Int) throws {
        let (command, format) = packing
        let scratch = try Scratch()
        let bytes = noise(300_000)
        try scratch.write("plain", bytes)
        for (program, suffix) in [("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd -q", "zst")] {
            scratch.run("printf tail | \(program) > two.\(suffix)")
        }
        scratch.run("cat plain | \(command) > packed")
        let packed = try scratch.read("packed")
        #expect(try DecompressedStream(PieceStream(packed)).format == format)
        let isTwo = command.contains("two")
        #expect(try decompress(packed, piece: piece) == bytes + Array((isTwo ? "tail" : "").utf8))
    }

    @Test(arguments: ["gzip", "bzip2", "xz", "zstd -q"])
    func `what is cut off or damaged is an error`(_ command: String) throws {
        let scratch = try Scratch()
        try scratch.write("plain", noise(300_000))
        scratch.run("\(command) < plain > packed")
        let packed = try scratch.read("packed")
        for end in [12, packed.count / 2, packed.count - 1] {
            #expect(throws: LayerError.self, "\(end)") { try decompress(Array(packed[..<end])) }
        }
        var damaged = packed
        damaged[packed.count / 2] ^= 0x55
        #expect(throws: LayerError.self) { try decompress(damaged) }
    }

    @Test func `a stream of xz that needs much memory is refused`() throws {
        // One byte with a dictionary of 512 MiB.
        let packed: [UInt8] = [
            253, 55, 122, 88, 90, 0, 0, 1, 105, 34, 222, 54, 2, 0, 33, 1, 34, 0, 0, 0, 130, 64, 172, 220, 1, 0, 0, 120,
            0, 0, 0, 0, 131, 22, 220, 140, 0, 1, 21, 1, 169, 99, 52, 96, 144, 66, 153, 13, 1, 0, 0, 0, 0, 1, 89, 90,
        ]
        let error = #expect(throws: LayerError.self) { try decompress(packed) }
        #expect(error?.message == "the layer's xz stream needs more than 256 MiB of memory")
    }

    @Test(arguments: ["bzip2", "xz"])
    func `zeros may follow bzip2 and xz, but nothing else`(_ command: String) throws {
        let scratch = try Scratch()
        try scratch.write("plain", [1, 2, 3])
        scratch.run("\(command) < plain > packed")
        let packed = try scratch.read("packed")
        #expect(try decompress(packed + [UInt8](repeating: 0, count: 1024)) == [1, 2, 3])
        #expect(throws: LayerError.self) { try decompress(packed + Array("junk".utf8)) }
    }

    @Test func `zeros may follow gzip but nothing else`() throws {
        let blob = try compress([1, 2, 3], CompressionOptions(.gzip)).blob
        #expect(try decompress(blob + [UInt8](repeating: 0, count: 1000)) == [1, 2, 3])
        #expect(throws: LayerError.self) { try decompress(blob + Array("junk".utf8)) }
    }
}
