import SystemPackage
import Testing

/// Everything that is written, held against the rules of the image specification: see `testdata/layout/check.py`.
@Suite("Specification", .enabled(if: Machine.isRoot && Machine.has("python3"), "needs root and python3"))
struct SpecificationTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        let context = try scratch.context(
            """
            FROM lamina/base AS base
            RUN echo hello > /a && ln /a /b && mkfifo /c && ln -s /a /d
            FROM base
            COPY --chown=1:2 Dockerfile /e
            ENV K=v EMPTY= PATH=/bin
            EXPOSE 80 53/udp
            VOLUME /data
            WORKDIR /work
            USER 1:1
            LABEL a.b="c d" e=
            STOPSIGNAL SIGINT
            SHELL ["/bin/sh", "-c"]
            HEALTHCHECK --interval=3s CMD true
            ONBUILD RUN true
            ENTRYPOINT ["/bin/sh"]
            CMD ["-c", "true"]
            """)
        try lamina.build(
            context, "-t", "checked:1", "-t", "checked:2", "--annotation", "manifest:org.example.k=v")
    }

    private func expectValid(_ layout: String, _ sourceLocation: SourceLocation = #_sourceLocation) throws {
        let script = Lamina.packageRoot.appending("testdata/layout/check.py").string
        let finished = try run("python3", script, layout)
        #expect(
            finished.status == 0, "\(finished.outputText)\(finished.errorText)", sourceLocation: sourceLocation)
    }

    private func path(_ name: String) -> String { scratch.path.appending(name).string }

    private func unpacked(_ archive: String) throws -> String {
        let directory = "\(archive).d"
        try expectSuccess("sh", "-ec", "mkdir \"$0\" && tar -xf \"$1\" -C \"$0\"", directory, archive)
        return directory
    }

    @Test("Saved and copied images follow the specification", arguments: ["gzip", "zstd", "docker", "platforms"])
    func savedImages(_ kind: String) throws {
        switch kind {
        case "gzip":
            try lamina.succeeding("save", "-o", path("docker.tar"), "checked:1", "checked:2")
            try expectValid(unpacked(path("docker.tar")))
            try lamina.succeeding("save", "--format", "oci-archive", "-o", path("oci.tar"), "checked:1")
            try expectValid(unpacked(path("oci.tar")))
            try lamina.succeeding("save", "--format", "oci-dir", "-o", path("dir"), "checked:1")
            try expectValid(path("dir"))
        case "platforms":
            let context = try scratch.context("FROM scratch\nCOPY Dockerfile /a\n", named: "plain")
            try lamina.succeeding(
                "build", "-q", "--platform", "linux/amd64,linux/arm/v7", "-t", "several:1", context.string)
            try lamina.succeeding("copy", "-q", "several:1", "oci:\(path("several")):v1.0")
            try lamina.succeeding("index", "create", "-q", "oci:\(path("several")):v2", "several:1")
            try lamina.succeeding(
                "index", "annotate", "oci:\(path("several")):v2", "linux/amd64", "--annotation", "k=v", "--os-version",
                "1")
            try expectValid(path("several"))
        default:
            let options = kind == "docker" ? ["--format", "docker"] : ["--dest-compress-format", "zstd"]
            try lamina.succeeding(["copy", "-q"] + options + ["checked:1", "oci:\(path(kind)):1"])
            try expectValid(path(kind))
        }
    }

    @Test(
        "Outputs of a build with attestations follow the specification",
        arguments: ["type=oci,tar=false", "type=oci,tar=false,compression=zstd,oci-mediatypes=true"])
    func builtImages(_ output: String) throws {
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /a\n", named: "attested")
        try lamina.succeeding(
            "build", "-q", "--provenance", "--sbom=true", "-o", "\(output),dest=\(path("built"))", context.string)
        try expectValid(path("built"))
    }

    @Test("The rules find what is wrong", arguments: ["index.json", "oci-layout", "blob"])
    func findsFaults(_ what: String) throws {
        try lamina.succeeding("save", "--format", "oci-dir", "-o", path("dir"), "checked:1")
        let script: String
        switch what {
        case "index.json": script = "sed -i 's/\"schemaVersion\":2/\"schemaVersion\":1/' \"$0/index.json\""
        case "oci-layout": script = "echo '{}' > \"$0/oci-layout\""
        default: script = "for file in \"$0\"/blobs/sha256/*; do printf x >> \"$file\"; done"
        }
        try expectSuccess("sh", "-ec", script, path("dir"))
        let check = Lamina.packageRoot.appending("testdata/layout/check.py").string
        #expect(try run("python3", check, path("dir")).status == 1)
    }

    @Test(
        "Images keep their IDs through podman, buildah, skopeo and umoci",
        .enabled(
            if: Machine.hasSkopeo && Machine.hasPodman && Machine.hasBuildah && Machine.hasUmoci,
            "needs skopeo, podman, buildah and umoci"))
    func roundTrips() throws {
        let id = try lamina.succeeding("inspect", "--format", "{{.Id}}", "checked:1").trimmed
        try lamina.succeeding("save", "--format", "oci-archive", "-o", path("ours.tar"), "checked:1")
        let storage = ["--root", path("podman"), "--runroot", path("podman-run"), "--storage-driver", "vfs"]
        for tool in ["podman", "buildah"] {
            let archive = path("\(tool).tar")
            let script = """
                tool=$1; file=$2; ours=$3; id=$4; shift 4
                "$tool" "$@" pull -q "oci-archive:$ours"
                "$tool" "$@" push -q "$id" "oci-archive:$file:checked:1"
                """
            let words = ["sh", "-ec", script, "sh", tool, archive, path("ours.tar"), String(id.dropFirst(7))]
            let moved = try RunningProcess(words + storage).wait()
            #expect(moved.status == 0, "\(tool): \(moved.errorText)")
            let store = Lamina(root: scratch.path.appending("from-\(tool)"))
            try store.succeeding("load", "-q", "-i", archive)
            #expect(try store.succeeding("images", "--no-trunc", "--format", "{{.ID}}").outputLines == [id], "\(tool)")
        }
        try expectSuccess(
            "skopeo", "copy", "-q", "--insecure-policy", "oci-archive:\(path("ours.tar"))", "oci:\(path("skopeo")):1"
        )
        try expectValid(path("skopeo"))
        try expectSuccess("umoci", "tag", "--image", "\(path("skopeo")):1", "2")
        try lamina.succeeding("copy", "-q", "oci:\(path("skopeo")):2", "lamina:from-umoci:1")
        #expect(try lamina.succeeding("inspect", "--format", "{{.Id}}", "from-umoci:1").trimmed == id)
    }
}
