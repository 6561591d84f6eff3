import SystemPackage
import Testing

/// `lamina copy` between all transports, with skopeo, podman and umoci as second opinions.
@Suite("Copy", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct CopyTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let id: String

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /a\nCOPY Dockerfile /b\nENV K=v\n")
        id = try lamina.build(context, "-t", "copied:1")
    }

    private func path(_ name: String) -> String { scratch.path.appending(name).string }

    /// Copies, and gives the digest of the copy.
    private func copy(_ arguments: String...) throws -> String {
        let file = path("digest")
        try lamina.succeeding(["copy", "-q", "--digestfile", file] + arguments)
        return try text(of: FilePath(file))
    }

    /// The ID of the image at a place: the digest of its config.
    private func imageID(_ place: String) throws -> String {
        _ = try copy(place, "oci:\(path("looked-at")):it")
        let index = try JSONValue(parsing: text(of: scratch.path.appending("looked-at/index.json")))
        let digest = try #require(index["manifests"]?.array?.first?["digest"]?.string)
        let manifest = try JSONValue(parsing: text(of: FilePath(path("looked-at/blobs/sha256/\(digest.dropFirst(7))"))))
        return try #require(manifest["config"]?["digest"]?.string)
    }

    @Test("An image goes through all transports and back into a store, with one digest")
    func chain() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let places = [
                "docker://\(registry.name)/first:1", "oci:\(path("layout")):v1", "oci-archive:\(path("oci.tar")):v1",
                "dir:\(path("dir"))", "docker-archive:\(path("docker.tar")):copied:2",
                "docker://\(registry.name)/deep/second:1", "lamina:back:1",
            ]
            let digest = try copy("copied:1", places[0])
            for (from, to) in zip(places, places.dropFirst()) { #expect(try copy(from, to) == digest, "\(to)") }
            #expect(try lamina.succeeding("inspect", "--format", "{{.Id}}", "back:1").trimmed == id)
            #expect(try lamina.succeeding("digest", "\(registry.name)/deep/second:1").trimmed == digest)
            #expect(try lamina("copy", "--preserve-digests", places[0], places[1]).status == 0)
        }
    }

    @Test("Within one registry blobs are mounted, and at a second time nothing is sent")
    func mounts() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let (first, second) = ("docker://\(registry.name)/first:1", "docker://\(registry.name)/second:1")
            _ = try copy("copied:1", first)
            let mounted = try registry.requests { _ = try copy(first, second) }
            #expect(!mounted.contains { $0.hasPrefix("GET /v2/first/blobs/") }, "\(mounted)")
            #expect(mounted.contains { $0.hasPrefix("POST /v2/second/blobs/uploads/") })
            let again = try registry.requests { _ = try copy(first, second) }
            #expect(!again.contains { $0.hasPrefix("POST ") || $0.hasPrefix("GET /v2/first/blobs/") }, "\(again)")
        }
    }

    @Test("A registry that wants a login gets the one of its end")
    func logsIn() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let place = "docker://\(registry.name)/app:1"
            let refused = try lamina("copy", "copied:1", place)
            #expect(refused.status == 1 && refused.errorText.contains("401"), "\(refused.errorText)")
            let login = "\(DockerRegistry.user):\(DockerRegistry.password)"
            _ = try copy("--dest-creds", login, "copied:1", place)
            _ = try copy("--src-creds", login, place, "oci:\(path("layout"))")
            #expect(try lamina("copy", "--src-creds", login, "copied:1", "dir:\(path("dir"))").status == 1)
        }
    }

    @Test(
        "skopeo reads what is written, and what skopeo writes is read",
        .enabled(if: Machine.hasSkopeo, Machine.needsSkopeo),
        arguments: ["oci:layout:v1", "oci-archive:oci.tar:v1", "docker-archive:docker.tar:copied:2", "dir:dir"])
    func exchangesWithSkopeo(_ place: String) throws {
        let parts = place.split(separator: ":", maxSplits: 1).map(String.init)
        let (ours, theirs) = ("\(parts[0]):\(path("our-" + parts[1]))", "\(parts[0]):\(path("their-" + parts[1]))")
        _ = try copy("copied:1", ours)
        let config = try JSONValue(
            parsing: expectSuccess("skopeo", "inspect", "--config", ours).outputText)
        #expect(config["config"]?["Env"]?.strings.contains("K=v") == true)
        try expectSuccess("skopeo", "copy", "-q", "--insecure-policy", ours, theirs)
        #expect(try imageID(theirs) == id)
    }

    @Test(
        "podman loads the archives", .enabled(if: Machine.hasPodman, Machine.needsPodman),
        arguments: ["oci-archive", "docker-archive"])
    func podmanLoads(_ transport: String) throws {
        _ = try copy("copied:1", "\(transport):\(path("a.tar")):localhost/copied:3")
        #expect(try Podman.load(FilePath(path("a.tar"))).contains("localhost/copied:3"))
    }

    @Test("umoci unpacks the layout", .enabled(if: Machine.hasUmoci, Machine.needsUmoci))
    func umociUnpacks() throws {
        _ = try copy("copied:1", "oci:\(path("layout")):v1")
        try expectSuccess("umoci", "unpack", "--image", "\(path("layout")):v1", path("bundle"))
        #expect(try text(of: FilePath(path("bundle/rootfs/a"))).hasPrefix("FROM scratch"))
    }

    @Test("A Docker archive gets no zstd layers, and a layout gets them on request")
    func recompresses() throws {
        let zstd = "oci:\(path("zstd")):1"
        _ = try copy("--dest-compress-format", "zstd", "copied:1", zstd)
        let index = try JSONValue(parsing: text(of: FilePath(path("zstd/index.json"))))
        let digest = try #require(index["manifests"]?.array?.first?["digest"]?.string)
        #expect(try text(of: FilePath(path("zstd/blobs/sha256/\(digest.dropFirst(7))"))).contains("tar+zstd"))
        _ = try copy(zstd, "docker-archive:\(path("docker.tar")):copied:4")
        #expect(try imageID("docker-archive:\(path("docker.tar"))") == id)
        let manifest = try expectSuccess("tar", "-xOf", path("docker.tar"), "manifest.json").outputText
        let layers = try JSONValue(parsing: manifest).array?.first?["Layers"]?.strings ?? []
        for layer in layers {
            try expectSuccess("sh", "-c", "tar -xOf '\(path("docker.tar"))' '\(layer)' | gzip -t")
        }
        #expect(layers.count == 2)
    }

    @Test("An archive comes through pipes and compressed")
    func pipes() throws {
        let whole = try lamina("copy", "copied:1", "docker-archive:-:copied:1")
        #expect(whole.status == 0 && whole.outputText.hasPrefix("blobs/"))
        let file = try FileDescriptor.open(
            FilePath(path("piped.tar")), .writeOnly, options: .create, permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(whole.output) }
        try expectSuccess("gzip", "-k", path("piped.tar"))
        #expect(try imageID("docker-archive:\(path("piped.tar.gz"))") == id)
        let read = try lamina(
            "copy", "oci-archive:-", "lamina:piped:1", input: FilePath(path("piped.tar")))
        #expect(read.status == 0, "\(read.errorText)")
        #expect(try lamina.succeeding("inspect", "--format", "{{.Id}}", "piped:1").trimmed == id)
    }

    @Test(
        "Wrong input is refused with one sentence, and nothing is written",
        arguments: [
            ("oci-archve:a.tar", "oci:out", "there is no transport 'oci-archve:'"),
            ("docker-daemon:app:1", "oci:out", "speaks to no daemon"),
            ("no-such:1", "oci:out", "No such image: no-such:1"),
            ("docker-archive:no-such.tar", "oci:out", "no-such.tar"),
            ("oci:no-such", "oci-archive:out", "no-such"),
            ("docker-archive:text", "oci:out", "is not a tar archive"),
            ("dir:.", "oci:out", "no manifest.json"),
            ("copied:1", "docker-archive:out:UPPER", "lowercase"),
            ("copied:1", "oci:out:", "ends with a colon"),
            ("copied:1", "lamina:a@sha256:00", "invalid reference format"),
            ("copied:1", "oci:full", "is not empty"),
            ("copied:1", "dir:full", "is not empty"),
            ("copied:1", "oci-archive:no/such/directory/out", "no/such/directory/out"),
        ])
    func refusesWrongInput(_ source: String, _ destination: String, _ sentence: String) throws {
        try scratch.write("hello", to: "work/text")
        try scratch.write("hello", to: "work/full/text")
        let work = scratch.path.appending("work")
        let state = try lamina.state()
        let finished = try lamina("copy", source, destination, in: work)
        #expect(finished.status == 1)
        #expect(finished.errorText.contains(sentence), "\(finished.errorText)")
        #expect(!finished.errorText.contains("\n\n"))
        #expect(try expectSuccess("ls", "-A", work.string).outputLines == ["full", "text"])
        #expect(try lamina.state() == state)
    }

    @Test(
        "Options that contradict each other are usage errors",
        arguments: [
            ["--all", "--platform", "linux/amd64"], ["--format", "v1"], ["--dest-compress-format", "bzip2"],
            ["--dest-compress-level", "3"], ["--dest-compress-format", "gzip", "--dest-compress-level", "12"],
        ])
    func refusesWrongOptions(_ options: [String]) throws {
        let finished = try lamina.start(["copy"] + options + ["copied:1", "oci:\(path("out"))"]).wait()
        #expect(finished.status == 2, "\(finished.errorText)")
    }
}
