import SystemPackage
import Testing

/// Images whose layers are their packages.
@Suite("Rechunk", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct RechunkTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["SOURCE_DATE_EPOCH": "1700000000"])
        try scratch.write("old\n", to: "base/gone")
        try scratch.write("kept\n", to: "base/etc/kept")
        try scratch.write("FROM scratch\nCOPY --chmod=700 etc /etc\nCOPY gone /etc/gone\n", to: "base/Dockerfile")
        try lamina.build(scratch.path.appending("base"), "-t", "base")
    }

    /// Builds an image with three packages of two sources; `version` is what is in the files of the package `b`.
    private func build(_ name: String, version: String) throws {
        let status = [("a", "src"), ("a2", "src"), ("b", "b")].map { package, source in
            "Package: \(package)\nStatus: install ok installed\nSource: \(source)\nVersion: 1\n"
        }
        let root = "\(name)/root"
        try scratch.write(status.joined(separator: "\n"), to: "\(root)/var/lib/dpkg/status")
        // Debian's lists say /lib for what lies in /usr/lib.
        try scratch.write("/.\n/lib\n/lib/a.so\n", to: "\(root)/var/lib/dpkg/info/a:amd64.list")
        try scratch.write("/usr/bin/a2\n/usr/bin/a2-too\n", to: "\(root)/var/lib/dpkg/info/a2.list")
        try scratch.write("/usr/bin/b\n/etc/b.conf\n", to: "\(root)/var/lib/dpkg/info/b.list")
        for file in ["usr/lib/a.so", "usr/bin/a2"] { try scratch.write(file, to: "\(root)/\(file)") }
        for file in ["usr/bin/b", "etc/b.conf", "opt/app/own"] { try scratch.write(version, to: "\(root)/\(file)") }
        let context = scratch.path.appending(name)
        try expectSuccess(
            "sh", "-ec",
            "cd \"$0/root\" && ln usr/bin/a2 usr/bin/a2-too && find . -exec touch -h -d @1600000000 {} +",
            context.string)
        // Without a shell in the image, a layer removes, changes a mode and makes a link.
        try scratch.write("FROM base\nCOPY root /\n", to: "\(name)/Dockerfile")
        try lamina.build(context, "-t", "\(name):all")
        try expectSuccess(
            "sh", "-ec",
            """
            mkdir -p "$0/top/usr/bin" "$0/top/etc" && chmod 750 "$0/top/usr/bin" && chmod 700 "$0/top/etc"
            ln -s usr/lib "$0/top/lib" && touch "$0/top/etc/.wh.gone"
            tar --sort=name --mtime=@1600000000 -C "$0/top" -cf "$0/top.tar" .
            """, context.string)
        try lamina.succeeding("append", "-t", name, "\(name):all", context.appending("top.tar").string)
    }

    private func layers(_ image: String) throws -> [(digest: String, text: String)] {
        let json = try JSONValue(parsing: lamina.succeeding("inspect", image).outputText)
        let digests = try #require(json.array?.first?["RootFS"]?["Layers"]?.array).compactMap(\.string)
        let history = try lamina.succeeding("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).outputLines
        let texts = history.reversed().filter { $0.hasPrefix("rechunk") }
        return Array(zip(digests.suffix(texts.count), texts))
    }

    @Test func eachPackageIsALayerAndAllFilesStayAsTheyAre() throws {
        try build("app", version: "1")
        let said = try lamina.succeeding("rechunk", "-t", "app:chunks", "--base", "base", "app")
        #expect(said.errorText == "")
        let texts = try layers("app:chunks").map(\.text)
        #expect(
            texts == [
                "rechunk: removed files", "rechunk of b", "rechunk of src", "rechunk of /opt/app",
                "rechunk of /var/lib", "rechunk: directories",
            ], "\(texts)")
        let difference = try lamina.succeeding("diff", "app", "app:chunks").outputText
        #expect(difference.contains("Files: 0 added, 0 removed, 0 changed"), "\(difference)")
        #expect(try lamina("fsck").status == 0)
        // The layers of the base stay.
        let json = try JSONValue(parsing: lamina.succeeding("inspect", "base", "app:chunks").outputText)
        let lists = (json.array ?? []).map { ($0["RootFS"]?["Layers"]?.array ?? []).compactMap(\.string) }
        #expect(lists.count == 2 && lists[1].starts(with: lists[0]))
    }

    @Test func whatStaysTheSameIsTheSameLayer() throws {
        try build("app", version: "1")
        try build("next", version: "2")
        try lamina.succeeding("rechunk", "-t", "app:chunks", "--base", "base", "--max-layers", "5", "app")
        let said = try lamina.succeeding(
            "rechunk", "-t", "next:chunks", "--base", "base", "--max-layers", "5", "--former", "app:chunks", "next")
        let (old, new) = (try layers("app:chunks"), try layers("next:chunks"))
        #expect(old.map(\.text) == new.map(\.text) && old.count == 5)
        let changed = zip(old, new).filter { $0.digest != $1.digest }.map(\.0.text)
        #expect(changed == ["rechunk of b", "rechunk of /opt/app, /var/lib"], "\(changed)")
        #expect(said.errorText == "3 of 5 layers are those of app:chunks\n")
        let difference = try lamina.succeeding("diff", "next", "next:chunks").outputText
        #expect(difference.contains("Files: 0 added, 0 removed, 0 changed"), "\(difference)")
    }

    @Test func wrongInputIsRefusedInOneSentence() throws {
        for (arguments, sentence) in [
            (["--max-layers", "2", "base"], "2 layers are too few"),
            (["--former", "base", "base"], "the former image was not made by 'lamina rechunk'"),
            (["--base", "base", "base"], "the image has no files above its base"),
        ] {
            let finished = try lamina.start(["rechunk"] + arguments).wait()
            #expect(finished.status != 0 && finished.errorText.contains(sentence), "\(finished.errorText)")
        }
    }
}
