import Layers
import Linux
import OCI
import Testing

/// Layers that are copied with other times.
struct LayerRewriterTests {
    private static func entries(_ times: [Int64]) -> [LayerEntry] {
        [
            LayerEntry(path: "dir", kind: .directory, permissions: 0o755, modified: FileTime(seconds: times[0])),
            LayerEntry(
                path: "dir/file", kind: .regular, permissions: 0o600, owner: 7, group: 8,
                modified: FileTime(seconds: times[1], nanoseconds: times[1] > 2000 ? 5 : 0),
                attributes: [ExtendedAttribute(name: "user.a", value: [1])]),
            LayerEntry(path: "dir/gone", kind: .whiteout),
            LayerEntry(
                path: "dir/link", kind: .symlink, permissions: 0o777, modified: FileTime(seconds: times[2]),
                linkTarget: "file"),
        ]
    }

    private func write(_ entries: [LayerEntry]) throws -> (layer: WrittenLayer, bytes: [UInt8]) {
        let collector = Collector()
        var writer = try LayerWriter(CompressionOptions(.none)) { collector.append($0) }
        for entry in entries {
            if entry.kind == .regular {
                try writer.add(entry, content: Array("content\n".utf8).span)
            } else {
                try writer.add(entry)
            }
        }
        return (try writer.finish(), collector.bytes)
    }

    @Test(arguments: [
        (true, [1000, 3000, 2000], [1000, 2000, 2000]), (false, [1000, 3000, 2000], [2000, 2000, 2000]),
        (true, [1, 2, 3], [1, 2, 3]),
    ])
    func `the copy is the layer that these times would have made`(
        _ onlyYounger: Bool, _ times: [Int64], _ expected: [Int64]
    ) throws {
        let original = try write(Self.entries(times))
        var copy = LayerWriter()
        try LayerRewriter.copy(PieceStream(original.bytes, size: 700), to: &copy) { entry in
            entry.setTime(FileTime(seconds: 2000), onlyYounger: onlyYounger)
        }
        let written = try copy.finish()
        let wanted = try write(Self.entries(expected)).layer
        #expect(written.diffID == wanted.diffID)
        #expect(try written.files.decoded() == wanted.files.decoded())
        #expect((written.diffID == original.layer.diffID) == (times == expected))
    }

    @Test func `gzip has no level whose bytes depend on the processor`() throws {
        let bytes = (0..<100_000).flatMap { Array("line \($0 % 977) of \($0 % 31)\n".utf8) }
        func blob(_ level: Int) throws -> [UInt8] {
            let collector = Collector()
            var writer = try LayerWriter(CompressionOptions(.gzip, level: level)) { collector.append($0) }
            try writer.add(LayerEntry(path: "file", kind: .regular), content: bytes.span)
            _ = try writer.finish()
            return collector.bytes
        }
        // ISA-L's highest level would be smaller.
        #expect(try blob(9) == blob(6))
    }
}
