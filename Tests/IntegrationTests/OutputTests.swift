import SystemPackage
import Testing

/// The forms that outputs give an image, read by skopeo, podman and a registry.
@Suite("Outputs", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct OutputTests {
    private static let dockerfile = """
        FROM scratch
        COPY a.txt /a.txt
        COPY <<E /conf
        x
        E
        HEALTHCHECK CMD ["/a"]
        SHELL ["/bin/bash", "-c"]
        ONBUILD ENV A=b

        """

    private struct Case {
        let scratch: Scratch
        let lamina: Lamina
        let context: FilePath

        init() throws {
            scratch = try Scratch()
            lamina = Lamina(root: scratch.path.appending("store"))
            context = try scratch.context(OutputTests.dockerfile)
            try scratch.write(String(repeating: "hello\n", count: 1000), to: "context/a.txt")
        }

        func path(_ name: String) -> FilePath { scratch.path.appending(name) }

        func raw(_ image: String) throws -> JSONValue {
            try JSONValue(parsing: expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", image).outputText)
        }

        func metadata() throws -> JSONValue { try JSONValue(parsing: text(of: path("metadata.json"))) }
    }

    @Test(arguments: ["linux/amd64", "linux/amd64,linux/arm64"])
    func anArchiveLeavesTheNameWithTheImageBeforeIt(_ platforms: String) throws {
        let test = try Case()
        try test.lamina.build(
            test.context, "-t", "app", "--platform", platforms, "-o", "type=image,compression=zstd",
            "-o", "type=oci,dest=\(test.path("plain.tar")),compression=uncompressed")
        try test.lamina.succeeding("copy", "--platform", "linux/amd64", "lamina:app", "oci:\(test.path("copy"))")
        let kept = try test.raw("oci:\(test.path("copy"))")
        #expect(
            Set(try #require(kept["layers"]?.array).compactMap { $0["mediaType"]?.string })
                == ["application/vnd.oci.image.layer.v1.tar+zstd"])
    }

    @Test func severalOutputsOfOneBuildHaveTheirOwnForms() throws {
        let test = try Case()
        try DockerRegistry.with(in: test.scratch) { registry in
            try test.lamina.build(
                test.context, "-t", "\(registry.name)/a:1", "--annotation", "all=1",
                "-o", "type=oci,dest=\(test.path("zstd.tar")),compression=zstd,annotation.own=2",
                "-o", "type=oci,dest=\(test.path("plain")),tar=false,compression=uncompressed",
                "-o", "type=oci,dest=\(test.path("docker.tar")),annotation-manifest-descriptor.place=index",
                "-o", "type=local,dest=\(test.path("files"))",
                "-o", "type=registry,name=\(registry.name)/b:2,compression=zstd,compression-level=12",
                "-o", "type=tar,dest=\(test.path("files.tar"))")
            let zstd = try test.raw("oci-archive:\(test.path("zstd.tar"))")
            #expect(zstd["annotations"]?["all"]?.string == "1")
            #expect(zstd["annotations"]?["own"]?.string == "2")
            #expect(
                Set(try #require(zstd["layers"]?.array).compactMap { $0["mediaType"]?.string })
                    == ["application/vnd.oci.image.layer.v1.tar+zstd"])
            let plain = try test.raw("oci:\(test.path("plain"))")
            #expect(plain["annotations"]?["own"] == nil)
            #expect(
                Set(try #require(plain["layers"]?.array).compactMap { $0["mediaType"]?.string })
                    == ["application/vnd.oci.image.layer.v1.tar"])
            let index = try expectSuccess("tar", "xOf", test.path("docker.tar").string, "index.json").outputText
            #expect(
                try JSONValue(parsing: index)["manifests"]?.array?.first?["annotations"]?["place"]?.string == "index")
            for name in ["a:1", "b:2"] {
                let pushed = try test.raw("docker://\(registry.name)/\(name)")
                #expect(
                    try #require(pushed["layers"]?.array).allSatisfy {
                        $0["mediaType"]?.string == "application/vnd.oci.image.layer.v1.tar+zstd"
                    })
                #expect(pushed["config"]?["digest"] == zstd["config"]?["digest"])
                // What the store has under the name is what was pushed.
                let stored = try test.lamina.succeeding("push", "\(registry.name)/\(name)")
                #expect(stored.status == 0)
                #expect(try test.raw("docker://\(registry.name)/\(name)") == pushed)
            }
            #expect(try text(of: test.path("files").appending("conf")) == "x\n")
            try expectSuccess(
                "skopeo", "copy", "oci-archive:\(test.path("zstd.tar"))", "dir:\(test.path("copied"))")
        }
    }

    @Test func podmanKeepsHealthcheckOfDockerFormat() throws {
        let test = try Case()
        let inspected = "{{json .HealthCheck}}"
        for (format, isKept) in [("docker", true), ("oci", false)] {
            let archive = test.path("\(format).tar")
            try test.lamina.with(["BUILDAH_FORMAT": format]).build(
                test.context, "-t", "example.com/\(format):1", "-o", "type=oci,dest=\(archive)")
            let manifest = try test.raw("oci-archive:\(archive)")
            #expect(manifest["mediaType"]?.string?.contains("docker") == isKept)
            #expect((manifest["annotations"] == nil) == isKept)
            try Podman.load(archive)
            let facts = try Podman.podman(["image", "inspect", "--format", inspected, "example.com/\(format):1"])
            #expect(facts.outputText.contains("/a") == isKept, "\(facts.outputText)")
        }
    }

    @Test func dockerFormatIsPushedAndStored() throws {
        let test = try Case()
        try DockerRegistry.with(in: test.scratch) { registry in
            try test.lamina.build(test.context, "--format", "docker", "-t", "\(registry.name)/a:1")
            try test.lamina.succeeding("push", "\(registry.name)/a:1")
            let pushed = try test.raw("docker://\(registry.name)/a:1")
            #expect(pushed["mediaType"]?.string == "application/vnd.docker.distribution.manifest.v2+json")
            #expect(pushed["config"]?["mediaType"]?.string == "application/vnd.docker.container.image.v1+json")
            #expect(
                try #require(pushed["layers"]?.array).allSatisfy {
                    $0["mediaType"]?.string == "application/vnd.docker.image.rootfs.diff.tar.gzip"
                })
        }
    }

    @Test func aPushByDigestLeavesNoTag() throws {
        let test = try Case()
        try DockerRegistry.with(in: test.scratch) { registry in
            try test.lamina.build(
                test.context, "--metadata-file", test.path("metadata.json").string,
                "-o", "type=registry,name=\(registry.name)/a,push-by-digest=true,name-canonical=true")
            let digest = try #require(try test.metadata()["containerimage.digest"]?.string)
            #expect(try test.metadata()["image.name"]?.string == "\(registry.name)/a")
            _ = try test.raw("docker://\(registry.name)/a@\(digest)")
            let tags = try run("skopeo", "list-tags", "--tls-verify=false", "docker://\(registry.name)/a")
            #expect(!tags.outputText.contains("latest"))
            #expect(try test.lamina("history", "\(registry.name)/a@\(digest)").status == 0)
            #expect(try test.lamina("history", "\(registry.name)/a").status != 0)
        }
    }

    @Test func timesOfNewLayersAreClamped() throws {
        let test = try Case()
        try expectSuccess("touch", "-d", "2001-01-01T00:00:00Z", test.context.appending("a.txt").string)
        let output = "type=oci,dest=\(test.path("a.tar")),rewrite-timestamp=true,compression=uncompressed"
        try test.lamina.build(test.context, "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "-o", output)
        let manifest = try test.raw("oci-archive:\(test.path("a.tar"))")
        let layers = try #require(manifest["layers"]?.array)
        #expect(
            layers.allSatisfy { $0["annotations"]?["buildkit/rewritten-timestamp"]?.string == "1700000000" })
        let listings = try layers.map { layer in
            let digest = try #require(layer["digest"]?.string).dropFirst(7)
            return try expectSuccess(
                "sh", "-ec", "tar xOf \"$0\" \"blobs/sha256/$1\" | TZ=UTC tar tvf - --full-time",
                test.path("a.tar").string, String(digest)
            ).outputText
        }
        #expect(listings[0].contains("2001-01-01 00:00:00"))
        #expect(listings[1].contains("2023-11-14 22:13:20"))
        // Without an epoch there is nothing to clamp to, which is said.
        let finished = try test.lamina("build", "--progress=plain", "-o", output, test.context.string)
        #expect(finished.status == 0)
        #expect(finished.errorText.contains("rewrite-timestamp is given, but no SOURCE_DATE_EPOCH"))
    }

    @Test func anOutputOfTheCacheTakesNothingFromOthers() throws {
        let test = try Case()
        let lamina = test.lamina
        try lamina.build(test.context, "-o", "type=cacheonly", "-o", "type=local,dest=\(test.path("files"))")
        #expect(try text(of: test.path("files").appending("conf")) == "x\n")
        try lamina.build(test.context, "-t", "kept", "-o", "type=cacheonly")
        #expect(try lamina.state().isEmpty)
    }

    @Test func outputsThatCannotBeAreRefusedInOneSentence() throws {
        let test = try Case()
        let cases: [([String], String)] = [
            (["-o", "type=image,compression=stargz"], "unknown compression 'stargz'"),
            (["--annotation", "index:a=b"], "index annotations not supported for single platform export"),
            (
                ["--annotation", "manifest[linux/s390x]:a=b"],
                "invalid annotation: no platform linux/s390x found in source"
            ),
            (["--annotation", "a=b", "--format", "docker"], "cannot export annotations with"),
            (["-o", "type=registry"], "tag is needed when pushing to registry"),
            (["-t", "a", "-o", "type=registry,push-by-digest=true"], "can't push tagged ref a:latest by digest"),
            (
                ["--format", "docker", "--cache-to", "type=inline"],
                "Docker's manifests have no place for an inline cache"
            ),
        ]
        for (arguments, sentence) in cases {
            let finished = try test.lamina.start(["build"] + arguments + [test.context.string]).wait()
            #expect(finished.status != 0)
            #expect(finished.errorText.contains(sentence), "\(finished.errorText)")
        }
        #expect(try test.lamina("build", "--format", "v3", test.context.string).status == 2)
    }

    @Test(arguments: ["linux/amd64", "linux/amd64,linux/arm64"])
    func aDirectoryHoldsNothingElseIfThatIsAskedFor(_ platforms: String) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /sub/new\n")
        let out = scratch.path.appending("out")
        try scratch.write("old", to: "out/old/file")
        try scratch.write("old", to: "out/sub/old")
        try lamina.build(context, "--platform", platforms, "-o", "type=local,dest=\(out)")
        #expect(try expectSuccess("find", out.string, "-name", "old").outputText.split(separator: "\n").count == 2)
        try lamina.build(context, "--platform", platforms, "-o", "type=local,dest=\(out),mode=delete")
        #expect(try expectSuccess("find", out.string, "-name", "old").outputText.isEmpty)
        #expect(try expectSuccess("find", out.string, "-name", "new").outputText.isEmpty == false)
        let finished = try lamina.start(
            ["build", "-o", "type=local,dest=..,mode=delete", "."], in: context
        ).wait()
        #expect(finished.status == 1 && finished.errorText.contains("holds the working directory"))
        #expect(try text(of: context.appending("Dockerfile")).hasPrefix("FROM scratch"))
    }
}
