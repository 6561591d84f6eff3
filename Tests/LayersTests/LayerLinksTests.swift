import Diagnostics
import Linux
import OCI
import Testing

@testable import Layers

/// Layers that write through links of their own, and over what they have written.
@Suite struct LayerLinksTests {
    private static func directory(_ path: PathBytes) -> LayerEntry {
        LayerEntry(path: path, kind: .directory, permissions: 0o755)
    }

    private static func file(_ path: PathBytes) -> LayerEntry {
        LayerEntry(path: path, kind: .regular, permissions: 0o644)
    }

    private static func link(_ path: PathBytes, _ target: PathBytes) -> LayerEntry {
        LayerEntry(path: path, kind: .symlink, permissions: 0o777, linkTarget: target)
    }

    /// The members of the archive, and the paths they unpack to.
    static let cases: [(entries: [LayerEntry], paths: [String])] = [
        ([directory("dir"), link("link", "dir"), file("link/file")], ["dir", "dir/file", "link"]),
        ([link("link", "new"), file("link/file")], ["link", "new", "new/file"]),
        (
            [directory("a"), directory("a/b"), link("a/l", "../a/./b"), directory("a/l/c"), file("a/l/c/f")],
            ["a", "a/b", "a/b/c", "a/b/c/f", "a/l"]
        ),
        (
            [directory("dir"), link("one", "/two"), link("two", "/../dir"), file("one/file")],
            ["dir", "dir/file", "one", "two"]
        ),
        (
            [
                directory("dir"), link("link", "dir"), file("link/f"),
                LayerEntry(path: "hard", kind: .hardLink, linkTarget: "link/f"),
            ], ["dir", "dir/f", "hard", "link"]
        ),
        // What comes later counts, and what it replaces is gone.
        ([directory("old"), file("old/gone"), link("old", "dir"), file("old/kept")], ["dir", "dir/kept", "old"]),
        (
            [link("link", "dir"), file("link/f"), directory("link"), file("link/g")],
            ["dir", "dir/f", "link", "link/g"]
        ),
        ([directory("d"), file("d/gone"), file("d")], ["d"]),
        // The same where no entry names the directory.
        ([file("d/gone"), file("d")], ["d"]), ([file("d/e/gone"), link("d", "x")], ["d"]),
        ([file("a/b/gone"), file("a/b"), file("c")], ["a", "a/b", "c"]),
        ([file("f"), directory("f"), file("f/in")], ["f", "f/in"]),
    ]

    /// Archives in the order of a walk take a shorter way, which ends where an entry is out of order.
    @Test(arguments: 0..<300) func theOrderOfAnArchiveDoesNotMatter(_ seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var entries: [LayerEntry] = []
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let names = ["a", "b", "c", "a-"]
            let path = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                names[Int.random(in: 0..<names.count, using: &random)]
            }.joined(separator: "/")
            let kinds: [LayerEntry.Kind] = [.regular, .directory, .directory, .symlink, .hardLink, .whiteout, .opaque]
            let kind = kinds.randomElement(using: &random) ?? .fifo
            let target = kind == .hardLink ? entries.randomElement(using: &random)?.path ?? "b" : PathBytes("b")
            let isLink = kind == .symlink || kind == .hardLink
            entries.append(LayerEntry(path: PathBytes(path), kind: kind, linkTarget: isLink ? target : ""))
        }
        entries.sort { $0.precedes($1) }
        func list(_ entries: [LayerEntry]) -> [LayerEntry]? {
            var links = LayerLinks()
            do {
                for entry in entries { try links.add(entry) }
                return FileList(try links.finish(), tarSize: 0).entries
            } catch {
                return nil
            }
        }
        // A name that comes last of all, in front.
        let other = list([Self.file("z")] + entries)?.filter { $0.path != "z" }
        #expect(list(entries) == other)
    }

    /// Without the privilege to make devices, hard links to them are not made either; the list has both.
    @Test func hardLinksToDevicesThatAreNotMade() throws {
        let device = LayerEntry(
            path: "d/null", kind: .characterDevice, permissions: 0o600, deviceMajor: 1, deviceMinor: 3)
        let (bytes, _) = try tar([
            Self.directory("d"), device, Self.file("h"), LayerEntry(path: "h", kind: .hardLink, linkTarget: "d/null"),
            LayerEntry(path: "i", kind: .hardLink, linkTarget: "h"), Self.file("kept"),
        ])
        let scratch = try Scratch()
        var applier = LayerApplier(.plain)
        applier.makesDevices = false
        let list = try applier.apply(PieceStream(bytes), to: try scratch.makeDirectory("target")).fileList
        #expect(try scratch.output(of: "cd target && find . -mindepth 1 | sort") == "./d\n./kept\n")
        #expect(Set(list.entries.map(\.path.text)) == ["d", "d/null", "h", "i", "kept"])
    }

    @Test(arguments: cases.indices) func listSaysWhereFilesAre(_ number: Int) throws {
        let (entries, paths) = Self.cases[number]
        let (bytes, _) = try tar(entries)
        let list = try LayerReader.readFileList(from: PieceStream(bytes)).fileList
        let scratch = try Scratch()
        let target = try scratch.makeDirectory("target")
        let applied = try LayerApplier(.plain).apply(PieceStream(bytes), to: target).fileList
        let found = try scratch.output(of: "cd target && find . -mindepth 1 | sort").split(separator: "\n")
        #expect(found.map { String($0.dropFirst(2)) } == paths)
        // Directories on the way need not be in a list.
        let implied = Set(paths).subtracting(entries.map(\.path.text))
        #expect(Set(list.entries.map(\.path.text)).union(implied) == Set(paths))
        #expect(applied.entries.map(\.path) == list.entries.map(\.path))
        #expect(applied.entries.map(\.linkTarget) == list.entries.map(\.linkTarget))
    }

    private static func hardLink(_ path: PathBytes, _ target: PathBytes) -> LayerEntry {
        LayerEntry(path: path, kind: .hardLink, linkTarget: target)
    }

    /// The members of an archive whose files hold their own number, and what the names hold in the end: equal words are
    /// names of one file.
    static let replacements: [(entries: [LayerEntry], files: [String: String])] = [
        ([file("t"), hardLink("h", "t"), file("t")], ["h": "0", "t": "2"]),
        ([file("t"), hardLink("h", "t"), hardLink("i", "t"), file("t")], ["h": "0", "i": "0", "t": "3"]),
        ([file("t"), hardLink("h", "t"), directory("t")], ["h": "0"]),
        ([file("t"), hardLink("h", "t"), link("t", "h")], ["h": "0"]),
        ([file("d/t"), hardLink("h", "d/t"), file("d")], ["h": "0", "d": "2"]),
        ([file("t"), hardLink("h", "t"), hardLink("i", "h"), file("h")], ["h": "3", "i": "0", "t": "0"]),
        ([file("t"), hardLink("h", "t"), file("t"), hardLink("i", "t")], ["h": "0", "t": "2", "i": "2"]),
        ([file("t"), hardLink("h", "t"), file("h")], ["h": "2", "t": "0"]),
        ([file("t"), hardLink("h", "t"), file("t"), file("h")], ["h": "3", "t": "2"]),
        ([file("t"), file("u"), hardLink("h", "t"), hardLink("h", "u"), file("t")], ["h": "1", "u": "1", "t": "4"]),
    ]

    @Test(arguments: replacements.indices) func `a file that is replaced leaves its hard links alone`(
        _ number: Int
    ) throws {
        let (entries, files) = Self.replacements[number]
        let collector = Collector()
        var writer = try LayerWriter(CompressionOptions(.none)) { collector.append($0) }
        for (index, entry) in entries.enumerated() {
            if entry.kind == .regular {
                try writer.add(entry, content: Array("\(index)".utf8).span)
            } else {
                try writer.add(entry)
            }
        }
        _ = try writer.finish()
        let list = try LayerReader.readFileList(from: PieceStream(collector.bytes)).fileList
        let scratch = try Scratch()
        let target = try scratch.makeDirectory("target")
        let applied = try LayerApplier(.plain).apply(PieceStream(collector.bytes), to: target).fileList
        #expect(applied == list)
        // What the list says is what the disk has, links included.
        for (name, content) in files {
            let path = PathBytes(name)
            #expect(try scratch.text(PathBytes("target").appending(path)) == content, "\(name)")
            let entry = try #require(list[path])
            let origin = entry.kind == .hardLink ? try #require(list[entry.linkTarget]) : entry
            #expect(origin.kind == .regular && origin.size == 1)
            #expect(origin.contentHash == ContentHash.update(0, Array(content.utf8).span), "\(name)")
            let first = try target.status(path).inode
            let second = try target.status(origin.path).inode
            #expect(first == second, "\(name)")
        }
        #expect(list.entries.count { $0.kind == .regular || $0.kind == .hardLink } == files.count)
    }

    /// Each replacement of a directory would look at all entries again.
    @Test func `a directory that is replaced many times costs no more each time`() throws {
        var links = LayerLinks()
        for number in 0..<60_000 { try links.add(Self.file(PathBytes("f/\(number)"))) }
        for _ in 0..<20_000 {
            try links.add(Self.file("d/x"))
            try links.add(Self.file("d"))
        }
        #expect(try links.finish().count == 60_001)
    }

    @Test func marksFollowLinks() throws {
        let (bytes, _) = try tar([
            Self.link("link", "dir"), LayerEntry(path: "link/gone", kind: .whiteout),
            LayerEntry(path: "link/sub", kind: .opaque),
        ])
        let list = try LayerReader.readFileList(from: PieceStream(bytes)).fileList
        #expect(list.entries.filter(\.isMark).map(\.path) == ["dir/gone", "dir/sub"])
    }

    @Test func circleIsRefused() throws {
        let (bytes, _) = try tar([Self.link("a", "b"), Self.link("b", "a"), Self.file("a/f")])
        let error = #expect(throws: LayerError.self) { try LayerReader.readFileList(from: PieceStream(bytes)) }
        #expect(error?.code == .unsafePath)
    }

    @Test(arguments: [".wh.foo", ".wh.", ".wh..wh..opq", ".wh..wh.plnk"])
    func namesOfMarksAreRefused(_ name: String) throws {
        for entry in [Self.file, Self.directory] {
            let error = #expect(throws: LayerError.self) { try tar([entry(PathBytes("dir/\(name)"))]) }
            #expect(error?.code == .reservedName)
        }
        #expect(try tar([Self.file("dir/x.wh.foo"), Self.file("dir/.wh")]).layer.files.decoded().entries.count == 2)
    }

    /// More than any disk has.
    @Test(.enabled(if: Host.hasPython, "needs python3")) func whatDoesNotFitIsNotBegun() throws {
        let scratch = try Scratch()
        let target = try scratch.makeDirectory("target")
        let bytes = try archive("sparse-huge")
        var failure: LinuxError?
        do { _ = try LayerApplier(.plain).apply(PieceStream(bytes), to: target) } catch let error as LinuxError {
            failure = error
        }
        let error = failure
        #expect(error?.code == .noSpace)
        #expect(error?.message.hasPrefix("cannot unpack '/big': there is too little space: 1048576 MiB") == true)
        #expect(try scratch.output(of: "stat -c %s target/big") == "0\n")
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
