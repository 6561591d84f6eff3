import SystemPackage
import Testing

/// `lamina sync` against a real registry, with skopeo as a second opinion.
@Suite("Sync", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct SyncTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /a\nENV K=v\n")
        try lamina.build(context, "-t", "synced:1")
    }

    /// Runs `body` with a registry that has a few tags of two repositories.
    private func withImages(_ body: (DockerRegistry) throws -> Void) throws {
        try DockerRegistry.with(in: scratch) { registry in
            for name in ["app:1.0", "app:1.1", "app:2.0-rc1", "app:edge", "team/tool:latest"] {
                try lamina.succeeding("copy", "-q", "synced:1", "docker://\(registry.name)/\(name)")
            }
            try body(registry)
        }
    }

    private func list(_ registry: DockerRegistry, _ text: String) throws -> String {
        try scratch.write("\(registry.name):\n\(text)", to: "list.yml").string
    }

    private func tags(_ name: String) throws -> [String] {
        try lamina.succeeding("list-tags", name).outputLines.sorted()
    }

    @Test("A list brings the images that it names, and a second time nothing is sent")
    func copiesAList() throws {
        try withImages { registry in
            let list = try list(
                registry,
                """
                  images:
                    team/tool: []
                  images-by-tag-regex:
                    app: ^[a-z]+$
                  images-by-semver:
                    app: ">= 1, < 3"
                """)
            let target = "\(registry.name)/mirror"
            let dry = try lamina.succeeding("sync", "--dry-run", list, target)
            #expect(dry.outputText.contains("Would copy 4 images"), "\(dry.outputText)")
            #expect(try lamina("list-tags", "\(target)/app").status == 1)
            let first = try lamina.succeeding("sync", list, target)
            #expect(first.outputText.contains("4 images: 4 copied, 0 there already"), "\(first.outputText)")
            #expect(try tags("\(target)/app") == ["1.0", "1.1", "edge"])
            #expect(try tags("\(target)/tool") == ["latest"])
            let requests = try registry.requests {
                let second = try lamina.succeeding("sync", list, target)
                #expect(second.outputText.contains("4 images: 0 copied, 4 there already"), "\(second.outputText)")
            }
            #expect(!requests.contains { $0.hasPrefix("P") || $0.contains("/blobs/") }, "\(requests)")
            let digests = try ["\(registry.name)/app:edge", "\(target)/app:edge"].map {
                try lamina.succeeding("digest", $0).trimmed
            }
            #expect(digests[0] == digests[1])
        }
    }

    @Test("A failing image ends it, or with --keep-going not before the others are copied")
    func keepsGoing() throws {
        try withImages { registry in
            let list = try list(registry, "  images: {app: ['no-such', '1.0'], no/such: [], team/tool: [latest]}\n")
            let target = "\(registry.name)/mirror"
            let ended = try lamina("sync", list, target)
            #expect(ended.status == 1 && ended.errorText.contains("no-such"), "\(ended.errorText)")
            #expect(try lamina("list-tags", "\(target)/app").status == 1)
            let all = try lamina("sync", "--keep-going", list, target)
            #expect(all.status == 1 && all.errorText.contains("2 of 4 images were not copied"), "\(all.errorText)")
            #expect(all.errorText.contains("no/such"))
            #expect(try tags("\(target)/app") == ["1.0"])
            #expect(try tags("\(target)/tool") == ["latest"])
        }
    }

    @Test(
        "A repository goes to a directory, and from there to a registry, as with skopeo",
        .enabled(if: Machine.hasSkopeo, Machine.needsSkopeo))
    func goesThroughDirectories() throws {
        try withImages { registry in
            let (ours, theirs) = (scratch.path.appending("ours").string, scratch.path.appending("theirs").string)
            try lamina.succeeding("sync", "--src", "docker", "--dest", "dir", "\(registry.name)/app", ours)
            try expectSuccess(
                "skopeo", "sync", "--insecure-policy", "--src-tls-verify=false", "--src", "docker", "--dest", "dir",
                "\(registry.name)/app", theirs)
            #expect(try expectSuccess("ls", ours).outputLines == expectSuccess("ls", theirs).outputLines)
            try lamina.succeeding(
                "sync", "--scoped", "--src", "docker", "--dest", "dir", "\(registry.name)/app:1.0", ours)
            #expect(try expectSuccess("ls", "\(ours)/\(registry.name)").outputLines == ["app:1.0"])
            try expectSuccess("rm", "-r", "\(ours)/\(registry.name)")
            for (directory, place) in [(ours, "from-ours"), (theirs, "from-theirs")] {
                try lamina.succeeding("sync", "dir:\(directory)", "\(registry.name)/\(place)")
                #expect(try tags("\(registry.name)/\(place)/app") == ["1.0", "1.1", "2.0-rc1", "edge"])
            }
            try lamina.succeeding("sync", "--append-suffix", "-x", "dir:\(ours)/app:1.0", "\(registry.name)/one")
            #expect(try tags("\(registry.name)/one/app") == ["1.0-x"])
        }
    }

    @Test("Logins of a list and of options reach their registry alone")
    func logsIn() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let (user, password) = (DockerRegistry.user, DockerRegistry.password)
            try lamina.succeeding(
                "copy", "-q", "--dest-creds", "\(user):\(password)", "synced:1", "docker://\(registry.name)/app:1")
            let images = "  images: {app: ['1']}\n"
            let directory = scratch.path.appending("out").string
            let anonymous = try lamina("sync", "--dest", "dir", list(registry, images), directory)
            #expect(anonymous.status == 1 && anonymous.errorText.contains("401"), "\(anonymous.errorText)")
            let login = "  credentials: {username: \(user), password: \(password)}\n"
            try lamina.succeeding("sync", "--dest", "dir", list(registry, images + login), directory)
            let refused = try lamina("sync", list(registry, images + login), "\(registry.name)/mirror")
            #expect(refused.status == 1, "\(refused.errorText)")
            try lamina.succeeding(
                "sync", "--dest-creds", "\(user):\(password)", list(registry, images + login), "\(registry.name)/mirror"
            )
        }
    }

    @Test(
        "Wrong lists and options are refused with one sentence",
        arguments: [
            ("nonsense: [", ["x.example/y"], "cannot be read: line"),
            ("a.example: {image: {}}", ["x.example/y"], "means nothing here"),
            ("a.example: {images: {b: ['1']}}", ["--dest-creds", "u:p", "--dest", "dir", "out"], "is in none"),
        ])
    func refuses(_ text: String, _ arguments: [String], _ sentence: String) throws {
        let file = try scratch.write(text, to: "bad.yml").string
        let options = arguments.dropLast()
        let finished = try lamina.start(["sync"] + options + [file] + arguments.suffix(1)).wait()
        #expect(finished.status == 1 && finished.errorText.contains(sentence), "\(finished.errorText)")
    }
}
