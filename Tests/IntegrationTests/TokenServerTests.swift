import Glibc
import SystemPackage
import Testing

/// A registry that takes tokens of a token server alone: see `testdata/registry/token-server.py`.
@Suite("Token server", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct TokenServerTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /a\nCOPY Dockerfile /b\n")
        try lamina.build(context, "-t", "sample:1")
    }

    /// Runs `body` with a token server of a kind, and a registry that trusts it.
    private func withTokens(
        _ kind: String, _ body: (DockerRegistry, _ log: () throws -> [String]) throws -> Void
    ) throws {
        let directory = scratch.path.appending("token").string
        let script = """
            mkdir -p "$0" && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens \
            -keyout "$0/token.key" -out "$0/token.crt" 2>/dev/null
            """
        try expectSuccess("sh", "-ec", script, directory)
        let port = try DockerRegistry.freePort()
        let program = Lamina.packageRoot.appending("testdata/registry/token-server.py").string
        let server = try RunningProcess(["python3", program, "\(port)", directory, kind])
        defer {
            server.send(SIGTERM)
            _ = try? server.wait(limit: .seconds(10))
        }
        try wait(until: { try RegistryProxy.listens(port) })
        let settings = """
            {token: {realm: "http://localhost:\(port)/token", service: tests, issuer: tests, \
            rootcertbundle: \(directory)/token.crt}}
            """
        try DockerRegistry.with(authorization: settings, in: scratch) { registry in
            try body(registry) { try server.outputSoFar().lines.map { String($0) } }
        }
    }

    private let login = "\(DockerRegistry.user):\(DockerRegistry.password)"

    @Test("A password is exchanged for tokens, by GET and by POST", arguments: ["get", "post"])
    func passwords(_ kind: String) throws {
        try withTokens(kind) { registry, log in
            let name = "\(registry.name)/team/app:1"
            let anonymous = try lamina("copy", "sample:1", "docker://\(name)")
            #expect(anonymous.status == 1)
            let wrong = try lamina("copy", "--dest-creds", "user:wrong", "sample:1", "docker://\(name)")
            #expect(wrong.status == 1 && wrong.errorText.contains("the login failed"), "\(wrong.errorText)")
            try lamina.succeeding("copy", "-q", "--dest-creds", login, "sample:1", "docker://\(name)")
            let pulled = try lamina("pull", "--creds", login, name)
            #expect(pulled.status == 0, "\(pulled.errorText)")
            let grant = kind == "get" ? "GET basic user" : "POST password user"
            let lines = try log()
            #expect(
                lines.contains { $0.hasPrefix(grant) && $0.hasSuffix("repository:team/app:pull,push") }, "\(lines)")
            #expect(lines.contains("\(grant) repository:team/app:pull"), "\(lines)")
            // No token is asked for more than the repository at hand.
            #expect(!lines.contains { $0.contains("*") || $0.contains("team/app:push") }, "\(lines)")
        }
    }

    @Test("A robot's name with a dollar sign logs in, and its login is used")
    func robots() throws {
        try withTokens("get") { registry, log in
            let script = """
                printf robot-secret | "$0" login -u 'robot$team+ci' --password-stdin "$1"
                """
            let program = try #require(Lamina.binary).string
            try expectSuccess(
                "sh", "-ec", script, program, registry.name,
                environment: ["LAMINA_ROOT": lamina.root.string, "DOCKER_CONFIG": scratch.path.string])
            try lamina.succeeding("copy", "-q", "sample:1", "docker://\(registry.name)/team/app:1")
            #expect(
                try log().contains {
                    $0.hasPrefix("GET basic robot$team+ci ") && $0.hasSuffix("repository:team/app:pull,push")
                })
        }
    }

    @Test("An identity token is exchanged for tokens")
    func identityTokens() throws {
        try withTokens("refresh") { registry, log in
            try scratch.write(
                "{\"auths\":{\"\(registry.name)\":{\"auth\":\"dXNlcjo=\",\"identitytoken\":\"refresh\"}}}",
                to: "config.json")
            try lamina.succeeding("copy", "-q", "sample:1", "docker://\(registry.name)/app:1")
            #expect(
                try log().contains {
                    $0.hasPrefix("POST refresh_token - ") && $0.hasSuffix("repository:app:pull,push")
                })
            #expect(try !log().contains { $0.hasPrefix("GET") })
        }
    }

    @Test("A token that is no longer taken in the middle of a push is replaced")
    func expiry() throws {
        try withTokens("get") { registry, log in
            try RegistryProxy.with("expire", before: registry) { proxy in
                let pushed = try lamina("copy", "--dest-creds", login, "sample:1", "docker://\(proxy.name)/app:1")
                #expect(pushed.status == 0, "\(pushed.errorText)")
                let requests = try proxy.requests()
                #expect(requests.allSatisfy { $0.hasSuffix(" Bearer") || $0.hasSuffix(" none") }, "\(requests)")
            }
            let tokens = try log().filter { $0.hasSuffix("repository:app:pull,push") }
            #expect(tokens.count > 1, "\(tokens)")
            let out = "oci:\(scratch.path.appending("out"))"
            let read = try lamina("copy", "--src-creds", login, "docker://\(registry.name)/app:1", out)
            #expect(read.status == 0, "\(read.errorText)")
        }
    }

    @Test("A blob is mounted with a token for both repositories")
    func mounts() throws {
        try withTokens("get") { registry, log in
            let (first, second) = ("docker://\(registry.name)/first:1", "docker://\(registry.name)/second:1")
            try lamina.succeeding("copy", "-q", "--dest-creds", login, "sample:1", first)
            try lamina.succeeding("copy", "-q", "--src-creds", login, "--dest-creds", login, first, second)
            let lines = try log()
            #expect(
                lines.contains { $0.hasSuffix("repository:first:pull repository:second:pull,push") }, "\(lines)")
        }
    }
}
