import SystemPackage
import Testing

/// The index verbs, as a pipeline of several machines uses them.
@Suite("Index", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct IndexTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func store(_ name: String) -> Lamina {
        Lamina(root: scratch.path.appending(name)).with(["DOCKER_CONFIG": scratch.path.string])
    }

    /// Builds an image for a platform on a machine of its own, pushes it without a tag that others use, and gives its
    /// digest.
    private func push(_ platform: String, _ name: String, text: String = "1") throws -> String {
        let machine = store("machine-\(platform.filter(\.isLetter))-\(text)")
        let context = try scratch.context(
            "FROM scratch\nCOPY Dockerfile /\nLABEL text=\(text)\n", named: "for-\(platform.filter(\.isLetter))")
        let file = scratch.path.appending("digest-\(platform.filter(\.isLetter))")
        try machine.build(
            context, "--platform", platform, "-t", name, "--push", "--digest-file", file.string)
        return try digest(in: file)
    }

    private func digest(in file: FilePath) throws -> String { try text(of: file).trimmed }

    private func platforms(_ place: String, _ lamina: Lamina) throws -> [String] {
        let json = try JSONValue(parsing: lamina.succeeding("index", "inspect", "--raw", place).outputText)
        return (json["manifests"]?.array ?? []).compactMap { entry in
            entry["platform"].flatMap { "\($0["os"]?.string ?? "")/\($0["architecture"]?.string ?? "")" }
        }
    }

    @Test("Two machines push by digest, and a third makes the index")
    func twoMachines() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app"
            let digests = [
                try push("linux/amd64", "\(name):amd64"), try push("linux/arm64", "\(name):arm64"),
            ]
            let lamina = store("joiner")
            let file = scratch.path.appending("index-digest")
            try lamina.succeeding(
                "index", "create", "--digestfile", file.string, "docker://\(name):1", "\(name)@\(digests[0])",
                "\(name)@\(digests[1])")
            #expect(try platforms("\(name):1", lamina) == ["linux/amd64", "linux/arm64"])
            #expect(try lamina.succeeding("digest", "\(name):1").trimmed == digest(in: file))
            for (platform, digest) in zip(["linux/amd64", "linux/arm64"], digests) {
                #expect(try lamina.succeeding("digest", "--platform", platform, "\(name):1").trimmed == digest)
            }
            if Machine.hasSkopeo {
                let raw = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name):1")
                #expect(raw.outputText.contains(digests[1]))
            }

            // A machine that knows of one platform only would lose the other.
            let lost = try lamina("index", "create", "docker://\(name):1", "\(name)@\(digests[0])")
            #expect(lost.status == 1 && lost.errorText.contains("linux/arm64 as well"), "\(lost.errorText)")
            let newer = try push("linux/amd64", "\(name):amd64", text: "2")
            try lamina.succeeding("buildx", "imagetools", "create", "--append", "-t", "\(name):1", "\(name)@\(newer)")
            #expect(try lamina.succeeding("digest", "--platform", "linux/amd64", "\(name):1").trimmed == newer)
            #expect(try platforms("\(name):1", lamina).sorted() == ["linux/amd64", "linux/arm64"])
        }
    }

    @Test("An index is made in the store as with docker manifest, changed, and pushed")
    func inTheStore() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app"
            let digest = try push("linux/amd64", "\(name):amd64")
            _ = try push("linux/arm64", "\(name):arm64")
            let lamina = store("keeper")
            try lamina.succeeding("manifest", "create", "\(name):2", "\(name):amd64", "\(name):arm64")
            #expect(try platforms("\(name):2", lamina) == ["linux/amd64", "linux/arm64"])
            try lamina.succeeding("manifest", "annotate", "--variant", "v8", "\(name):2", "\(name):arm64")
            try lamina.succeeding("index", "annotate", "--annotation", "index:a=b", "\(name):2")
            try lamina.succeeding("manifest", "push", "\(name):2")
            // A plain name to push to is one in a registry.
            try lamina.succeeding("manifest", "push", "\(name):2", "\(name):3")
            #expect(
                try lamina.succeeding("digest", "\(name):3").trimmed == lamina.succeeding("digest", "\(name):2").trimmed
            )
            let pushed = try JSONValue(
                parsing: lamina.succeeding("index", "inspect", "--raw", "docker://\(name):2").outputText)
            #expect(pushed["annotations"]?["a"]?.string == "b")
            #expect(pushed["manifests"]?.array?.last?["platform"]?["variant"]?.string == "v8")
            try lamina.succeeding("index", "remove", "docker://\(name):2", "linux/arm64/v8")
            #expect(try platforms("docker://\(name):2", lamina) == ["linux/amd64"])
            try lamina.succeeding("index", "add", "docker://\(name):2", "\(name):arm64")
            #expect(try lamina.succeeding("digest", "--platform", "linux/amd64", "\(name):2").trimmed == digest)
            #expect(try platforms("docker://\(name):2", lamina) == ["linux/amd64", "linux/arm64"])
        }
    }

    @Test("Templates of buildx show configs, provenance and packages of an image and of an index")
    func templatesOfBuildx() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app"
            let digest = try push("linux/amd64", "\(name):amd64")
            _ = try push("linux/arm64", "\(name):arm64")
            let lamina = store("joiner")
            try lamina.succeeding("index", "create", "docker://\(name):1", "\(name):amd64", "\(name):arm64")
            func shown(_ format: String, _ tag: String) throws -> String {
                try lamina.succeeding("buildx", "imagetools", "inspect", "\(name):\(tag)", "--format", format).trimmed
            }
            #expect(try shown("{{json .Image.Config.Labels}}", "amd64") == #"{"text":"1"}"#)
            #expect(try JSONValue(parsing: shown("{{json .Image}}", "amd64"))["architecture"]?.string == "amd64")
            #expect(try JSONValue(parsing: shown("{{json .Manifest}}", "amd64"))["digest"]?.string == digest)
            let images = try JSONValue(parsing: shown("{{json .Image}}", "1")).object ?? [:]
            #expect(images.keys.sorted() == ["linux/amd64", "linux/arm64"])
            #expect(try shown(#"{{(index .Image "linux/arm64").Architecture}}"#, "1") == "arm64")
            #expect(try shown("{{range .Manifest.Manifests}}{{.Digest}} {{end}}", "1").hasPrefix(digest))
            let all = try JSONValue(parsing: shown("{{json .}}", "1"))
            #expect(all["image"]?["linux/amd64"] != nil && all["manifest"]?["manifests"]?.array?.count == 2)
            #expect(try shown("{{json .Provenance}}", "1") == #"{"linux/amd64":{},"linux/arm64":{}}"#)
            // The manifest alone is what people read.
            #expect(try shown("{{.Manifest}}", "1").contains("\n  Name:        "))

            let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "attested")
            try lamina.build(context, "-t", "\(name):attested", "--push", "--provenance=mode=min", "--sbom=true")
            let build = try JSONValue(parsing: shown("{{json .Provenance.SLSA}}", "attested"))
            #expect(build["buildDefinition"] != nil || build["buildType"] != nil, "\(build)")
            #expect(try shown("{{.SBOM.SPDX.SPDXID}}", "attested") == "SPDXRef-DOCUMENT")
        }
    }

    @Test("Wrong input is refused with one sentence")
    func refusesWrongInput() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app"
            _ = try push("linux/amd64", "\(name):1")
            _ = try push("linux/amd64", "\(name):2", text: "2")
            let lamina = store("other")
            for (words, sentence) in [
                (["create", "docker://\(name):i", "\(name):1", "\(name):2"], "two images are for linux/amd64"),
                (["create", "docker://\(name):i", "\(name):none"], "none"),
                (["add", "no-such:1", "\(name):1"], "No such image: no-such:1"),
                (["remove", "docker://\(name):1", "linux/s390x"], "no manifest linux/s390x"),
                (["remove", "docker://\(name):1", "one"], "neither a digest nor a platform"),
                (["remove", "docker://\(name):1", "linux/amd64"], "would be empty"),
                (["push", "docker://\(name):1"], "is not in the store"),
            ] {
                let finished = try lamina.start(["index"] + words).wait()
                #expect(finished.status == 1 && finished.errorText.contains(sentence), "\(finished.errorText)")
            }
            #expect(try lamina("index", "create", "docker://\(name):i").status == 2)
            #expect(try lamina("index", "annotate", "docker://\(name):1").status == 2)
        }
    }
}
