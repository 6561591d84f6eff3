import Diagnostics
import OCI
import Testing

@testable import Registry

@Suite("hosts.toml of containerd") struct HostFileTests {
    private let sample = SampleImage()
    private static let digest = Digest(of: "x")

    private static let file = """
        server = "https://r.test"
        [host."https://first.test"]
          capabilities = ["pull", "resolve"]
          [host."https://first.test".header]
            x-key = ["one", "two"]
        [host."http://second.test:5000/v2"]
          capabilities = ["pull"]
        [host."https://third.test/v2/project/hub"]
          override_path = true
          skip_verify = true
        """

    /// Runs `body` with a client of a network where all servers have the sample image, but those named fail.
    private func with(
        _ text: String = file, name: String = "r.test", failing: [String] = [],
        _ body: (RegistryClient, FakeTransport) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            try write(text, to: "\(directory)/\(name)/hosts.toml")
            let transport = FakeTransport { [sample] exchange, _ in
                if failing.contains(exchange.request.url.host) { throw RegistryError(.unreachable, "down") }
                if exchange.request.method == .put { return HTTPResponse(201) }
                let isBlob = exchange.request.url.target.contains("/blobs/")
                return HTTPResponse(200, [:], bytes: isBlob ? sample.layer : sample.bytes)
            }
            let client = makeClient(transport) {
                $0.configuration = RegistryConfigurationFiles(
                    containers: [], daemon: [], mirrors: [], hostFiles: RegistryHostFiles(parents: [directory]))
            }
            try await body(client, transport)
        }
    }

    @Test("Tags are asked of servers that resolve, with the registry that they stand for")
    func resolves() async throws {
        try await with { client, transport in
            _ = try await client.resolve(image, platform: linux)
            #expect(transport.lines == ["GET https://first.test/v2/team/app/manifests/1?ns=r.test"])
            #expect(transport.exchanges[0].request.fields.all("x-key") == ["one", "two"])
        }
    }

    @Test("Servers that fail are passed over, and what a server may not do is not asked of it")
    func fallsBack() async throws {
        try await with(failing: ["first.test"]) { client, transport in
            _ = try await client.resolve(image, platform: linux)
            #expect(transport.lines.last == "GET https://third.test/v2/project/hub/team/app/manifests/1?ns=r.test")
            #expect(transport.exchanges.last?.request.trust.verifiesServer == false)
            #expect(transport.exchanges.last?.request.fields["x-key"] == nil)
            let sink = MemoryBlobs()
            try await client.fetchBlob(
                sample.manifest.layers[0], of: image.with(tag: nil, digest: sample.digest), into: sink)
            let layer = sample.manifest.layers[0].digest
            #expect(transport.lines.last == "GET http://second.test:5000/v2/team/app/blobs/\(layer)?ns=r.test")
        }
    }

    @Test("The registry itself is the last, and gets no word of a mirror")
    func endsAtTheRegistry() async throws {
        try await with(failing: ["first.test", "second.test", "third.test"]) { client, transport in
            _ = try await client.resolve(image, platform: linux)
            #expect(transport.lines.last == "GET https://r.test/v2/team/app/manifests/1")
        }
    }

    @Test("An image is pushed to the first server that takes images")
    func pushes() async throws {
        try await with { client, transport in
            _ = try await client.pushManifest(sample.bytes, type: .ociManifest, as: image)
            #expect(transport.lines == ["PUT https://third.test/v2/project/hub/team/app/manifests/1?ns=r.test"])
        }
        try await with("capabilities = ['pull']\n") { client, _ in
            let error = try await registryError {
                _ = try await client.pushManifest(sample.bytes, type: .ociManifest, as: image)
            }
            #expect(error?.code == .blocked)
        }
    }

    @Test(
        "The directory is the registry's, or the one for all",
        arguments: [
            ("r.test_5000_", "r.test:5000", "m.test"), ("r.test:5000", "r.test:5000", "m.test"),
            ("r.test", "r.test:5000", "m.test"), ("_default", "any.test", "m.test"), ("other.test", "r.test", "r.test"),
        ])
    func directories(_ name: String, _ registry: String, _ asked: String) async throws {
        try await with("[host.'https://m.test']\n", name: name) { client, transport in
            let reference = ImageReference(registry: registry, repository: "a", tag: "1")
            _ = try await client.resolve(reference, platform: linux)
            #expect(transport.exchanges[0].request.url.host == asked)
        }
    }

    @Test("Docker Hub's server is its registry")
    func dockerHub() async throws {
        try await with("server = 'https://docker.io'\n", name: "docker.io") { client, transport in
            _ = try await client.resolve(ImageReference(parsing: "busybox"), platform: linux)
            #expect(transport.lines == ["GET https://registry-1.docker.io/v2/library/busybox/manifests/latest"])
        }
    }

    @Test("Certificates are read beside the file, and a client certificate stays with its server")
    func certificates() throws {
        let json = try TOML.parse(
            Array(
                """
                [host."https://m.test"]
                  ca = "ca.crt"
                  client = [["client.cert", "/etc/client.key"]]
                """.utf8))
        let hosts = try RegistryHost.hosts(in: json, of: "r.test", directory: "/d") { Array("of \($0)".utf8) }
        #expect(hosts[0].trust.authorities == Array("of /d/ca.crt\n".utf8))
        #expect(hosts[0].trust.clientCertificate == .init(certificate: "/d/client.cert", key: "/etc/client.key"))
        #expect(hosts[1].trust.authorities.isEmpty && hosts[1].trust.clientCertificate == nil)
        #expect(hosts[1].base.description == "https://r.test/" && hosts[1].isOrigin)
    }

    @Test(
        "Files that say something else are refused",
        arguments: [
            "[host.'ftp://a']\n", "[host.'https://a']\ncapabilities = ['fly']\n", "[host.'https://a']\nca = 3\n",
            "[host.'https://a']\nca = 'no-such.crt'\n", "[host.'https://a']\nclient = [['a', 'b', 'c']]\n", "nonsense",
            "[host.'https://a']\ncapabilities = 'pull'\n", "[host.'https://a'.header]\n\"a:b\" = 'c'\n",
        ])
    func refuses(_ text: String) async throws {
        try await with(text) { client, _ in
            let error = try await registryError { _ = try await client.resolve(image, platform: linux) }
            #expect(error?.code == .configuration, "\(error?.message ?? "nothing")")
        }
    }
}
