import Diagnostics
import Logins
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct RegistryConfigurationTests {
    private static let file = """
        unqualified-search-registries = ["docker.io"]
        [[registry]]
        prefix = "docker.io"
        location = "hub.corp.test/"
        [[registry.mirror]]
        location = "one.test:5000/hub"
        insecure = true
        [[registry.mirror]]
        location = "digests.test"
        pull-from-mirror = "digest-only"
        [[registry]]
        prefix = "docker.io/library"
        location = "docker.io/library"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "official.test/x"
        [[registry]]
        prefix = "*.test.example"
        insecure = true
        [[registry]]
        location = "evil.test"
        blocked = true
        [[registry]]
        location = "old.test"
        [[registry.mirror]]
        location = "tags.test"
        pull-from-mirror = "tag-only"
        """

    private func configuration(_ text: String = file) throws -> RegistryConfiguration {
        var configuration = RegistryConfiguration()
        try configuration.add(registriesFile: TOML.parse(Array(text.utf8)), path: "registries.conf")
        return configuration
    }

    private static let digest = Digest(of: "x")

    @Test(
        "Mirrors come in order, then the place of the prefix",
        arguments: [
            ("a/b", ["one.test:5000/hub/a/b:latest !", "hub.corp.test/a/b:latest"]),
            (
                "a/b@\(digest)",
                ["one.test:5000/hub/a/b@\(digest) !", "digests.test/a/b@\(digest)", "hub.corp.test/a/b@\(digest)"]
            ),
            ("busybox", ["docker.io/library/busybox:latest"]),
            ("busybox@\(digest)", ["official.test/x/busybox@\(digest)", "docker.io/library/busybox@\(digest)"]),
            ("a.test.example/x", ["a.test.example/x:latest !"]), ("test.example/x", ["test.example/x:latest"]),
            ("old.test/x", ["tags.test/x:latest", "old.test/x:latest"]),
            ("old.test/x@\(digest)", ["old.test/x@\(digest)"]),
            ("old.tester/x", ["old.tester/x:latest"]), ("ghcr.io/x", ["ghcr.io/x:latest"]),
        ])
    func sources(_ name: String, _ expected: [String]) throws {
        let sources = try configuration().sources(for: try ImageReference(parsing: name))
        #expect(sources.map { "\($0.reference)\($0.isInsecure ? " !" : "")" } == expected)
        #expect(sources.dropLast().allSatisfy(\.isMirror) && sources.last?.isMirror == false)
    }

    @Test func blockedRegistriesAreRefusedInBothDirections() throws {
        let reference = try ImageReference(parsing: "evil.test/x")
        for body in [{ try configuration().sources(for: reference) }, { [try configuration().target(for: reference)] }]
        {
            let error = #expect(throws: RegistryError.self) { try body() }
            #expect(error?.code == .blocked && error?.message.contains("'registries.conf'") == true)
        }
        let target = try configuration().target(for: try ImageReference(parsing: "a/b"))
        #expect(target.reference.registry == "docker.io", "a push goes to the place that its name says")
    }

    @Test(
        "Mirrors of the command line come first",
        arguments: [
            ("https://m.test", "busybox", "m.test/library/busybox:latest"),
            ("m.test:5000/", "busybox", "m.test:5000/library/busybox:latest"),
            ("http://m.test/p/q", "busybox", "m.test/p/q/library/busybox:latest !"),
            ("ghcr.io=https://m.test/ghcr", "ghcr.io/a/b", "m.test/ghcr/a/b:latest"),
            ("ghcr.io=https://m.test/ghcr", "busybox", nil),
        ] as [(String, String, String?)])
    func commandLine(_ option: String, _ name: String, _ expected: String?) throws {
        var configuration = RegistryConfiguration()
        try configuration.add(option: option)
        let first = try configuration.sources(for: try ImageReference(parsing: name)).dropLast().first
        #expect(first.map { "\($0.reference)\($0.isInsecure ? " !" : "")" } == expected)
    }

    @Test("The mirrors of the command line may be all that is read from")
    func mirrorsOnly() throws {
        var configuration = try configuration()
        configuration.readsMirrorsOnly = true
        try configuration.add(option: "old.test=m.test")
        func places(_ name: String) throws -> [String] {
            try configuration.sources(for: ImageReference(parsing: name)).map(\.reference.registry)
        }
        #expect(try places("old.test/x") == ["m.test"])
        #expect(try places("ghcr.io/x") == ["ghcr.io"])
        #expect(try configuration.target(for: ImageReference(parsing: "old.test/x")).reference.registry == "old.test")
    }

    @Test(
        "What is no mirror is refused",
        arguments: ["", "https://", "https://a b", "x=", "https://u:p@h/", "https://h/?q"])
    func badMirrors(_ option: String) {
        var configuration = RegistryConfiguration()
        let error = #expect(throws: RegistryError.self) { try configuration.add(option: option) }
        #expect(error?.code == .configuration)
    }

    @Test(arguments: [
        "[registries.search]\nregistries = []", "[[registry]]\n", "[[registry]]\nlocation='a'\n[[registry.mirror]]",
        "[[registry]]\nlocation='a'\n[[registry.mirror]]\nlocation='b'\npull-from-mirror='some'",
    ])
    func badFiles(_ text: String) {
        let error = #expect(throws: RegistryError.self) { try configuration(text) }
        #expect(error?.code == .configuration && error?.message.contains("registries.conf") == true)
    }

    @Test("The first file counts, and the additions of all after it")
    func files() async throws {
        func rule(_ name: String, _ location: String) -> String {
            "[[registry]]\nprefix='\(name)'\nlocation='\(location)'\n"
        }
        try await withDirectory { directory in
            try write(rule("a.test", "user.test"), to: "\(directory)/user/registries.conf")
            try write(rule("c.test", "user-d.test"), to: "\(directory)/user/registries.conf.d/1.conf")
            try write(rule("b.test", "system.test"), to: "\(directory)/system/registries.conf")
            try write(rule("c.test", "system-d.test"), to: "\(directory)/system/registries.conf.d/1.conf")
            try write(rule("a.test", "wrong"), to: "\(directory)/system/registries.conf.d/1.txt")
            try write(
                #"{"registry-mirrors":["https://hub.test/"],"insecure-registries":["10.0.0.0/8"]}"#,
                to: "\(directory)/daemon.json")
            let files = RegistryConfigurationFiles(
                containers: ["user", "system"].map {
                    ("\(directory)/\($0)/registries.conf", "\(directory)/\($0)/registries.conf.d")
                },
                daemon: ["\(directory)/none.json", "\(directory)/daemon.json"], mirrors: [])
            let configuration = try files.load()
            func place(_ name: String) throws -> String? {
                try configuration.sources(for: try ImageReference(parsing: name)).first?.reference.registry
            }
            #expect(try place("a.test/x") == "user.test")
            #expect(try place("b.test/x") == "b.test")
            #expect(try place("c.test/x") == "user-d.test")
            #expect(try place("busybox") == "hub.test")
            #expect(configuration.insecureRegistries == ["10.0.0.0/8"])
        }
    }

    @Test(arguments: ["registries.conf", "daemon.json"]) func brokenFileIsNamed(_ name: String) async throws {
        try await withDirectory { directory in
            try write("nonsense", to: "\(directory)/\(name)")
            let files = RegistryConfigurationFiles(
                containers: [("\(directory)/registries.conf", "\(directory)/d")], daemon: ["\(directory)/daemon.json"],
                mirrors: [])
            let error = #expect(throws: RegistryError.self) { try files.load() }
            #expect(error?.code == .configuration && error?.message.contains("\(directory)/\(name)") == true)
        }
    }
}

@Suite struct MirrorTests {
    private let sample = SampleImage()

    /// A network in which the hosts named fail, and all others have the sample image.
    private func network(_ failures: [String: @Sendable () throws -> HTTPResponse]) -> FakeTransport {
        FakeTransport { [sample] exchange, _ in
            if let failure = failures[exchange.request.url.host] { return try failure() }
            let isBlob = exchange.request.url.target.contains("/blobs/")
            return HTTPResponse(200, [:], bytes: isBlob ? sample.layer : sample.bytes)
        }
    }

    private func client(_ transport: FakeTransport, _ mirrors: [String]) -> RegistryClient {
        makeClient(transport) {
            $0.configuration = RegistryConfigurationFiles(
                containers: [], daemon: [], mirrors: mirrors.map { "r.test=https://\($0)" })
        }
    }

    private static let unreachable: @Sendable () throws -> HTTPResponse = { throw RegistryError(.unreachable, "down") }

    @Test("A mirror alone is asked if it has the image, even if the registry is down")
    func registryIsDown() async throws {
        let transport = network(["r.test": Self.unreachable])
        let client = client(transport, ["m.test"])
        _ = try await client.resolve(image, platform: linux)
        let sink = MemoryBlobs()
        try await client.fetchBlob(sample.manifest.layers[0], of: image, into: sink)
        #expect(try await client.missingBlobs(of: sample.manifest.layers, in: image).isEmpty)
        #expect(sink[Digest(of: sample.layer)] == sample.layer)
        #expect(transport.exchanges.allSatisfy { $0.request.url.host == "m.test" })
    }

    @Test(
        "What a mirror does not give comes from the next place",
        arguments: [404, 401, 403, 500, 0, 1])
    func fallsBack(_ failure: Int) async throws {
        let transport = network([
            "m.test": {
                switch failure {
                case 0: throw RegistryError(.unreachable, "down")
                case 1: return HTTPResponse(200, [:], "not what was asked for")
                default: return HTTPResponse(failure)
                }
            }
        ])
        let client = client(transport, ["m.test", "n.test"])
        let notices = Mutex<[String]>([])
        let sink = MemoryBlobs()
        try await NetworkNotice.heard(by: { notice in notices.withLock { $0.append(notice) } }) {
            _ = try await client.resolve(image.with(tag: nil, digest: sample.digest), platform: linux)
            try await client.fetchBlob(sample.manifest.layers[0], of: image, into: sink)
        }
        #expect(sink[Digest(of: sample.layer)] == sample.layer)
        #expect(Set(transport.exchanges.map(\.request.url.host)) == ["m.test", "n.test"])
        #expect(notices.withLock { $0 }.contains { $0.contains("the mirror m.test failed") } == (failure != 404))
    }

    @Test("A mirror that cannot be reached is tried once, and the error names it")
    func deadMirrors() async throws {
        let transport = network(["m.test": Self.unreachable, "r.test": { HTTPResponse(404) }])
        let client = client(transport, ["m.test"])
        for _ in 0..<3 {
            let error = try await registryError { _ = try await client.resolve(image, platform: linux) }
            #expect(error?.code == .notFound)
        }
        #expect(transport.exchanges.count { $0.request.url.host == "m.test" } == 2, "two attempts of one request")
        let fresh = self.client(transport, ["m.test"])
        let error = try await registryError { _ = try await fresh.resolve(image, platform: linux) }
        #expect(error?.message.hasSuffix("; the mirror m.test: down") == true)
    }

    @Test("A mirror gets its own login, not that of the registry")
    func logins() async throws {
        let transport = network(["m.test": { HTTPResponse(401, ["WWW-Authenticate": "Basic realm=x"]) }])
        let client = makeClient(transport, credential: .password(user: "u", password: "p")) {
            $0.configuration = RegistryConfigurationFiles(
                containers: [], daemon: [], mirrors: ["r.test=https://m.test"])
        }
        _ = try await client.resolve(image, platform: linux)
        #expect(transport.exchanges.allSatisfy { $0.authorization == nil })
    }

    @Test("A push goes to the registry itself")
    func pushes() async throws {
        let transport = network([:])
        _ = try await client(transport, ["m.test"]).pushManifest(sample.bytes, type: .ociManifest, as: image)
        #expect(transport.lines == ["PUT https://r.test/v2/team/app/manifests/1"])
    }
}
