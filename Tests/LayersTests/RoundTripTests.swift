import Diagnostics
import Layers
import Linux
import OCI
import Testing

@Suite(.enabled(if: Host.isRoot, "needs root"))
struct RoundTripTests {
    private static let tree = """
        mkdir -p up/d/e up/d-x up/empty && printf hello > up/d/e/f && chmod 6755 up/d/e/f && chown 5:6 up/d/e/f
        ln up/d/e/f up/a-link && ln up/d/e/f up/z-link && ln -s ../nowhere up/d/s && chown -h 7:8 up/d/s
        ln up/d/s up/d/s2 && mkfifo up/p && mknod up/n c 1 5 && mknod up/gone c 0 0 && mknod up/d/gone c 0 0
        head -c 3000000 /dev/zero | tr '\\0' q > up/large && : > up/none && printf x > up/d-x/été
        chmod 1777 up/empty && touch -d @1234567890.5 up/d up/d/e/f up/empty && touch -h -d @5 up/d/s
        """

    private func fill(_ scratch: borrowing Scratch) throws -> Directory {
        scratch.run(Self.tree)
        let upper = try scratch.directory.directory("up")
        try upper.setExtendedAttribute("d", ExtendedAttribute(name: "trusted.overlay.opaque", value: [0x79]))
        try upper.setExtendedAttribute("d-x", ExtendedAttribute(name: "trusted.overlay.origin", value: [1, 2]))
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try upper.setExtendedAttribute("large", ExtendedAttribute(name: "security.capability", value: capability))
        try upper.setExtendedAttribute("large", ExtendedAttribute(name: "user.note", value: [0, 0xff]))
        return upper
    }

    private func write(_ upper: borrowing Directory, _ options: CompressionOptions) throws -> (WrittenLayer, [UInt8]) {
        let collector = Collector()
        var writer = try LayerWriter(options) { collector.append($0) }
        try LayerDiffer().diff(upper, into: &writer)
        return (try writer.finish(), collector.bytes)
    }

    @Test(arguments: Compression.allCases, [OverlayMarks.trusted, .user, .names])
    func `a layer survives writing, reading, unpacking and finding the changes`(
        _ compression: Compression, _ marks: OverlayMarks
    ) throws {
        let scratch = try Scratch()
        let upper = try fill(scratch)
        let (layer, bytes) = try write(upper, CompressionOptions(compression))
        #expect(layer.blob?.digest == Digest(of: bytes))

        let summary = try LayerReader.readFileList(from: PieceStream(bytes, size: 12345))
        #expect(summary.diffID == layer.diffID)
        // An archive has whole seconds.
        var wanted = try layer.files.decoded().entries
        for index in wanted.indices { wanted[index].modified = FileTime(seconds: wanted[index].modified.seconds) }
        #expect(summary.fileList.entries == wanted)
        #expect(summary.tarSize == layer.tarSize)

        let target = try scratch.makeDirectory("t")
        let applied = try LayerApplier(.overlay(marks)).apply(PieceStream(bytes), to: target)
        #expect(applied.diffID == layer.diffID)
        #expect(applied.fileList == summary.fileList)

        var writer = LayerWriter()
        try LayerDiffer(marks).diff(target, into: &writer)
        let again = try writer.finish()
        #expect(again.diffID == layer.diffID)
        #expect(try again.files.decoded() == summary.fileList)
        #expect(again.blob == nil)
    }

    @Test func `the changes are found as they are`() throws {
        let scratch = try Scratch()
        let entries = try write(try fill(scratch), CompressionOptions(.none)).0.files.decoded().entries
        #expect(
            entries.map { "\($0.kind) \($0.path)" } == [
                "regular a-link", "directory d", "opaque d", "directory d/e", "hardLink d/e/f", "whiteout d/gone",
                "symlink d/s", "hardLink d/s2", "directory d-x", "regular d-x/été", "directory empty", "whiteout gone",
                "regular large", "characterDevice n", "regular none", "fifo p", "hardLink z-link",
            ])
        let large = try #require(entries.first { $0.path == "large" })
        #expect(large.attributes.map(\.name) == ["security.capability", "user.note"])
        #expect(large.size == 3_000_000)
        #expect(entries.allSatisfy { $0.path == "large" || $0.attributes.isEmpty })
        #expect(entries.first?.contentHash != 0)
    }

    @Test func `times are clamped and paths left out on demand`() throws {
        let scratch = try Scratch()
        let upper = try fill(scratch)
        var writer = LayerWriter()
        try LayerDiffer(latestTime: 1_000_000_000, excluded: ["d", "p"]).diff(upper, into: &writer)
        let entries = try writer.finish().files.decoded().entries
        #expect(entries.allSatisfy { $0.modified <= FileTime(seconds: 1_000_000_000) })
        #expect(entries.allSatisfy { !$0.path.isWithin("d") && $0.path != "p" })
        #expect(entries.contains { $0.path == "d-x" })
    }

    @Test func `redirected directories are refused`() throws {
        let scratch = try Scratch()
        scratch.run("mkdir -p up/a")
        let upper = try scratch.directory.directory("up")
        try upper.setExtendedAttribute("a", ExtendedAttribute(name: "trusted.overlay.redirect", value: [0x62]))
        var writer = LayerWriter()
        let error = #expect(throws: LayerError.self) { try LayerDiffer().diff(upper, into: &writer) }
        #expect(error?.code == .unsupported)
    }

    @Test func `GNU tar unpacks what we write`() throws {
        let scratch = try Scratch()
        let upper = try fill(scratch)
        try scratch.write("t.tar", try write(upper, CompressionOptions(.none)).1)
        scratch.run("mkdir t && tar --numeric-owner --xattrs --xattrs-include='*' -xpf t.tar -C t")
        let list = "find . ! -name '.wh.*' ! -name gone -printf '%p %y %m %U %G %l %Ts\\n' | grep -v '^\\. ' | sort"
        #expect(try scratch.output(of: "cd t && \(list)") == (try scratch.output(of: "cd up && \(list)")))
        let names = try scratch.directory.directory("t").extendedAttributes("large").map(\.name)
        #expect(names == ["security.capability", "user.note"])
    }

    @Test func `a blob can be written to a file`() throws {
        let scratch = try Scratch()
        let upper = try fill(scratch)
        var writer = try LayerWriter(CompressionOptions(.gzip), to: try scratch.create("layer"))
        try LayerDiffer().diff(upper, into: &writer)
        let layer = try writer.finish()
        #expect(Digest(of: try scratch.read("layer")) == layer.blob?.digest)
        scratch.run("gzip -dc layer | sha256sum | grep -q \(layer.diffID.digest.hex)")
        let source = DescriptorStream(try scratch.directory.open("layer"))
        #expect(try LayerReader.readFileList(from: source).diffID == layer.diffID)
    }
}
