import Diagnostics
import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing

/// Layers whose blobs are in memory.
struct MemoryContents: LayerContents {
    let blobs: [[UInt8]?]

    func directory(of layer: Int) throws -> FilePath? { nil }

    func blob(of layer: Int) throws -> (any ByteStream)? {
        blobs[layer].map { PrefixedStream($0[...], EmptyStream()) }
    }
}

private final class EmptyStream: ByteStream {
    func read(into buffer: inout [UInt8]) throws -> Int { 0 }
}

/// Collects what is written.
private final class Collected { var bytes: [UInt8] = [] }

/// With `listing`, the lists of files are read from the archives, in which a path may occur twice.
func makeImage(
    _ layers: [[(LayerEntry, String)]], compression: Compression = .gzip, listing: Bool = false
) throws -> InspectedImage {
    var config = ImageConfig(platform: .host)
    var inputs: [AnalyzedLayerInput] = []
    var blobs: [[UInt8]] = []
    for files in layers {
        let collected = Collected()
        var writer = try LayerWriter(CompressionOptions(compression)) { bytes in
            for index in bytes.indices { collected.bytes.append(bytes[index]) }
        }
        for (entry, content) in files {
            if entry.kind == .regular {
                try writer.add(entry, content: Array(content.utf8).span)
            } else {
                try writer.add(entry)
            }
        }
        let written = try writer.finish()
        config.diffIDs.append(written.diffID)
        let list =
            listing
            ? try LayerReader.readFileList(from: PrefixedStream(collected.bytes[...], EmptyStream())).fileList
            : try written.files.decoded()
        inputs.append(AnalyzedLayerInput(diffID: written.diffID, fileList: list))
        blobs.append(collected.bytes)
    }
    return InspectedImage(config: config, layers: inputs, contents: MemoryContents(blobs: blobs))
}

private func file(_ path: PathBytes, _ content: String, mode: UInt32 = 0o644) -> (LayerEntry, String) {
    (LayerEntry(path: path, kind: .regular, permissions: mode, modified: FileTime(seconds: 1000)), content)
}

private func directory(_ path: PathBytes, mode: UInt32 = 0o755) -> (LayerEntry, String) {
    (LayerEntry(path: path, kind: .directory, permissions: mode, modified: FileTime(seconds: 2000)), "")
}

private func link(_ path: PathBytes, to target: PathBytes, _ kind: LayerEntry.Kind = .symlink) -> (LayerEntry, String) {
    (LayerEntry(path: path, kind: kind, permissions: 0o777, linkTarget: target), "")
}

@Suite final class ContentTests {
    private let parent: Directory
    private let name: PathBytes
    private let target: FilePath

    init() throws {
        let folder: FilePath = (try? Directory(opening: "/dev/shm")) != nil ? "/dev/shm" : "/tmp"
        parent = try Directory(opening: folder)
        name = PathBytes("inspector-test-\(UInt64.random(in: 0...UInt64.max))")
        try parent.makeDirectory(name, permissions: 0o700)
        target = folder.appending(name.text).appending("out")
    }

    deinit { try? parent.removeTree(name) }

    private func image(_ compression: Compression = .gzip) throws -> InspectedImage {
        try makeImage(
            [
                [
                    directory("bin", mode: 0o700), file("bin/tool", "program", mode: 0o4755),
                    link("bin/tool2", to: "bin/tool", .hardLink), directory("etc"), file("etc/a", "first"),
                    file("etc/b", "below"), link("etc/link", to: "../bin/tool"), link("lib", to: "/bin"),
                    link("loop", to: "loop"),
                    (LayerEntry(path: "null", kind: .characterDevice, deviceMajor: 1, deviceMinor: 3), ""),
                ],
                [
                    directory("etc"), file("etc/a", "second"), link("etc/c", to: "etc/b", .hardLink),
                    (LayerEntry(path: "etc/link", kind: .whiteout), ""),
                ],
            ], compression: compression)
    }

    /// An archive may name a file twice; a hard link keeps what had the name when it was made.
    @Test(arguments: ["other!", "longer than before"]) func aFileIsReadWhoseFirstNameIsTakenAway(_ later: String) throws
    {
        let members = [file("a", "before"), link("b", to: "a", .hardLink), file("a", later)]
        let image = try makeImage([members], listing: true)
        #expect(try text(image, "b", .after(0)) == "before")
        let node = try #require(image.tree.node(at: "b"))
        let summary = try FileExtraction.extract(
            node, of: ScopedFiles(image.tree, .after(0)), from: image, into: target)
        #expect(summary.files == 1 && summary.bytes == 6)
        #expect(try Directory(opening: target).open("b").readAll(limit: 100) == Array("before".utf8))
    }

    private func text(_ image: InspectedImage, _ path: PathBytes, _ scope: FileScope = .after(1)) throws -> String? {
        let files = ScopedFiles(image.tree, scope)
        let node = try files.node(at: path, followsLast: true)
        guard let file = files.file(at: node), let place = image.place(of: file) else { return nil }
        return String(decoding: try image.beginning(of: place, limit: 100), as: UTF8.self)
    }

    @Test(
        arguments: [
            ("etc/a", FileScope.after(1), "second"), ("/etc/a", .after(0), "first"), ("etc/a", .only(0), "first"),
            ("bin/tool2", .after(1), "program"), ("lib/tool", .after(1), "program"), ("etc/c", .after(1), "below"),
            ("etc/link", .after(0), "program"), ("./etc/../etc//a", .after(1), "second"),
            ("../../etc/a", .after(1), "second"),
            ("etc/c", .only(1), "below"), ("etc", .after(1), nil), ("null", .after(1), nil),
        ] as [(String, FileScope, String?)])
    func filesAreReadFromTheLayerThatHasThem(_ path: String, _ scope: FileScope, _ expected: String?) throws {
        for compression in [Compression.none, .gzip, .zstd] {
            #expect(try text(image(compression), PathBytes(path), scope) == expected)
        }
    }

    @Test(arguments: [
        ("nothing", FileScope.after(1), "the image has no file '/nothing'"),
        ("/etc/link", .after(1), "the image has no file '/etc/link'"),
        ("lib/x", .after(1), "the image has no file '/lib/x', which leads to '/bin/x'"),
        ("etc/b", .only(1), "layer 2 has no file '/etc/b'"),
        ("loop", .after(1), "'/loop' leads through too many symbolic links"),
        ("etc/a/b", .after(1), "the image has no file '/etc/a/b'"),
    ])
    func missingFilesAreNamed(_ path: String, _ scope: FileScope, _ message: String) throws {
        let image = try image()
        let error = #expect(throws: InspectorError.self) { try self.text(image, PathBytes(path), scope) }
        #expect(error?.message == message && error?.code == .noSuchFile)
    }

    @Test func onlyTheBeginningIsRead() throws {
        let image = try makeImage([[file("a", String(repeating: "x", count: 1_000_000))]])
        let found = try #require(image.tree.file(at: 1, after: 0))
        let place = try #require(image.place(of: found))
        #expect(try image.beginning(of: place, limit: 3) == Array("xxx".utf8))
        #expect(try image.beginning(of: place, limit: 0) == [])
    }

    @Test func aLayerThatIsNotThereIsAFailure() throws {
        let image = try image()
        let lost = InspectedImage(
            config: image.config,
            layers: image.tree.lists.map { AnalyzedLayerInput(diffID: .empty, files: $0) },
            contents: MemoryContents(blobs: [nil, nil]))
        let error = #expect(throws: InspectorError.self) { try self.text(lost, "etc/a") }
        #expect(error?.code == .missingContent)
        let other = try makeImage([[directory("etc"), file("etc/a", "FIRST")]])
        let changed = InspectedImage(
            config: image.config, layers: [AnalyzedLayerInput(diffID: .empty, files: image.tree.lists[0])],
            contents: other.contents)
        let mismatch = #expect(throws: InspectorError.self) { try self.text(changed, "etc/a", .after(0)) }
        #expect(mismatch?.code == .missingContent)
    }

    @Test func layersHaveNumbersAndDigests() throws {
        let image = try image()
        #expect(try image.layer(named: "1") == 0)
        #expect(try image.layer(named: "2") == 1)
        let digest = image.analysis.layers[1].diffID.description
        #expect(try image.layer(named: digest) == 1)
        #expect(try image.layer(named: String(digest.dropFirst(7).prefix(12))) == 1)
        for name in ["0", "3", "", "-1", "zz", "sha256:"] {
            #expect(throws: InspectorError.self) { try image.layer(named: name) }
        }
    }

    // MARK: Extraction

    private func extract(
        _ path: PathBytes, _ image: InspectedImage, _ scope: FileScope = .after(1)
    ) throws -> FileExtraction.Summary {
        let files = ScopedFiles(image.tree, scope)
        return try FileExtraction.extract(
            try files.node(at: path, followsLast: false), of: files, from: image, into: target)
    }

    private func read(_ path: PathBytes) throws -> String {
        String(decoding: try Directory(opening: target).open(path).readAll(limit: 1000), as: UTF8.self)
    }

    @Test func aWholeImageIsExtracted() throws {
        let summary = try extract("", image())
        #expect(summary.files == 7 && summary.bytes == 18 && summary.skipped == 1)
        #expect(try read("etc/a") == "second")
        #expect(try read("etc/c") == "below")
        let root = try Directory(opening: target)
        #expect(try root.linkTarget("lib") == "/bin")
        let tool = try root.directory("bin").status("tool")
        #expect(tool.permissions == 0o755 && tool.modified.seconds == 1000 && tool.links == 2)
        #expect(try root.status("bin").permissions == 0o700)
        #expect(try root.status("etc").modified.seconds == 2000)
        #expect(try root.names() == ["bin", "etc", "lib", "loop"])
    }

    @Test func aPartIsExtractedUnderItsName() throws {
        _ = try extract("etc", image())
        #expect(try Directory(opening: target).directory("etc").names() == ["a", "b", "c"])
        _ = try extract("bin/tool", image())
        #expect(try read("tool") == "program")
        _ = try extract("bin/tool2", image(), .only(0))
        #expect(try read("tool2") == "program")
    }

    @Test func nothingIsReplaced() throws {
        _ = try extract("bin/tool", image())
        let error = #expect(throws: InspectorError.self) { try self.extract("bin/tool", self.image()) }
        #expect(error?.code == .exists)
        #expect(throws: InspectorError.self) { try self.extract("", self.image()) }
        #expect(try Directory(opening: target).names() == ["tool"])
    }

    @Test func nothingIsWrittenThroughLinks() throws {
        try parent.directory(name).makeDirectory("outside", permissions: 0o700)
        // The tree has a file below a link, as when a layer writes through a link of one below it.
        let image = try makeImage([[link("x", to: "../outside")], [file("x/evil", "evil")]])
        _ = try extract("", image)
        #expect(try parent.directory(name).directory("outside").names() == [])
        #expect(try Directory(opening: target).linkTarget("x") == "../outside")
        // A name in the target that is a link to somewhere else is taken.
        try Directory(opening: target).makeSymlink("y", to: "../outside")
        let other = try makeImage([[directory("y"), file("y/evil", "evil")]])
        #expect(throws: InspectorError.self) { try self.extract("y", other, .after(0)) }
        #expect(try parent.directory(name).directory("outside").names() == [])
    }
}
