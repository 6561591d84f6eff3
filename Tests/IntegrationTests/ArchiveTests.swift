import SystemPackage
import Testing

/// Images as files: what goes out is taken by others, and what others write comes in.
@Suite("Archives", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ArchiveTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath
    private let id: String
    private let archive: String

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        context = try scratch.context(
            "FROM lamina/base\nRUN echo moved > /m && mkdir /d && chown 7:8 /d\nENV K=v\nCMD [\"cat\", \"/m\"]\n")
        id = try lamina.build(context, "-t", "moved:1")
        archive = scratch.path.appending("moved.tar").string
        try lamina.succeeding("save", "-o", archive, "moved:1")
    }

    /// A destination that is not a regular file is written to, and keeps its type.
    @Test func writesToDevices() throws {
        let lamina = Lamina(root: scratch.path.appending("devices"))
        let device = scratch.path.appending("null")
        try expectSuccess("mknod", device.string, "c", "1", "3")
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "device")
        for type in ["oci", "docker", "tar"] {
            try lamina.build(context, "-o", "type=\(type),dest=\(device)")
            #expect(try expectSuccess("stat", "-c", "%F", device.string).trimmed == "character special file")
        }
    }

    @Test func savesTheSameBytesTwice() throws {
        let again = scratch.path.appending("again.tar").string
        try lamina.succeeding("save", "-o", again, "moved:1")
        try expectSuccess("cmp", archive, again)
    }

    @Test func saveWritesToAPipe() throws {
        let finished = try lamina("save", "moved:1")
        #expect(finished.status == 0)
        #expect(try finished.output == contents(of: FilePath(archive)))
    }

    @Test func hasWhatBothKindsOfReaderLookFor() throws {
        let entries = try expectSuccess("tar", "-tf", archive).outputLines
        #expect(entries.suffix(3) == ["index.json", "manifest.json", "oci-layout"])
        let config = try expectSuccess("tar", "-xOf", archive, "blobs/sha256/\(id.dropFirst(7))").outputText
        #expect(try JSONValue(parsing: config)["config"]?["Env"]?.strings.contains("K=v") == true)
        let manifest = try JSONValue(parsing: expectSuccess("tar", "-xOf", archive, "manifest.json").outputText)
        #expect(manifest.array?.first?["RepoTags"]?.strings == ["moved:1"])
        #expect(manifest.array?.first?["Config"]?.string == "blobs/sha256/\(id.dropFirst(7))")
    }

    @Test func loadsItsOwnArchive() throws {
        let other = Lamina(root: scratch.path.appending("other"))
        let loaded = try other.succeeding("load", "-i", archive)
        #expect(loaded.outputLines == ["Loaded image: moved:1"])
        #expect(try other.succeeding("images", "-q", "--no-trunc").outputLines == [id])
        #expect(try other.succeeding("rmi", "moved:1").outputLines.first == "Untagged: moved:1")
        #expect(try other("load", input: FilePath(archive)).outputLines == ["Loaded image: moved:1"])

        // An image that came in is as good a base as any.
        let child = try scratch.context(
            "FROM moved:1\nRUN test \"$(stat -c %u:%g /d)\" = 7:8 && cat /m\n", named: "child")
        let built = try other("build", "--progress", "plain", child.string)
        #expect(built.status == 0 && built.errorText.contains(" moved\n"), "\(built.errorText)")
    }

    @Test func loadsSeveralImagesOfOneArchive() throws {
        try lamina.succeeding("tag", "moved:1", "localhost:5000/else/where:2")
        let both = scratch.path.appending("both.tar").string
        try lamina.succeeding("save", "-o", both, "moved:1", "localhost:5000/else/where:2", "lamina/base")
        let other = Lamina(root: scratch.path.appending("other"))
        let loaded = try other.succeeding("load", "-i", both).outputLines.sorted()
        #expect(
            loaded == [
                "Loaded image: lamina/base:latest", "Loaded image: localhost:5000/else/where:2",
                "Loaded image: moved:1",
            ])
    }

    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo)) func skopeoReadsBothFaces() throws {
        let fromDocker = try expectSuccess("skopeo", "inspect", "--config", "docker-archive:\(archive)").outputText
        let fromOCI = try expectSuccess("skopeo", "inspect", "--config", "oci-archive:\(archive)").outputText
        #expect(fromDocker == fromOCI)
        #expect(try JSONValue(parsing: fromOCI)["config"]?["Cmd"]?.strings == ["cat", "/m"])
    }

    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo), arguments: ["docker-archive", "oci-archive"])
    func loadsWhatSkopeoWrites(_ transport: String) throws {
        let copy = scratch.path.appending("copy.tar").string
        let name = transport == "oci-archive" ? "example.com/by/skopeo:3" : "by/skopeo:3"
        try expectSuccess("skopeo", "copy", "-q", "docker-archive:\(archive)", "\(transport):\(copy):\(name)")
        let other = Lamina(root: scratch.path.appending("other"))
        #expect(try other.succeeding("load", "-i", copy).outputLines == ["Loaded image: \(name)"])
        try expectRuns(name, in: other)
    }

    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman), arguments: ["docker-archive", "oci-archive"])
    func goesThroughPodmanAndBack(_ format: String) throws {
        let name = "docker.io/library/moved:1"
        #expect(try Podman.load(FilePath(archive)).contains("Loaded image: \(name)"))
        #expect(try Podman.run(name).outputText == "moved\n")
        let back = scratch.path.appending("back.tar").string
        try Podman.podman(["save", "-q", "--format", format, "-o", back, name])
        let other = Lamina(root: scratch.path.appending("other"))
        #expect(try other.succeeding("load", "-i", back).outputLines == ["Loaded image: moved:1"])
        try expectRuns("moved:1", in: other)
    }

    @Test(.enabled(if: Machine.hasBuildah, Machine.needsBuildah)) func loadsWhatBuildahWrites() throws {
        let storage = scratch.path.appending("buildah").string
        let script = """
            buildah="buildah --root $0/root --runroot $0/run --storage-driver vfs"
            container=$($buildah from docker-archive:"$1")
            $buildah copy -q $container "$1" /inner >/dev/null
            $buildah config --label by=buildah $container
            $buildah commit -q $container oci-archive:"$2":by/buildah:1 >/dev/null
            """
        let made = scratch.path.appending("buildah.tar").string
        try expectSuccess("unshare", "--mount", "sh", "-ec", script, storage, archive, made)
        let other = Lamina(root: scratch.path.appending("other"))
        try other.succeeding("load", "-i", made)
        let name = try #require(
            try other.succeeding("images", "--format", "{{.Repository}}:{{.Tag}}").outputLines.first)
        #expect(try other.succeeding("inspect", "--format", "{{.Config.Labels.by}}", name).trimmed == "buildah")
        try expectRuns(name, in: other)
    }

    @Test(.enabled(if: Machine.hasUmoci, Machine.needsUmoci)) func writesALayoutAsDirectoryAndArchive() throws {
        let layout = scratch.path.appending("layout").string
        try lamina.build(context, "-t", "moved:1", "-o", "type=oci,dest=\(layout),tar=false")
        let bundle = scratch.path.appending("bundle").string
        try expectSuccess("umoci", "unpack", "--image", "\(layout):1", bundle)
        #expect(try text(of: FilePath("\(bundle)/rootfs/m")) == "moved\n")
        #expect(try expectSuccess("stat", "-c", "%u:%g", "\(bundle)/rootfs/d").trimmed == "7:8")

        let file = scratch.path.appending("layout.tar").string
        try lamina.build(context, "-t", "moved:1", "-o", "type=oci,dest=\(file)")
        let packed = try expectSuccess("tar", "-xOf", file, "index.json").outputText
        #expect(try packed == text(of: FilePath("\(layout)/index.json")))
    }

    @Test func exportsRootFileSystems() throws {
        let tar = scratch.path.appending("files.tar")
        try lamina.build(context, "-o", "type=tar,dest=\(tar)")
        let entries = try TarListing(of: tar).entries
        #expect(entries.contains("-rw-r--r-- 0/0 m") && entries.contains("drwxr-xr-x 7/8 d/"))
        let directory = scratch.path.appending("files")
        try lamina.build(context, "-o", directory.string)
        #expect(try text(of: directory.appending("m")) == "moved\n")
    }

    @Test(arguments: ["gzip", "zstd", "cat"]) func importsARootFileSystem(_ compressor: String) throws {
        let files = scratch.path.appending("files.tar")
        try lamina.build(context, "-o", "type=tar,dest=\(files)")
        let packed = scratch.path.appending("packed")
        try expectSuccess("sh", "-ec", "\(compressor) < \"$0\" > \"$1\"", files.string, packed.string)
        let id = try lamina("import", "-", "base/from:tar", input: packed)
        #expect(id.status == 0 && id.trimmed.hasPrefix("sha256:"), "\(id.errorText)")
        try expectRuns("base/from:tar", in: lamina)
    }

    /// Deeper than a walk with a call a level would get, and deeper than one path can say.
    @Test(arguments: ["namespaces", "chroot"]) func deepTreesGoOutAndComeBack(_ isolation: String) throws {
        // One half is moved into the other, as a shell enters no directory whose path is too long.
        let deep = "p=$(printf 'd/%.0s' $(seq %d)); mkdir -p $p /tmp/$p; echo deep > /tmp/${p}f; mv /tmp/d $p"
        func context(_ depth: Int, _ rest: String) throws -> FilePath {
            let run = deep.replacing("%d", with: "\(depth / 2)")
            return try scratch.context(
                "FROM lamina/base AS a\nRUN mkdir /x && cd /x; \(run)\n\(rest)\n", named: "deep\(depth)")
        }
        let lamina = lamina.with(isolation: isolation)
        try lamina.build(
            context(300, "FROM lamina/base\nCOPY --from=a /x /y\nRUN [ $(find /y | wc -l) = 302 ] && rm -r /y/d/d\n"),
            "--target", "a", "-t", "deep:1")
        let file = scratch.path.appending("deep.tar").string
        try lamina.succeeding("save", "-o", file, "deep:1")
        let other = Lamina(root: scratch.path.appending("other")).with(isolation: isolation)
        try other.succeeding("load", "-i", file)
        let child = try scratch.context(
            "FROM deep:1 AS a\nFROM lamina/base\nCOPY --from=a /x /y\n"
                + "RUN [ $(find /y | wc -l) = 302 ] && cat $(find /y -name f) && rm -r /y/d/d\n", named: "child")
        let built = try other("build", "--progress", "plain", child.string)
        #expect(built.status == 0 && built.errorText.contains(" deep\n"), "\(built.errorText)")
        #expect(try other.succeeding("fsck").status == 0)
        // One more than a layer may hold.
        let refused = try lamina("build", "--progress", "plain", context(2050, "").string)
        #expect(refused.status == 1)
        #expect(refused.errorText.contains("more than 2048 directories are one in another"), "\(refused.errorText)")
        #expect(try lamina.unfinished() == [])
    }

    private func expectRuns(_ name: String, in store: Lamina) throws {
        let look = try scratch.context("FROM \(name)\nRUN echo \"$(cat /m) $(stat -c %u:%g /d)\"\n", named: "look")
        let finished = try store("build", "--no-cache", "--progress", "plain", look.string)
        #expect(finished.errorText.contains(" moved 7:8\n"), "\(finished.errorText)")
    }
}
