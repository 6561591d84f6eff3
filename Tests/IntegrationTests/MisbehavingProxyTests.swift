import SystemPackage
import Testing

/// Transfers through a proxy that cuts, delays, truncates, corrupts, refuses and redirects: nothing wrong is stored or
/// pushed, and the error says what happened.
@Suite("Misbehaving proxies", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct MisbehavingProxyTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
        let context = try scratch.context("FROM scratch\nCOPY data /data\n")
        try expectSuccess("sh", "-c", "head -c 600000 /dev/urandom > \(context)/data")
        try lamina.build(context, "-t", "sample:1")
    }

    private var other: Lamina {
        Lamina(root: scratch.path.appending("other")).with(["DOCKER_CONFIG": scratch.path.string])
    }

    /// Runs `body` with a proxy before a registry that has the sample image.
    private func withImage(_ mode: String, _ body: (RegistryProxy) throws -> Void) throws {
        try DockerRegistry.with(in: scratch) { registry in
            try lamina.succeeding("copy", "-q", "sample:1", "docker://\(registry.name)/app:1")
            try RegistryProxy.with(mode, before: registry, body)
        }
    }

    private func content(_ store: Lamina, _ name: String) throws -> [UInt8] {
        try store.succeeding("cat", name, "/data").output
    }

    @Test(
        "A pull gets through what passes",
        arguments: ["cut", "no-ranges", "ignore-ranges", "delay", "429", "500", "redirect"])
    func pullGetsThrough(_ mode: String) throws {
        try withImage(mode) { proxy in
            let pulled = try other("pull", "--retry-delay", "50ms", "\(proxy.name)/app:1")
            #expect(pulled.status == 0, "\(pulled.errorText)")
            #expect(try content(other, "\(proxy.name)/app:1") == content(lamina, "sample:1"))
            if mode == "redirect" {
                #expect(try proxy.requests().contains { $0.hasPrefix("other GET") && $0.hasSuffix(" none") })
            }
        }
    }

    @Test(
        "A pull that cannot be right fails and stores nothing",
        arguments: [
            ("cut-always", "ended after|connection"), ("truncate", "bytes instead of|ended after"),
            ("corrupt", "arrived as"), ("longer", "bytes instead of|longer than"), ("corrupt-manifest", "instead of"),
            ("500-always", "500 Internal Server Error"), ("loop", "redirects more than 10 times"),
            ("429-long", "2 hours"),
        ])
    func pullFails(_ mode: String, _ sentence: String) throws {
        try withImage(mode) { proxy in
            let name = "\(proxy.name)/app:1"
            let pulled = try other("pull", "--retry-delay", "10ms", name)
            #expect(pulled.status == 1)
            let isSaid = sentence.split(separator: "|").contains { pulled.errorText.contains($0) }
            #expect(isSaid, "\(pulled.errorText)")
            #expect(!pulled.errorText.contains("\n\n"))
            #expect(try other.state().isEmpty)
            #expect(try other("fsck", "--full").status == 0)
            let left = try other.unfinished()
            #expect(left.isEmpty, "\(left)")
            let copied = try other(
                "copy", "--retry-delay", "10ms", "docker://\(name)", "oci:\(scratch.path.appending("out"))")
            #expect(copied.status == 1)
        }
    }

    @Test("A push gets through what passes", arguments: ["cut-upload", "delay", "429", "500"])
    func pushGetsThrough(_ mode: String) throws {
        try DockerRegistry.with(in: scratch) { registry in
            try RegistryProxy.with(mode, before: registry) { proxy in
                try lamina.succeeding("tag", "sample:1", "\(proxy.name)/app:1")
                let pushed = try lamina("push", "--retry-delay", "50ms", "\(proxy.name)/app:1")
                #expect(pushed.status == 0, "\(pushed.errorText)")
            }
            try other.succeeding("pull", "\(registry.name)/app:1")
            #expect(try content(other, "\(registry.name)/app:1") == content(lamina, "sample:1"))
        }
    }

    @Test(
        "A push that cannot be right fails and gives no name",
        arguments: [
            ("cut-upload-always", "connection"), ("corrupt-upload", "DIGEST_INVALID"), ("413", "limits the size"),
            ("500-always", "500 Internal Server Error"),
        ])
    func pushFails(_ mode: String, _ sentence: String) throws {
        try DockerRegistry.with(in: scratch) { registry in
            try RegistryProxy.with(mode, before: registry) { proxy in
                try lamina.succeeding("tag", "sample:1", "\(proxy.name)/app:1")
                let pushed = try lamina("push", "--retry-delay", "10ms", "\(proxy.name)/app:1")
                #expect(pushed.status == 1 && pushed.errorText.contains(sentence), "\(pushed.errorText)")
            }
            #expect(try lamina("digest", "\(registry.name)/app:1").status == 1)
        }
    }

    @Test("What a redirect leads to gets no login")
    func loginStaysAtHome() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let login = "\(DockerRegistry.user):\(DockerRegistry.password)"
            try lamina.succeeding("copy", "-q", "--dest-creds", login, "sample:1", "docker://\(registry.name)/app:1")
            try RegistryProxy.with("redirect", before: registry) { proxy in
                // The other host has no way past the login of the registry, which shows that it got none.
                let pulled = try other("pull", "--retry", "0", "--creds", login, "\(proxy.name)/app:1")
                #expect(pulled.status == 1, "\(pulled.errorText)")
                let requests = try proxy.requests()
                #expect(requests.contains { $0.hasPrefix("GET") && $0.hasSuffix(" Basic") })
                #expect(requests.filter { $0.hasPrefix("other") }.allSatisfy { $0.hasSuffix(" none") }, "\(requests)")
                #expect(requests.contains { $0.hasPrefix("other") })
            }
        }
    }
}
