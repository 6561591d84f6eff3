import SystemPackage
import Testing

/// Images through a registry, as a CI job sends and fetches them.
@Suite("Registry", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct RegistryTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath

    init() throws {
        scratch = try Scratch()
        // An empty place for credentials: the user's own are nothing to a test.
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        context = try scratch.context("FROM lamina/base\nRUN echo travelled > /t\n")
    }

    @Test func pushesAndPullsBack() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            let id = try lamina.build(context, "-t", name)
            let pushed = try lamina.succeeding("push", name)
            #expect(pushed.outputLines.first == "The push refers to repository [\(registry.name)/app]")
            #expect(pushed.outputLines.last?.contains("digest: sha256:") == true)

            try lamina.succeeding("rmi", name)
            let other = Lamina(root: scratch.path.appending("other")).with(lamina.environment)
            for store in [lamina, other] {
                try store.succeeding("pull", name)
                #expect(try store.succeeding("inspect", "--format", "{{.Id}}", name).trimmed == id)
            }
            let child = try scratch.context("FROM \(name)\nRUN cat /t\n", named: "child")
            let fresh = Lamina(root: scratch.path.appending("fresh")).with(lamina.environment)
            let built = try fresh("build", "--progress", "plain", child.string)
            #expect(built.status == 0 && built.errorText.contains(" travelled\n"), "\(built.errorText)")
            if Machine.hasSkopeo {
                try expectSuccess("skopeo", "inspect", "--tls-verify=false", "docker://\(name)")
            }
        }
    }

    @Test func buildPushesByItself() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/deep/er/app:2"
            try lamina.build(context, "-t", name, "--push")
            let other = Lamina(root: scratch.path.appending("other")).with(lamina.environment)
            try other.succeeding("pull", name)
        }
    }

    @Test func logsInWithNameAndPassword() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            try lamina.build(context, "-t", name)
            let refused = try lamina("push", name)
            #expect(refused.status == 1)
            #expect(refused.errorText.contains("401") && !refused.errorText.contains("\n\n"))

            try writeCredentials(DockerRegistry.password, for: registry, to: "good")
            let good = lamina.with(["DOCKER_CONFIG": scratch.path.appending("good").string])
            try good.succeeding("push", name)
            try good.succeeding("rmi", name)

            try writeCredentials("guess", for: registry, to: "bad")
            let bad = lamina.with(["DOCKER_CONFIG": scratch.path.appending("bad").string])
            let before = try lamina.state()
            #expect(try bad("pull", name).status == 1)
            #expect(try lamina.state() == before)
            try good.succeeding("pull", name)

            let unknown = try good("pull", "\(registry.name)/no-such:1")
            #expect(unknown.status == 1 && unknown.errorText.contains("no-such"), "\(unknown.errorText)")
        }
    }

    @Test("A build passes with a mirror while Docker Hub is down", arguments: ["option", "registries.conf"])
    func buildsFromAMirror(_ place: String) throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = "\(registry.name)/hub/library/mirrored:1"
            try lamina.build(context, "-t", base, "--push")
            let child = try scratch.context("FROM mirrored:1\nRUN cat /t\n", named: "child")
            let file = try scratch.write(
                "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"\(registry.name)/hub\"\n",
                to: "registries.conf")
            // A proxy that is not there stands for a registry that is down; this machine is reached without it.
            let down = lamina.environment.merging([
                "HTTPS_PROXY": "http://127.0.0.1:1", "CONTAINERS_REGISTRIES_CONF": file.string,
            ]) { $1 }
            var other = Lamina(root: scratch.path.appending("other")).with(down)
            var options: [String] = []
            if place == "option" {
                other = other.with(down.merging(["CONTAINERS_REGISTRIES_CONF": "/nowhere"]) { $1 })
                #expect(try other("build", child.string).status == 1)
                options = ["--registry-mirror", "http://\(registry.name)/hub"]
            }
            let built = try other.start(["build", "--progress", "plain"] + options + [child.string]).wait()
            #expect(built.status == 0 && built.errorText.contains(" travelled\n"), "\(built.errorText)")
        }
    }

    @Test("A name without a registry is what registries.conf says, in FROM, pull, run and rmi")
    func searchesForShortNames() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let full = "\(registry.name)/team/searched:1"
            try lamina.build(context, "-t", full, "--push")
            // The same registry by another name: one that is not there would be tried for seconds.
            let port = registry.name.split(separator: ":").last ?? ""
            let file = try scratch.write(
                "unqualified-search-registries = ['\(registry.name)', '127.0.0.1:\(port)']\n"
                    + "[aliases]\n'aliased' = '\(registry.name)/team/searched'\n", to: "registries.conf")
            let other = Lamina(root: scratch.path.appending("other"))
                .with(lamina.environment.merging(["CONTAINERS_REGISTRIES_CONF": file.string]) { $1 })
            let child = try scratch.context(
                "FROM aliased:1\nCOPY --from=team/searched:1 /t /u\nRUN cat /u\n", named: "child")
            let built = try other("build", "--progress", "plain", child.string)
            #expect(built.status == 0 && built.errorText.contains(" travelled\n"), "\(built.errorText)")
            #expect(built.errorText.contains("load metadata for \(full)\n"))

            #expect(try other.succeeding("pull", "-q", "team/searched:1").trimmed == full)
            #expect(try other.succeeding("run", "--rm", "aliased:1", "cat", "/t").trimmed == "travelled")
            #expect(try other.succeeding("rmi", "team/searched:1").outputLines.first == "Untagged: \(full)")
            let missing = try other("pull", "absent")
            #expect(missing.status == 1 && missing.errorText.contains("'absent:latest' is in none of the registries"))
            #expect(missing.errorText.contains("\(registry.name)/absent:latest ("))
            #expect(missing.errorText.contains("127.0.0.1:\(port)/absent:latest ("))
        }
    }

    @Test("list-tags, digest, manifest inspect and inspect docker:// agree with skopeo")
    func looksIntoARegistry() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/team/app"
            for tag in ["b", "a"] {
                try lamina.build(context, "-t", "\(name):\(tag)", "--label", "tag=\(tag)", "--push")
            }
            #expect(try lamina.succeeding("list-tags", name).outputLines.sorted() == ["a", "b"])
            #expect(try lamina.succeeding("list-tags", "--format", "{{len .Tags}}", "docker://\(name)").trimmed == "2")
            let refused = try lamina("list-tags", "\(name):a")
            #expect(refused.status == 1 && refused.errorText.contains("Leave the tag or digest out"))

            let digest = try lamina.succeeding("digest", "\(name):a").trimmed
            #expect(try lamina.succeeding("digest", "--platform", "linux/amd64", "\(name):a").trimmed == digest)
            let raw = try lamina.succeeding("inspect", "--raw", "docker://\(name):a")
            let manifest = try lamina.succeeding("manifest", "inspect", "\(name):a")
            #expect(
                manifest.outputText.contains("\n\t\"schemaVersion\": 2")
                    || manifest.outputText.contains("\t\"schemaVersion\": 2"))
            #expect(try JSONValue(parsing: manifest.outputText) == JSONValue(parsing: raw.outputText))
            let verbose = try JSONValue(parsing: lamina.succeeding("manifest", "inspect", "-v", "\(name):a").outputText)
            #expect(verbose["Descriptor"]?["digest"]?.string == digest)
            #expect(verbose["Descriptor"]?["platform"]?["os"]?.string == "linux")

            let own = try JSONValue(parsing: lamina.succeeding("inspect", "docker://\(name):a").outputText)
            #expect(own["Digest"]?.string == digest && own["Labels"]?["tag"]?.string == "a")
            #expect(try lamina("inspect", "--raw", "x").status == 2)
            guard Machine.hasSkopeo else { return }
            for options in [[], ["--config"], ["--raw"]] {
                let theirs = try RunningProcess(
                    ["skopeo", "inspect", "--tls-verify=false"] + options + ["docker://\(name):a"]
                ).wait()
                let ours = try lamina.start(["inspect"] + options + ["docker://\(name):a"]).wait()
                let (one, other) = try (JSONValue(parsing: ours.outputText), JSONValue(parsing: theirs.outputText))
                #expect(Self.known(one) == Self.known(other), "\(options)")
            }
        }
    }

    @Test func listsSearchesAndDeletesWhatARegistryHas() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let creds = ["--creds", "\(DockerRegistry.user):\(DockerRegistry.password)"]
            func succeeding(_ words: String...) throws -> Finished {
                let finished = try lamina.start(words + creds).wait()
                #expect(finished.status == 0, "\(finished.errorText)")
                return finished
            }
            try lamina.build(context, "-t", "app")
            for name in ["team/app:1", "team/app:2", "other/tool:1"] {
                try lamina.succeeding("tag", "app", "\(registry.name)/\(name)")
                _ = try succeeding("push", "\(registry.name)/\(name)")
            }
            #expect(try succeeding("catalog", registry.name).outputLines == ["other/tool", "team/app"])
            #expect(
                try succeeding("catalog", "--full-ref", registry.name).outputLines.first
                    == "\(registry.name)/other/tool")
            #expect(
                try succeeding("search", "--format", "{{.Name}}", "\(registry.name)/app").trimmed
                    == "\(registry.name)/team/app")
            let refused = try lamina("catalog", registry.name)
            #expect(refused.status == 1 && refused.errorText.contains("administrators only"))

            // This registry, of version 2, deletes no tag alone.
            let tag = try lamina.start(["delete", "\(registry.name)/team/app:2"] + creds).wait()
            #expect(tag.status == 1 && tag.errorText.contains("lamina digest"), "\(tag.errorText)")
            #expect(try lamina("delete", "\(registry.name)/team/app").errorText.contains("no tag and no digest"))
            let digest = try succeeding("digest", "\(registry.name)/team/app:2").trimmed
            _ = try succeeding("delete", "\(registry.name)/team/app@\(digest)")
            #expect(try lamina.start(["digest", "\(registry.name)/team/app:1"] + creds).wait().status == 1)
            #expect(try succeeding("digest", "\(registry.name)/other/tool:1").trimmed == digest)
        }
    }

    /// The members that skopeo of any age has.
    private static func known(_ document: JSONValue) -> JSONValue {
        guard case .object(var members) = document else { return document }
        members["LayersData"] = nil
        return .object(members)
    }

    @Test func saysThatNobodyListens() throws {
        let finished = try lamina("pull", "localhost:1/app:1")
        #expect(finished.status == 1)
        #expect(finished.errorLines.first?.contains("localhost:1") == true)
    }

    private func writeCredentials(_ password: String, for registry: DockerRegistry, to folder: String) throws {
        let pair = try expectSuccess("sh", "-c", "printf %s \"$0\" | base64", "\(DockerRegistry.user):\(password)")
            .trimmed
        try scratch.write("{\"auths\": {\"\(registry.name)\": {\"auth\": \"\(pair)\"}}}", to: "\(folder)/config.json")
    }
}
