import SystemPackage
import Testing

/// Images of several platforms under one name.
@Suite("Platforms", .enabled(if: Machine.isRoot && Machine.hasRegistry && Machine.hasSkopeo, Machine.needsRegistry))
struct PlatformTests {
    private let scratch: Scratch
    private let platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"]

    init() throws { scratch = try Scratch() }

    private func store(_ name: String) -> Lamina {
        Lamina(root: scratch.path.appending(name)).with(["DOCKER_CONFIG": scratch.path.string])
    }

    /// Pushes an index of an image for each platform, an attestation and a manifest of a type that nobody knows.
    ///
    /// - Returns: the digest of the index.
    private func pushIndex(_ name: String, to registry: DockerRegistry) throws -> String {
        let maker = store("maker")
        for (number, platform) in platforms.enumerated() {
            let context = try scratch.context(
                "FROM scratch\nCOPY Dockerfile /\nLABEL of=\(platform)\n", named: "for-\(number)")
            try maker.build(context, "--platform", platform, "-t", "\(registry.name)/\(name):p\(number)", "--push")
        }
        let script = """
            import hashlib, json, sys, urllib.request as u
            base, platforms = sys.argv[1], sys.argv[2:]
            OCI = 'application/vnd.oci.image.'
            def put(name, data, kind):
                u.urlopen(u.Request(base + '/manifests/' + name, data, {'Content-Type': kind}, method='PUT'))
                return dict(mediaType=kind, digest='sha256:' + hashlib.sha256(data).hexdigest(), size=len(data))
            def blob(data, kind):
                digest = 'sha256:' + hashlib.sha256(data).hexdigest()
                where = u.urlopen(u.Request(base + '/blobs/uploads/', b'', method='POST')).headers['Location']
                u.urlopen(u.Request(where + ('&' if '?' in where else '?') + 'digest=' + digest, data,
                    {'Content-Type': 'application/octet-stream'}, method='PUT'))
                return dict(mediaType=kind, digest=digest, size=len(data))
            entries = []
            for number, platform in enumerate(platforms):
                q = u.Request(base + '/manifests/p%d' % number, headers={'Accept': OCI + 'manifest.v1+json'})
                data = u.urlopen(q).read()
                os, arch, *variant = platform.split('/')
                entries.append(dict(mediaType=OCI + 'manifest.v1+json', size=len(data),
                    digest='sha256:' + hashlib.sha256(data).hexdigest(),
                    platform=dict(os=os, architecture=arch, **(dict(variant=variant[0]) if variant else {}))))
            manifest = json.dumps(dict(schemaVersion=2, mediaType=OCI + 'manifest.v1+json',
                config=blob(b'{}', OCI + 'config.v1+json'),
                layers=[blob(b'{"it":"was built"}', 'application/vnd.in-toto+json')])).encode()
            digest = 'sha256:' + hashlib.sha256(manifest).hexdigest()
            entries.append(dict(put(digest, manifest, OCI + 'manifest.v1+json'),
                platform=dict(os='unknown', architecture='unknown'),
                annotations={'vnd.docker.reference.type': 'attestation-manifest'}))
            index = json.dumps(dict(schemaVersion=2, mediaType=OCI + 'index.v1+json', manifests=entries)).encode()
            print(put('latest', index, OCI + 'index.v1+json')['digest'])
            """
        let made = try RunningProcess(
            ["python3", "-c", script, "http://\(registry.name)/v2/\(name)"] + platforms
        ).wait()
        guard made.status == 0 else { throw CommandFailure(description: made.errorText) }
        return made.trimmed
    }

    private func label(_ lamina: Lamina, _ base: String, _ platform: String) throws -> [String] {
        let context = try scratch.context("FROM \(base)\nENV A=1\n", named: "child")
        let id = try lamina.build(context, "--platform", platform)
        let format = "{{index .Config.Labels \"of\"}} {{.Architecture}}"
        return try lamina.succeeding("inspect", "--format", format, id).trimmed.split(separator: " ").map(String.init)
    }

    @Test func filesAreThoseOfThePlatformThatIsAskedFor() throws {
        try DockerRegistry.with(in: scratch) { registry in
            _ = try pushIndex("inspected", to: registry)
            let name = "\(registry.name)/inspected"
            let lamina = store("inspector")
            for platform in platforms { try lamina.succeeding("pull", "--platform", platform, name) }
            let layout = scratch.path.appending("layout")
            try expectSuccess(
                "skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(name):latest", "oci:\(layout)")
            for image in [name, "oci:\(layout)"] {
                for platform in platforms {
                    let words = ["--platform", platform, image]
                    #expect(
                        try lamina.succeeding(["cat"] + words + ["/Dockerfile"]).outputText.contains("of=\(platform)\n")
                    )
                    #expect(try lamina.succeeding(["ls", "--format", "{{.Name}}"] + words).trimmed == "Dockerfile")
                    #expect(try lamina.succeeding(["diff", "--exit-code"] + words + [image]).status == 0)
                }
                let missing = try lamina("analyze", "--platform", "linux/s390x", image)
                #expect(missing.status == 1 && missing.errorText.contains("linux/s390x"), "\(missing.errorText)")
            }
        }
    }

    @Test func aBaseIsTheBestEntryForThePlatformWhateverElseIsStored() throws {
        try DockerRegistry.with(in: scratch) { registry in
            _ = try pushIndex("multi", to: registry)
            let base = "\(registry.name)/multi"
            let lamina = store("builder")
            for platform in ["linux/arm/v7", "linux/arm64", "linux/amd64", "linux/arm/v7"] {
                let found = try label(lamina, base, platform)
                #expect(found == [platform, platform.split(separator: "/").map(String.init)[1]])
            }
            // All are here now, below one name.
            #expect(try registry.requests { _ = try label(lamina, base, "linux/arm64") }.isEmpty)
        }
    }

    @Test func anIndexIsKeptAndPassedOnUnchanged() throws {
        try DockerRegistry.with(in: scratch) { source in
            let digest = try pushIndex("multi", to: source)
            let name = "\(source.name)/multi"
            let lamina = store("carrier")
            #expect(try lamina.succeeding("pull", name).outputText.contains("Digest: \(digest)"))
            #expect(
                try lamina.succeeding("inspect", "--format", "{{index .RepoDigests 0}}", name).trimmed
                    == "\(name)@\(digest)")
            #expect(try lamina.succeeding("inspect", "--format", "{{.Id}}", "\(name)@\(digest)").status == 0)

            let other = try Scratch()
            try DockerRegistry.with(in: other) { target in
                let copy = "\(target.name)/copied/multi"
                try lamina.succeeding("tag", name, copy)
                let pushed = try lamina.succeeding("push", copy)
                #expect(pushed.outputLines.last?.contains("digest: \(digest)") == true, "\(pushed.outputText)")
                // Everything came along: an independent program finds all of it.
                try expectSuccess(
                    "skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(copy)",
                    "dir:\(other.path.appending("all"))")
                for platform in platforms { #expect(try label(store("user"), copy, platform)[0] == platform) }

                let one = "\(target.name)/one"
                try lamina.succeeding("tag", name, one)
                #expect(try lamina("push", "--platform", "linux/arm64", one).status == 1)
                try lamina.succeeding("push", "--platform", "linux/amd64", one)
                let raw = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(one)")
                #expect(try JSONValue(parsing: raw.outputText)["layers"] != nil)
            }
        }
    }

    @Test func aFailedPullLeavesTheNameWithTheGoodImage() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app"
            let maker = store("maker")
            try maker.build(
                try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "old"), "-t", name, "--push")
            let lamina = store("puller")
            try lamina.succeeding("pull", name)
            let before = try lamina.succeeding("inspect", name).outputText
            try maker.build(
                try scratch.context("FROM scratch\nCOPY Dockerfile /new\n", named: "new"), "-t", name, "--push")
            let manifest = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)")
            let layer = try #require(
                try JSONValue(parsing: manifest.outputText)["layers"]?.array?.first?["digest"]?.string)
            try DockerRegistry.remove(layer, in: scratch)
            let child = try scratch.context("FROM \(name)\nENV A=1\n", named: "child")
            for arguments in [["pull", name], ["build", "--pull", child.string]] {
                let failed = try lamina.start(arguments).wait()
                #expect(failed.status == 1 && failed.errorText.contains(layer), "\(failed.errorText)")
                #expect(try lamina.succeeding("inspect", name).outputText == before)
                #expect(try lamina.succeeding("fsck").status == 0)
            }
            let fresh = store("fresh")
            #expect(try fresh("pull", name).status == 1)
            #expect(try fresh.succeeding("images", "-q").outputLines.isEmpty)
        }
    }

    @Test("A base whose layer has other bytes than its registry says does not take the name of the good image")
    func aBuildWhoseBaseIsDamagedLeavesTheName() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app"
            let maker = store("maker")
            try maker.build(
                try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "old"), "-t", name, "--push")
            let lamina = store("puller")
            try lamina.succeeding("pull", name)
            let before = try lamina.succeeding("inspect", name).outputText
            try maker.build(
                try scratch.context("FROM scratch\nCOPY Dockerfile /new\n", named: "new"), "-t", name, "--push")
            let manifest = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)")
            let layer = try #require(
                try JSONValue(parsing: manifest.outputText)["layers"]?.array?.first?["digest"]?.string)
            // As many bytes as before, but others.
            let script = """
                file=$(find "$0" -path "*/${1#sha256:}/data")
                printf XX | dd of="$file" bs=1 seek=20 conv=notrunc
                """
            try expectSuccess("sh", "-ec", script, scratch.path.string, layer)
            let child = try scratch.context("FROM \(name)\nCOPY --from=\(name) /new /x\n", named: "child")
            let failed = try lamina("build", "--pull", child.string)
            #expect(failed.status == 1, "\(failed.errorText)")
            #expect(try lamina.succeeding("inspect", name).outputText == before)
            #expect(try lamina.succeeding("fsck").status == 0)
            let fresh = store("fresh")
            #expect(try fresh("build", child.string).status == 1)
            #expect(try fresh.succeeding("images", "-q").outputLines.isEmpty)
        }
    }
}
