import Diagnostics
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@Suite(.enabled(if: Host.hasPython && Host.isRoot, "needs python3 and root"))
struct LayerApplierTests {
    /// Unpacks to `t` below the scratch directory.
    private func apply(
        _ name: String, in scratch: borrowing Scratch, _ form: LayerApplier.Form = .overlay(.trusted),
        _ configure: (inout LayerApplier) -> Void = { _ in }
    ) throws -> LayerSummary {
        var applier = LayerApplier(form)
        configure(&applier)
        if try scratch.directory.statusIfExists("t") == nil { _ = try scratch.makeDirectory("t") }
        return try applier.apply(PieceStream(try archive(name)), to: try scratch.directory.directory("t"))
    }

    @Test(arguments: ["symlink-write", "symlink-up"], [LayerApplier.Form.overlay(.trusted), .plain])
    func `nothing is written outside`(_ name: String, _ form: LayerApplier.Form) throws {
        let scratch = try Scratch()
        let summary = try apply(name, in: scratch, form)
        // The link leads to the root of the layer, or to a directory below it, and is not replaced.
        let place: PathBytes = name == "symlink-write" ? "outside/file" : "file"
        #expect(try scratch.text(PathBytes("t").appending(place)) == "x")
        #expect(summary.fileList[place]?.size == 1)
        #expect(try scratch.directory.directory("t").status("out").type == .symlink)
        #expect(shell("test -e /outside || test -e /file") != 0)
    }

    @Test(arguments: [
        ("symlink-loop", LayerCode.unsafePath), ("file-as-parent", .damaged), ("hardlink-out", .damaged),
        ("dotdot", .unsafePath),
    ])
    func `tricks are refused`(_ name: String, _ code: LayerCode) throws {
        let scratch = try Scratch()
        let error = #expect(throws: LayerError.self) { try apply(name, in: scratch) }
        #expect(error?.code == code)
    }

    @Test func `a file replaces a link and is not written through it`() throws {
        let scratch = try Scratch()
        _ = try apply("symlink-over", in: scratch)
        #expect(try scratch.directory.directory("t").status("f").type == .regular)
        #expect(shell("test -e /outside") != 0)
    }

    @Test func `parents that the layer lacks are those of the layers below`() throws {
        let scratch = try Scratch()
        _ = try apply("implied", in: scratch) {
            $0.missingParent = { path in
                path == "usr/share"
                    ? LayerEntry(
                        path: path, kind: .directory, permissions: 0o2750, owner: 7, group: 8,
                        modified: FileTime(seconds: 99)) : nil
            }
        }
        #expect(
            try scratch.output(of: "stat -c '%n %a %u %g %Y' t/usr t/usr/share t/usr/share/doc t/usr/share/doc/x")
                == """
                t/usr 755 0 0 0
                t/usr/share 2750 7 8 99
                t/usr/share/doc 755 0 0 0
                t/usr/share/doc/x 600 5 6 0

                """)
    }

    /// An overlay shows the directory and nothing of what the link led to.
    @Test(arguments: [LayerApplier.Form.overlay(.trusted), .plain])
    func `links of the layers below are hidden by what lies below their names`(_ form: LayerApplier.Form) throws {
        let scratch = try Scratch()
        scratch.run("mkdir -p t/usr/lib && touch t/usr/lib/y")
        if form == .plain { scratch.run("ln -s usr/lib t/lib") }
        let summary = try apply("through-lower-link", in: scratch, form) {
            $0.missingParent = { path in
                path == "lib" ? LayerEntry(path: path, kind: .symlink, linkTarget: "/usr/lib") : nil
            }
        }
        #expect(try scratch.output(of: "cd t; find . | sort") == ".\n./lib\n./lib/x\n./usr\n./usr/lib\n./usr/lib/y\n")
        #expect(try scratch.output(of: "stat -c '%F %a %u' t/lib") == "directory 755 0\n")
        #expect(summary.fileList.entries.map(\.path) == ["lib/x"])
    }

    @Test(arguments: [LayerApplier.Form.overlay(.trusted), .plain])
    func `a mark below a link of a lower layer hides the link`(_ form: LayerApplier.Form) throws {
        let scratch = try Scratch()
        scratch.run("mkdir -p t/usr/lib && touch t/usr/lib/y")
        if form == .plain { scratch.run("ln -s usr/lib t/lib") }
        _ = try LayerApplier(form).apply(
            PieceStream(try tar([LayerEntry(path: "lib/y", kind: .whiteout)]).bytes),
            to: try scratch.directory.directory("t"))
        #expect(try scratch.output(of: "stat -c %F t/lib t/usr/lib/y") == "directory\nregular empty file\n")
    }

    @Test(arguments: ["itself", "itself-by-link", "directory-link", "link-before-file"])
    func `hard links that no file stands behind are refused`(_ name: String) throws {
        let scratch = try Scratch()
        let error = #expect(throws: LayerError.self) {
            try LayerReader.readFileList(from: PieceStream(try archive(name)))
        }
        #expect(error?.code == .damaged)
        #expect(throws: (any Error).self) { try apply(name, in: scratch, .plain) }
    }

    @Test func `hard links to files below are copies that share`() throws {
        let scratch = try Scratch()
        scratch.run("printf below > below && chown 3:4 below && chmod 4711 below && touch -d @77 below")
        let path = scratch.path
        _ = try apply("link-below", in: scratch) {
            $0.missingLinkSource = { name in
                name == "lower/f" ? try OwnedDescriptor.open(FilePath("\(path)/below")) : nil
            }
        }
        #expect(try scratch.text("t/h1") == "below")
        #expect(
            try scratch.output(of: "stat -c '%a %u %g %Y %h' t/h1; test t/h1 -ef t/h2 && echo same") == """
                4711 3 4 77 2
                same

                """)
    }

    @Test func `hard links to symbolic links below are symbolic links`() throws {
        let scratch = try Scratch()
        _ = try apply("link-below", in: scratch) {
            $0.missingLinkEntry = { name in
                name == "lower/f"
                    ? LayerEntry(path: name, kind: .symlink, permissions: 0o777, linkTarget: "elsewhere") : nil
            }
        }
        #expect(try scratch.output(of: "readlink t/h1; test t/h1 -ef t/h2 || ls t") == "elsewhere\nh1\nh2\n")
    }

    @Test func `whiteouts become what overlayfs reads`() throws {
        let scratch = try Scratch()
        let summary = try apply("whiteouts", in: scratch)
        #expect(
            try scratch.output(of: "cd t; find . -mindepth 1 | sort; stat -c '%F %t %T' b a/gone") == """
                ./a
                ./a/gone
                ./a/kept
                ./b
                character special file 0 0
                character special file 0 0

                """)
        let target = try scratch.directory.directory("t")
        let mark = ExtendedAttribute(name: "trusted.overlay.opaque", value: [UInt8(ascii: "y")])
        #expect(try target.extendedAttributes("a") == [mark])
        #expect(summary.fileList.entries.count == 6)
    }

    @Test func `overlays of user namespaces have their own attribute`() throws {
        let scratch = try Scratch()
        _ = try apply("whiteouts", in: scratch, .overlay(.user))
        let names = try scratch.directory.directory("t").extendedAttributes("a").map(\.name)
        #expect(names == ["user.overlay.opaque"])
    }

    @Test func `where nothing but files can be made, files are the marks`() throws {
        let scratch = try Scratch()
        _ = try apply("whiteouts", in: scratch, .overlay(.names))
        #expect(
            try scratch.output(of: "cd t; find . -mindepth 1 | LC_ALL=C sort")
                == "./.wh.b\n./a\n./a/.wh..wh..opq\n./a/.wh.gone\n./a/kept\n")
        #expect(try scratch.directory.directory("t").extendedAttributes("a") == [])
    }

    @Test(arguments: ["whiteout-parent", "replaced"])
    func `a mark that is a file does not hide what comes with it`(_ name: String) throws {
        let scratch = try Scratch()
        let other = try Scratch()
        let summary = try apply(name, in: scratch, .overlay(.names))
        #expect(try apply(name, in: other).fileList == summary.fileList)
        func words(_ found: [FoundFile]) -> [String] { found.map { "\($0.entry.kind) \($0.entry.path)" } }
        let found = try LayerDiffer(.names).find(try scratch.directory.directory("t"))
        let expected = try LayerDiffer(.trusted).find(try other.directory.directory("t"))
        #expect(words(found) == words(expected))
    }

    @Test func `a removed path with new files becomes an opaque directory`() throws {
        let scratch = try Scratch()
        _ = try apply("whiteout-parent", in: scratch)
        let target = try scratch.directory.directory("t")
        #expect(try target.extendedAttributes("p").map(\.name) == ["trusted.overlay.opaque"])
        #expect(try scratch.text("t/p/f") == "x")
    }

    @Test func `whiteouts remove what was there but not what comes with them`() throws {
        let scratch = try Scratch()
        scratch.run("mkdir -p t/a/old t/b/c && touch t/a/gone t/a/old/x t/b/c/d t/other")
        _ = try apply("whiteouts", in: scratch, .plain)
        #expect(try scratch.output(of: "cd t; find . -mindepth 1 | sort") == "./a\n./a/kept\n./other\n")
    }

    @Test func `devices are made`() throws {
        let scratch = try Scratch()
        _ = try apply("device", in: scratch)
        #expect(
            try scratch.output(of: "stat -c '%F %a %t %T' t/null t/pipe")
                == "character special file 666 1 3\nfifo 600 0 0\n")
    }

    @Test func `later entries replace earlier ones`() throws {
        let scratch = try Scratch()
        let summary = try apply("replaced", in: scratch)
        #expect(try scratch.text("t/x") == "now a file")
        #expect(try scratch.output(of: "stat -c '%F %a' t/z") == "directory 700\n")
        #expect(summary.fileList["x"]?.kind == .regular)
    }

    @Test func `owners can be left out or replaced`() throws {
        let scratch = try Scratch()
        _ = try apply("implied", in: scratch) { $0.preservesOwners = false }
        #expect(try scratch.output(of: "stat -c '%u %g' t/usr/share/doc/x") == "0 0\n")
        _ = try apply("implied", in: scratch, .plain) { $0.owner = (11, 12) }
        #expect(try scratch.output(of: "stat -c '%u %g' t/usr/share/doc/x") == "11 12\n")
    }

    @Test(arguments: ["gnu-long", "pax-long"])
    func `long paths are unpacked`(_ name: String) throws {
        let scratch = try Scratch()
        let summary = try apply(name, in: scratch)
        let long = try #require(summary.fileList.entries.first).path
        #expect(try scratch.text(PathBytes("t").appending(long)) == "long")
    }

    @Test func `paths longer than the kernel takes are unpacked`() throws {
        let scratch = try Scratch()
        _ = try scratch.makeDirectory("t")
        let parts = Array(repeating: String(repeating: "p", count: 200), count: 30)
        let entries = (1...30).map {
            LayerEntry(
                path: PathBytes(parts[..<$0].joined(separator: "/")), kind: .directory, permissions: 0o755,
                modified: FileTime(seconds: 5))
        }
        let file = LayerEntry(path: entries[29].path.appending("f"), kind: .regular, permissions: 0o644)
        let (bytes, layer) = try tar(entries + [file], content: [file.path: "deep"])
        let target = try scratch.directory.directory("t")
        let summary = try LayerApplier(.overlay(.trusted)).apply(PieceStream(bytes), to: target)
        #expect(summary.diffID == layer.diffID)
        var writer = LayerWriter()
        try LayerDiffer().diff(target, into: &writer)
        #expect(try writer.finish().diffID == layer.diffID)
    }
}
