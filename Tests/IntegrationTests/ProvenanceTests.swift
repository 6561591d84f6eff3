import SystemPackage
import Testing

/// Provenance as it is attached to images, read by other tools.
@Suite("Provenance", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ProvenanceTests {
    private struct Case {
        let scratch = try? Scratch()
        let path: FilePath
        let lamina: Lamina
        let context: FilePath

        init(
            dockerfile: String = """
            FROM scratch AS base
            COPY Dockerfile /a
            FROM base
            ARG TOKEN
            COPY Dockerfile /b

            """
        ) throws {
            let scratch = try #require(scratch)
            path = scratch.path
            lamina = Lamina(root: path.appending("store"))
            context = try scratch.context(dockerfile)
        }

        func blob(_ layout: FilePath, _ digest: String?) throws -> JSONValue {
            let hex = try #require(digest).dropFirst(7)
            return try JSONValue(parsing: text(of: layout.appending("blobs/sha256/\(hex)")))
        }
    }

    @Test("Attestations refer to the image in a registry and in a layout, and an image is rebuilt by them")
    func refersToTheImage() throws {
        let test = try Case()
        let layout = test.path.appending("layout")
        try DockerRegistry.with(in: try #require(test.scratch)) { registry in
            let name = "\(registry.name)/app:1"
            try test.lamina.build(
                test.context, "--provenance", "--sbom", "--attest-as", "referrer", "-t", name,
                "--build-arg", "SOURCE_DATE_EPOCH=1", "-o", "type=registry", "-o", "type=oci,tar=false,dest=\(layout)")
            let raw = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)")
                .outputText
            #expect(try JSONValue(parsing: raw)["layers"] != nil)
            let entries = try #require(
                try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array)
            #expect(entries.count == 3)
            let digest = try #require(entries[0]["digest"]?.string)
            #expect(entries[0]["artifactType"] == nil)
            let tag = "sha256-\(digest.dropFirst(7))"
            let listed = try JSONValue(
                parsing: expectSuccess(
                    "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(registry.name)/app:\(tag)"
                ).outputText)
            for found in [Array(entries.dropFirst()), try #require(listed["manifests"]?.array)] {
                #expect(
                    Set(found.compactMap { $0["annotations"]?["in-toto.io/predicate-type"]?.string })
                        == ["https://spdx.dev/Document", "https://slsa.dev/provenance/v1"])
                #expect(Set(found.compactMap { $0["artifactType"]?.string }) == ["application/vnd.in-toto+json"])
            }
            let attestation = try test.blob(layout, entries[1]["digest"]?.string)
            #expect(attestation["subject"]?["digest"]?.string == digest)
            try expectSuccess("skopeo", "copy", "oci:\(layout):1", "dir:\(test.path.appending("copied"))")
            let other = Lamina(root: test.path.appending("other"))
            try other.succeeding("pull", name)
            let rebuilt = try other("rebuild", "--context", test.context.string, "--progress=quiet", name)
            #expect(rebuilt.status == 0, "\(rebuilt.outputText)\(rebuilt.errorText)")
        }
    }

    @Test("Of several platforms each image has its own attestations, in a registry and in a layout")
    func refersToEachPlatform() throws {
        let test = try Case(dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\n")
        let layout = test.path.appending("layout")
        try DockerRegistry.with(in: try #require(test.scratch)) { registry in
            let repository = "\(registry.name)/app"
            try test.lamina.build(
                test.context, "--platform", "linux/amd64,linux/arm64", "--provenance", "--sbom", "--attest-as",
                "referrer", "-t", "\(repository):1", "-o", "type=registry", "-o", "type=oci,tar=false,dest=\(layout)")
            func pushed(_ tag: String) throws -> [JSONValue] {
                let raw = try expectSuccess(
                    "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(repository):\(tag)")
                return try #require(try JSONValue(parsing: raw.outputText)["manifests"]?.array)
            }
            let images = try pushed("1")
            #expect(images.map { $0["platform"]?["architecture"]?.string } == ["amd64", "arm64"])
            let index = try JSONValue(parsing: text(of: layout.appending("index.json")))
            let entries = try #require(index["manifests"]?.array)
            #expect(entries.count == 5)
            for image in images {
                let digest = try #require(image["digest"]?.string)
                let kept = try entries.dropFirst().filter { entry in
                    try test.blob(layout, entry["digest"]?.string)["subject"]?["digest"]?.string == digest
                }
                for found in [kept, try pushed("sha256-\(digest.dropFirst(7))")] {
                    #expect(
                        Set(found.compactMap { $0["annotations"]?["in-toto.io/predicate-type"]?.string })
                            == ["https://spdx.dev/Document", "https://slsa.dev/provenance/v1"])
                    #expect(found.count == 2)
                }
            }
        }
    }

    @Test(
        "Attestations that refer to an image are refused where nothing keeps them",
        arguments: [
            [], ["-o", "type=docker,dest=/dev/null"],
        ])
    func needsAPlaceForReferrers(output: [String]) throws {
        let test = try Case()
        let words = ["build", "--provenance", "--attest-as", "referrer", "-t", "a"] + output + [test.context.string]
        let finished = try test.lamina.start(words).wait()
        #expect(finished.status != 0)
        #expect(finished.errorText.contains("for registries and OCI layouts alone"), "\(finished.errorText)")
    }

    @Test func isInTheIndexOfALayout() throws {
        let test = try Case()
        let layout = test.path.appending("layout")
        try test.lamina.build(
            test.context, "--provenance", "-t", "example.com/a:1", "--build-arg", "TOKEN=value",
            "--annotation", "index:top=1", "--annotation", "index-descriptor:place=2",
            "--metadata-file", test.path.appending("metadata.json").string,
            "-o", "type=oci,tar=false,dest=\(layout)")
        let entries = try #require(
            try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array)
        #expect(entries.count == 1)
        #expect(entries[0]["mediaType"]?.string == "application/vnd.oci.image.index.v1+json")
        #expect(entries[0]["platform"] == nil)
        #expect(entries[0]["annotations"]?["place"]?.string == "2")
        let index = try test.blob(layout, entries[0]["digest"]?.string)
        #expect(index["annotations"]?["top"]?.string == "1")
        let manifests = try #require(index["manifests"]?.array)
        #expect(manifests.count == 2)
        #expect(manifests[1]["platform"]?["os"]?.string == "unknown")
        #expect(manifests[1]["annotations"]?["vnd.docker.reference.digest"] == manifests[0]["digest"])
        let attestation = try test.blob(layout, manifests[1]["digest"]?.string)
        #expect(attestation["subject"]?["digest"] == manifests[0]["digest"])
        let statement = try test.blob(layout, attestation["layers"]?.array?.first?["digest"]?.string)
        #expect(statement["predicateType"]?.string == "https://slsa.dev/provenance/v1")
        #expect(statement["subject"]?.array?.first?["name"]?.string?.hasPrefix("pkg:docker/example.com/a@1") == true)
        let request = statement["predicate"]?["buildDefinition"]?["externalParameters"]?["request"]
        #expect(request?["args"]?["build-arg:TOKEN"]?.string == "value")
        let layers = statement["predicate"]?["runDetails"]?["metadata"]?["buildkit_metadata"]?["layers"]?.object
        #expect(layers?.count == 2)
        let metadata = try JSONValue(parsing: text(of: test.path.appending("metadata.json")))
        #expect(metadata["containerimage.digest"] == entries[0]["digest"])
        #expect(metadata["buildx.build.provenance"]?["runDetails"] != nil)
        try expectSuccess("skopeo", "copy", "oci:\(layout)", "dir:\(test.path.appending("copied"))")
    }

    @Test func saysNothingOfThisMachineAndNoLogin() throws {
        let test = try Case()
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0" && mkdir docker && mv Dockerfile docker/app.Dockerfile && echo x >Dockerfile
            git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm one
            git remote add origin https://user:token@example.com/a.git
            """, test.context.string)
        let layout = test.path.appending("layout")
        try test.lamina.build(
            test.context, "--provenance", "-f", test.context.appending("docker/app.Dockerfile").string,
            "-o", "type=oci,tar=false,dest=\(layout)")
        let entry = try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array?.first
        let index = try test.blob(layout, entry?["digest"]?.string)
        let attestation = try test.blob(layout, index["manifests"]?.array?.last?["digest"]?.string)
        let digest = try #require(attestation["layers"]?.array?.first?["digest"]?.string)
        let bytes = try text(of: layout.appending("blobs/sha256/\(digest.dropFirst(7))"))
        #expect(!bytes.contains("token"))
        #expect(!bytes.contains(test.path.string))
        let predicate = try JSONValue(parsing: bytes)["predicate"]
        let source = predicate?["buildDefinition"]?["externalParameters"]?["configSource"]
        #expect(source?["path"]?.string == "app.Dockerfile")
        let facts = predicate?["runDetails"]?["metadata"]?["buildkit_metadata"]?["vcs"]
        #expect(facts?["source"]?.string == "https://example.com/a.git")
        #expect(facts?["revision"]?.string?.count == 40)
    }

    @Test func isPushedWithTheImageAndKeptInTheStore() throws {
        let test = try Case()
        let scratch = try #require(test.scratch)
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/a:1"
            try test.lamina.build(
                test.context, "--attest", "type=provenance,mode=min,version=v0.2", "-t", name, "--push")
            func raw(_ image: String) throws -> String {
                try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(image)").outputText
            }
            let pushed = try raw(name)
            #expect(try JSONValue(parsing: pushed)["manifests"]?.array?.count == 2)
            try expectSuccess(
                "skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(name)",
                "dir:\(test.path.appending("all"))")
            // The store has the index under the name, and passes it on.
            try test.lamina.succeeding("tag", name, "\(registry.name)/b:1")
            try test.lamina.succeeding("push", "\(registry.name)/b:1")
            #expect(try raw("\(registry.name)/b:1") == pushed)
            #expect(try test.lamina("fsck").status == 0)
            #expect(try test.lamina("history", name).status == 0)
        }
    }

    @Test func aReproducibleBuildHasTheSameProvenance() throws {
        let test = try Case()
        var digests: Set<String> = []
        for number in 1...2 {
            let archive = test.path.appending("\(number).tar")
            try Lamina(root: test.path.appending("store\(number)")).with(["SOURCE_DATE_EPOCH": "1600000000"]).build(
                test.context, "--reproducible", "--provenance=mode=max", "-o", "type=oci,dest=\(archive)")
            digests.insert(try expectSuccess("sh", "-ec", "sha256sum <\"$0\"", archive.string).trimmed)
        }
        #expect(digests.count == 1)
    }

    @Test func eachPlatformHasItsOwnBehindTheImages() throws {
        let test = try Case()
        let scratch = try #require(test.scratch)
        let layout = test.path.appending("layout")
        let platforms = ["linux/arm64", "linux/amd64"]
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/a:1"
            try test.lamina.build(
                test.context, "--provenance", "--sbom", "--platform", platforms.joined(separator: ","), "-t", name,
                "--push", "-o", "type=oci,tar=false,dest=\(layout)",
                "--metadata-file", test.path.appending("metadata.json").string)
            let top = try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array?.first
            let index = try test.blob(layout, top?["digest"]?.string)
            let entries = try #require(index["manifests"]?.array)
            #expect(entries.count == 4)
            for (number, platform) in platforms.enumerated() {
                let (image, attestation) = (entries[number], entries[number + 2])
                #expect("linux/\(image["platform"]?["architecture"]?.string ?? "")" == platform)
                #expect(attestation["platform"]?["os"]?.string == "unknown")
                #expect(attestation["annotations"]?["vnd.docker.reference.type"]?.string == "attestation-manifest")
                #expect(attestation["annotations"]?["vnd.docker.reference.digest"] == image["digest"])
                let manifest = try test.blob(layout, attestation["digest"]?.string)
                #expect(manifest["subject"]?["digest"] == image["digest"])
                let statements = try #require(manifest["layers"]?.array).map {
                    try test.blob(layout, $0["digest"]?.string)
                }
                #expect(
                    statements.compactMap { $0["predicateType"]?.string } == [
                        "https://spdx.dev/Document", "https://slsa.dev/provenance/v1",
                    ])
                for statement in statements {
                    let subject = statement["subject"]?.array?.first
                    #expect(
                        subject?["name"]?.string?.hasSuffix("?platform=\(platform.replacing("/", with: "%2F"))") == true
                    )
                    #expect("sha256:\(subject?["digest"]?["sha256"]?.string ?? "")" == image["digest"]?.string)
                }
                let layers = statements[1]["predicate"]?["runDetails"]?["metadata"]?["buildkit_metadata"]?["layers"]
                let named = try #require(layers?.object).values.compactMap { $0.array?.last?.array?.last?["digest"] }
                let last = try test.blob(layout, image["digest"]?.string)["layers"]?.array?.last
                #expect(named.contains { $0 == last?["digest"] })
            }
            let metadata = try JSONValue(parsing: text(of: test.path.appending("metadata.json")))
            for platform in platforms {
                #expect(metadata["buildx.build.provenance/\(platform)"]?["runDetails"] != nil)
            }
            let raw = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)")
            #expect(try JSONValue(parsing: raw.outputText)["manifests"]?.array?.count == 4)
            try expectSuccess(
                "skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(name)",
                "dir:\(test.path.appending("all"))")
            #expect(try test.lamina("fsck").status == 0)
            // The store passes the whole index on.
            try test.lamina.succeeding("tag", name, "\(registry.name)/b:1")
            try test.lamina.succeeding("push", "\(registry.name)/b:1")
            let again = try expectSuccess(
                "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(registry.name)/b:1")
            #expect(again.outputText == raw.outputText)
        }
    }

    @Test func isNotThereUnlessItIsAskedFor() throws {
        let test = try Case()
        for arguments in [[], ["--provenance=false"], ["--provenance", "--attest", "type=provenance,disabled=true"]] {
            let layout = test.path.appending("plain")
            try test.lamina.succeeding(
                ["build"] + (arguments.count == 3 ? Array(arguments.dropFirst()) : arguments)
                    + ["-o", "type=oci,tar=false,dest=\(layout)", test.context.string])
            #expect(!(try text(of: layout.appending("index.json")).contains("index.v1+json\",\"digest")))
        }
    }

    @Test(arguments: [
        (["--provenance=mode=medium"], "invalid mode 'medium'"), (["--provenance=version=v3"], "'v3'"),
        (["--provenance=color=red"], "does not take 'color'"),
        (["--attest", "type=vex"], "unknown attestation type 'vex'"),
        (["--attest", "type=sbom,generator=x"], "takes no generator"), (["--provenance", "-o", "out"], "beside files"),
        (["--provenance", "--format", "docker"], "cannot export attestations with"),
        (["--provenance", "-o", "type=docker,dest=x.tar"], "manifest lists"),
        (["--provenance=reproducible=maybe"], "'maybe'"),
        (["--provenance", "--platform", "linux/amd64,linux/arm64", "-o", "type=docker,dest=x.tar"], "manifest lists"),
    ])
    func whatCannotBeIsRefused(_ arguments: [String], _ sentence: String) throws {
        let test = try Case()
        let finished = try test.lamina.start(["build"] + arguments + [test.context.string], in: test.path).wait()
        #expect(finished.status != 0)
        #expect(finished.errorText.contains(sentence), "\(finished.errorText)")
    }
}
