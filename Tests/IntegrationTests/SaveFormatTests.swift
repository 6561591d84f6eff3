import SystemPackage
import Testing

/// The forms in which images and their files leave the store, and come into it.
@Suite("Forms of saved images", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct SaveFormatTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let id: String

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN mkdir /d && echo hi > /d/file && chown 7:8 /d/file && ln /d/file /d/link && rm /etc/nsswitch.conf
            CMD ["cat", "/d/file"]

            """)
        id = try lamina.build(context, "-t", "formed:1")
    }

    private func path(_ name: String) -> String { scratch.path.appending(name).string }

    private func fresh(_ name: String) -> Lamina { Lamina(root: scratch.path.appending("fresh-\(name)")) }

    @Test(
        "Every form is loaded with the ID that it had, a name with its name",
        arguments: [
            ("docker-archive", "Loaded image: formed:1"), ("oci-archive", "Loaded image: formed:1"),
            ("oci-dir", "Loaded image: formed:1"), ("docker-dir", "Loaded image ID: "),
        ])
    func loadsWhatWasSaved(_ format: String, _ line: String) throws {
        try lamina.succeeding("save", "--format", format, "-o", path("saved"), "formed:1")
        let other = fresh(format)
        #expect(try other.succeeding("load", "-i", path("saved")).outputText.hasPrefix(line))
        #expect(try other.succeeding("images", "-q", "--no-trunc").outputLines == [id])
    }

    @Test("An ID brings no name, and several images share their blobs", arguments: ["docker-archive", "oci-archive"])
    func savesByID(_ format: String) throws {
        try lamina.succeeding("save", "--format", format, "-o", path("id.tar"), id)
        #expect(try fresh("id").succeeding("load", "-i", path("id.tar")).trimmed == "Loaded image ID: \(id)")
        try lamina.succeeding("tag", "formed:1", "again:2")
        try lamina.succeeding("save", "--format", format, "-o", path("all.tar"), "formed:1", "again:2", "lamina/base")
        let loaded = try fresh("all").succeeding("load", "-i", path("all.tar")).outputLines.sorted()
        #expect(
            loaded == ["Loaded image: again:2", "Loaded image: formed:1", "Loaded image: lamina/base:latest"])
        let names = try expectSuccess("tar", "-tf", path("all.tar")).outputLines
        #expect(Set(names).count == names.count)
    }

    @Test(
        "What cannot be saved so is refused with a sentence",
        arguments: [
            (["--format", "docker-dir", "-o", "out", "formed:1", "lamina/base"], 1, "holds one image"),
            (["--platform", "linux/s390x", "-o", "out", "formed:1"], 1, "for linux/s390x"),
            (["--format", "tar", "-o", "out", "formed:1"], 2, "unknown format 'tar'"),
            (["--format", "oci-dir", "formed:1"], 2, "needs a name"),
        ])
    func refuses(_ words: [String], _ status: Int32, _ sentence: String) throws {
        let finished = try lamina.start(["save"] + words, in: scratch.path).wait()
        #expect(finished.status == status && finished.errorText.contains(sentence), "\(finished.errorText)")
        #expect(try run("test", "-e", path("out")).status == 1)
    }

    @Test("The files of an image are exported and unpacked as a container sees them")
    func exportsFiles() throws {
        try lamina.succeeding("export", "-o", path("files.tar"), "formed:1")
        let list = try expectSuccess("tar", "-tvf", path("files.tar"), "--numeric-owner").outputText
        #expect(list.contains(" 7/8 ") && list.contains("d/link link to d/file") && !list.contains("nsswitch"))
        try lamina.succeeding("unpack", "formed:1", path("files"))
        #expect(try text(of: FilePath(path("files/d/file"))) == "hi\n")
        #expect(try expectSuccess("stat", "-c", "%u:%g %h", path("files/d/file")).trimmed == "7:8 2")
        #expect(try run("test", "-e", path("files/etc/nsswitch.conf")).status == 1)
        let again = try lamina("unpack", "formed:1", path("files"))
        #expect(again.status == 1 && again.errorText.contains("is not empty"))
        #expect(try lamina("unpack", "no-such:1", path("none")).errorText.contains("No such image"))
    }

    @Test("A runtime starts a bundle", .enabled(if: Machine.has("crun"), "needs crun"))
    func runsABundle() throws {
        try lamina.succeeding("unpack", "--bundle", "formed:1", path("bundle"))
        let script = "\(Podman.preparation); exec crun --cgroup-manager=disabled --root \"$1\" run -b \"$2\" formed"
        let finished = try run("unshare", "--mount", "sh", "-c", script, "sh", path("state"), path("bundle"))
        #expect(finished.status == 0 && finished.outputText == "hi\n", "\(finished.errorText)")
    }

    @Test(
        "A root file system is imported with changes and a message, however compressed",
        arguments: ["cat", "gzip", "xz", "bzip2", "zstd -q"])
    func imports(_ compressor: String) throws {
        try lamina.succeeding("export", "-o", path("files.tar"), "formed:1")
        try expectSuccess("sh", "-c", "\(compressor) < '\(path("files.tar"))' > '\(path("packed"))'")
        let imported = try lamina.succeeding(
            "import", "-c", "CMD [\"cat\", \"/d/file\"]", "--change", "ENV A=b", "-m", "by hand", "--platform",
            "linux/arm64", path("packed"), "imported:1"
        ).trimmed
        let format = "{{.Id}} {{.Config.Cmd}} {{.Config.Env}} {{.Architecture}} {{.Comment}}"
        #expect(
            try lamina.succeeding("inspect", "-f", format, "imported:1").trimmed
                == "\(imported) [cat /d/file] [A=b] arm64 by hand")
        try lamina.succeeding("export", "-o", path("again.tar"), "imported:1")
        try expectSuccess("cmp", path("files.tar"), path("again.tar"))
    }

    @Test("A change that makes files is refused", arguments: ["RUN true", "COPY a b", "FROM x", "ENV A=b\nRUN true"])
    func refusesChanges(_ change: String) throws {
        try lamina.succeeding("export", "-o", path("files.tar"), "formed:1")
        let finished = try lamina("import", "-c", change, path("files.tar"))
        #expect(finished.status == 1 && finished.errorText.contains("no change that import can make"))
    }
}
