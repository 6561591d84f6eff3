import SystemPackage
import Testing

/// Images that are analysed where they are, without a store.
@Suite("Images in files", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ForeignImageTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let expected: JSONValue

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            "FROM lamina/base\nRUN echo one > /a; echo two > /b\nRUN rm /a; chmod 600 /b\n")
        try lamina.build(context, "-t", "foreign:1")
        try lamina.succeeding("save", "-o", scratch.path.appending("saved.tar").string, "foreign:1")
        expected = try JSONValue(parsing: lamina.succeeding("analyze", "--format", "json", "foreign:1").outputText)
    }

    /// A store that stays empty.
    private var other: Lamina { Lamina(root: scratch.path.appending("none")) }

    private func expectSame(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let found = try JSONValue(parsing: other.succeeding("analyze", "--format", "json", name).outputText)
        for key in ["image", "waste", "paths", "dive"] {
            #expect(found[key] == expected[key], sourceLocation: sourceLocation)
        }
        #expect(try other.succeeding("cat", name, "/b").outputText == "two\n", sourceLocation: sourceLocation)
        #expect(try other.succeeding("ls", "--layer", "2", "--format", "{{.Name}}", name).outputLines == ["a", "b"])
        let target = scratch.path.appending("out")
        try other.succeeding("extract", name, "/b", target.string)
        #expect(try text(of: target.appending("b")) == "two\n", sourceLocation: sourceLocation)
        try expectSuccess("rm", "-r", target.string)
        let stored = try expectSuccess("ls", "-A", other.root.string).trimmed
        #expect(stored == "file-lists", "nothing but lists is stored", sourceLocation: sourceLocation)
        try expectSuccess("rm", "-r", other.root.string)
    }

    @Test func archivesOfLaminaAreReadInPlace() throws {
        try expectSame(scratch.path.appending("saved.tar").string)
        try expectSame("docker-archive:\(scratch.path)/saved.tar:foreign:1")
        try expectSuccess("gzip", "-k", scratch.path.appending("saved.tar").string)
        try expectSame("oci-archive:\(scratch.path)/saved.tar.gz")
    }

    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo)) func formsOfSkopeoAreReadInPlace() throws {
        let saved = "docker-archive:\(scratch.path)/saved.tar"
        for (target, name) in [
            ("oci:\(scratch.path)/layout:v1", "oci:\(scratch.path)/layout:v1"),
            ("oci:\(scratch.path)/layout:v1", "\(scratch.path)/layout"),
            ("oci-archive:\(scratch.path)/layout.tar", "\(scratch.path)/layout.tar"),
            // Layers have names with links between them there.
            ("docker-archive:\(scratch.path)/docker.tar:foreign:2", "docker-archive:\(scratch.path)/docker.tar:2"),
            ("dir:\(scratch.path)/layout", "dir:\(scratch.path)/layout"),
            ("dir:\(scratch.path)/layout", "\(scratch.path)/layout"),
        ] {
            try expectSuccess(
                "rm", "-rf", "\(scratch.path)/layout", "\(scratch.path)/layout.tar", "\(scratch.path)/docker.tar")
            try expectSuccess("skopeo", "copy", "-q", "--insecure-policy", saved, target)
            try expectSame(name)
        }
    }

    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman), arguments: ["docker-archive", "oci-archive"])
    func archivesOfPodmanAreReadInPlace(_ format: String) throws {
        try Podman.load(scratch.path.appending("saved.tar"))
        let file = scratch.path.appending("podman.tar").string
        try Podman.podman(["save", "-q", "--format", format, "-o", file, "docker.io/library/foreign:1"])
        try expectSame(file)
    }

    @Test(.enabled(if: Machine.hasBuildah, Machine.needsBuildah)) func archivesOfBuildahAreReadInPlace() throws {
        let script = """
            buildah="buildah --root $0/root --runroot $0/run --storage-driver vfs"
            container=$($buildah from docker-archive:"$1")
            $buildah copy -q $container "$2" /inner >/dev/null
            $buildah commit -q $container oci-archive:"$3":by/buildah:1 >/dev/null
            """
        let (saved, made) = (scratch.path.appending("saved.tar").string, scratch.path.appending("buildah.tar").string)
        let inner = try scratch.write("inner", to: "inner.txt").string
        let storage = scratch.path.appending("buildah").string
        try expectSuccess("unshare", "--mount", "sh", "-ec", script, storage, saved, inner, made)
        #expect(try other.succeeding("cat", made, "/inner", "/b").outputText == "innertwo\n")
        let found = try JSONValue(parsing: other.succeeding("analyze", "--format", "json", made).outputText)
        #expect(found["layers"]?.array?.last?["added"]?["bytes"]?.number == 5)
        #expect(found["waste"] == expected["waste"])
    }

    @Test(.enabled(if: Machine.hasUmoci, Machine.needsUmoci)) func layoutsOfUmociAreReadInPlace() throws {
        let layout = scratch.path.appending("umoci").string
        let file = try scratch.write("umoci's", to: "umoci.txt").string
        try expectSuccess("umoci", "init", "--layout", layout)
        try expectSuccess("umoci", "new", "--image", "\(layout):v1")
        for (name, path) in [("v1", "/one"), ("v1", "/two")] {
            try expectSuccess("umoci", "insert", "--rootless", "--image", "\(layout):\(name)", file, path)
        }
        let image = "oci:\(layout):v1"
        #expect(try other.succeeding("cat", image, "/one", "/two").outputText == "umoci'sumoci's")
        #expect(try other.succeeding("find", image, "*").outputLines == ["/one", "/two"])
    }

    @Test func filesThatAreNoImagesAreRefusedWithASentence() throws {
        let text = try scratch.write("hello", to: "text").string
        #expect(
            try other("analyze", text).errorText.contains(
                "cannot be read as an archive: the layer is not a tar archive"))
        let other = scratch.path.appending("other.tar").string
        try expectSuccess("tar", "-cf", other, "-C", scratch.path.string, "text")
        #expect(try self.other("analyze", other).errorText.contains("is neither a Docker archive nor an OCI layout"))
        try expectDamagedArchivesAreRefused()
    }

    private func expectDamagedArchivesAreRefused() throws {
        #expect(try other("analyze", "./missing").status == 1)
        #expect(
            try other("analyze", "oci-archive:\(scratch.path)/saved.tar:nothing").errorText.contains(
                "holds no image 'nothing'"))
        let damaged = scratch.path.appending("damaged.tar").string
        try expectSuccess("sh", "-c", "head -c 1000000 '\(scratch.path)/saved.tar' > '\(damaged)'")
        #expect(try other("analyze", damaged).status == 1)
    }

    @Test func aDirectoryThatIsNoImageIsOneLayer() throws {
        let tree = scratch.path.appending("tree")
        try scratch.write("#!/bin/sh\n", to: "tree/bin/tool")
        try scratch.write("text", to: "tree/etc/file")
        try expectSuccess("ln", tree.appending("etc").appending("file").string, tree.appending("etc/hard").string)
        let found = try JSONValue(parsing: other.succeeding("analyze", "--format", "json", tree.string).outputText)
        #expect(found["image"]?["sizeBytes"]?.number == 14 && found["layers"]?.array?.count == 1)
        #expect(try other.succeeding("cat", tree.string, "/etc/hard").outputText == "text")
        #expect(try other.succeeding("find", tree.string, "to*").outputLines == ["/bin/tool"])
        #expect(
            try other.succeeding("diff", "--format", "json", tree.string, tree.string).outputText.contains(
                "\"files\": []"))
    }

    // MARK: Registries

    private func blobs(_ requests: [String]) -> [String] { requests.filter { $0.contains("/blobs/") } }

    @Test func imagesInARegistryAreNotPulled() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            try lamina.succeeding("tag", "foreign:1", name)
            try lamina.succeeding("push", name)
            let image = "docker://\(name)"
            let flags = ["--format", "json", image]
            let first = try registry.requests { _ = try other.succeeding(["analyze"] + flags) }
            #expect(blobs(first).count == 4, "a config and three layers: \(first)")
            let found = try JSONValue(parsing: other.succeeding(["analyze"] + flags).outputText)
            for key in ["image", "waste", "paths", "dive"] { #expect(found[key] == expected[key]) }
            let second = try registry.requests { _ = try other.succeeding(["analyze"] + flags) }
            #expect(blobs(second).count == 1, "the config: \(second)")
            let cat = try other.succeeding("cat", image, "/b")
            #expect(cat.outputText == "two\n")
            #expect(try expectSuccess("ls", "-A", other.root.string).trimmed == "file-lists")
            let unknown = try other("analyze", name)
            #expect(unknown.errorText.contains("write docker://\(name)"))
        }
    }

    /// Of layers with a table of contents neither the lists nor single files need the rest.
    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo)) func tablesOfContentsAreEnough() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let image = "docker://\(registry.name)/chunked:1"
            try expectSuccess(
                "skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", "--format", "oci",
                "--dest-compress-format", "zstd:chunked", "docker-archive:\(scratch.path)/saved.tar", image)
            let raw = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", image).outputText
            guard raw.contains("manifest-position") else { return }
            let found = try JSONValue(parsing: other.succeeding("analyze", "--format", "json", image).outputText)
            for key in ["waste", "paths", "dive"] { #expect(found[key] == expected[key]) }
            #expect(found["image"]?["sizeBytes"] == expected["image"]?["sizeBytes"])
            #expect(try other.succeeding("cat", image, "/b").outputText == "two\n")
            let sizes = ["history", "-v", "--format", "{{.Size}} {{.Added}} {{.Changed}} {{.Removed}}"]
            #expect(
                try other.succeeding(sizes + [image]).outputLines
                    == lamina.succeeding(sizes + ["foreign:1"]).outputLines)
            let growth = try other("analyze", "--ci", "--ci-config", "/dev/null", "--baseline", image, image)
            #expect(growth.outputText.contains("Evaluation"))
            #expect(try run("test", "-e", other.root.string).status == 1, "no layer was read, so no list is kept")
            let (target, same) = (scratch.path.appending("extracted"), scratch.path.appending("same"))
            try other.succeeding("extract", image, "/bin", target.string)
            try lamina.succeeding("extract", "foreign:1", "/bin", same.string)
            try expectSuccess("diff", "-r", target.string, same.string)
        }
    }
}
