import Diagnostics
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct ResolveTests {
    private func resolve(
        _ reference: ImageReference = image, _ answer: @escaping @Sendable (FakeTransport.Exchange) -> HTTPResponse
    ) async throws -> ResolvedImage {
        try await makeClient(FakeTransport { exchange, _ in answer(exchange) }).resolve(reference, platform: linux)
    }

    private func failure(
        _ reference: ImageReference = image, _ answer: @escaping @Sendable (FakeTransport.Exchange) -> HTTPResponse
    ) async throws -> RegistryError? {
        try await registryError { _ = try await resolve(reference, answer) }
    }

    @Test func manifestByTag() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { _, _ in
            HTTPResponse(200, ["Docker-Content-Digest": "\(sample.digest)"], bytes: sample.bytes)
        }
        let found = try await makeClient(transport).resolve(image, platform: linux)
        #expect(found.manifest == sample.manifest)
        #expect(found.manifestBytes == sample.bytes)
        #expect(found.manifestDescriptor.digest == sample.digest)
        #expect(found.rootDescriptor == found.manifestDescriptor)
        let accept = transport.exchanges[0].request.fields.all("accept")
        #expect(accept.count == 1)
        #expect(accept[0].split(separator: ",").count == 4)
    }

    @Test func dockerHubHasAnotherHost() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { _, _ in HTTPResponse(200, [:], bytes: sample.bytes) }
        _ = try await makeClient(transport).resolve(try ImageReference(parsing: "debian"), platform: linux)
        #expect(transport.lines == ["GET https://registry-1.docker.io/v2/library/debian/manifests/latest"])
    }

    @Test(
        "This machine is tried by TLS, then in plain HTTP; all others are reached by TLS alone",
        arguments: [
            ("localhost:5000", true), ("127.8.0.1", true), ("a.localhost", true), ("[::1]:5000", true),
            ("128.0.0.1:5000", false), ("localhost.test", false),
        ], [RegistryCode.plainHTTP, .unreachable, .connectionLost, nil])
    func onlyThisMachineMayBePlain(_ registry: (name: String, isLocal: Bool), _ failure: RegistryCode?) async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.scheme == .https, let failure { throw RegistryError(failure, "no TLS") }
            return HTTPResponse(200, [:], bytes: sample.bytes)
        }
        let reference = ImageReference(registry: registry.name, repository: "a", tag: "1")
        let error = try await registryError {
            _ = try await makeClient(transport).resolve(reference, platform: linux)
        }
        #expect(error?.code == (registry.isLocal ? nil : failure))
        let probe = registry.isLocal ? ["GET https://\(registry.name)/v2/"] : []
        let scheme = registry.isLocal && failure != nil ? "http" : "https"
        let first = try #require(transport.lines.first)
        #expect(probe.isEmpty || first == probe[0])
        if error == nil { #expect(transport.lines == probe + ["GET \(scheme)://\(registry.name)/v2/a/manifests/1"]) }
    }

    @Test("Tags come from all pages")
    func tags() async throws {
        let transport = FakeTransport { exchange, index in
            switch index {
            case 0:
                HTTPResponse(200, ["Link": "</v2/team/app/tags/list?n=2&last=b>; rel=\"next\""], #"{"tags":["a","b"]}"#)
            case 1: HTTPResponse(200, ["Link": "<?last=c>; foo=bar;REL = next"], #"{"tags":null}"#)
            default: HTTPResponse(200, ["Link": "<x>; rel=prev"], #"{"name":"team/app","tags":["c"]}"#)
            }
        }
        #expect(try await makeClient(transport).tags(of: image) == ["a", "b", "c"])
        #expect(
            transport.lines
                == ["n=1000", "n=2&last=b", "last=c"].map { "GET https://r.test/v2/team/app/tags/list?\($0)" })
    }

    @Test("A list of tags that does not end is given up")
    func endlessTags() async throws {
        let transport = FakeTransport { _, _ in HTTPResponse(200, ["Link": "<?again>; rel=next"], #"{"tags":["a"]}"#) }
        let error = try await registryError { _ = try await makeClient(transport).tags(of: image) }
        #expect(error?.code == .malformedResponse && transport.exchanges.count == 1000)
    }

    @Test(
        "A digest is asked for by HEAD, and computed where that does not tell it",
        arguments: [
            HTTPResponse(
                200,
                [
                    "Docker-Content-Digest": "\(SampleImage().digest)",
                    "Content-Length": "\(SampleImage().bytes.count)",
                    "Content-Type": "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
                ]),
            HTTPResponse(200), HTTPResponse(405), HTTPResponse(200, ["Docker-Content-Digest": "sha256:0"]),
        ])
    func digests(_ head: HTTPResponse) async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            exchange.request.method == .head ? head : HTTPResponse(200, [:], bytes: sample.bytes)
        }
        let found = try await makeClient(transport).descriptor(of: image)
        #expect(found == Descriptor(mediaType: .ociManifest, digest: sample.digest, size: Int64(sample.bytes.count)))
        #expect(transport.exchanges.count == (head.fields["Content-Length"] == nil ? 2 : 1))
    }

    @Test("A failure of TLS on this machine is told if there is no plain HTTP either", arguments: [400, 200])
    func brokenTLS(_ status: Int) async throws {
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.scheme == .https { throw RegistryError(.tls, "no session") }
            return HTTPResponse(status)
        }
        let reference = ImageReference(registry: "localhost:5000", repository: "a", tag: "1")
        let error = try await registryError {
            _ = try await makeClient(transport).resolve(reference, platform: linux)
        }
        #expect((error?.code == .tls) == (status == 400))
    }

    @Test(arguments: [(true, "https://r.test"), (false, "http://r.test")])
    func insecureRegistryIsProbedOnce(_ speaksTLS: Bool, _ origin: String) async throws {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.scheme == .https, !speaksTLS { throw RegistryError(.plainHTTP, "no TLS") }
            return HTTPResponse(200, [:], bytes: sample.bytes)
        }
        let client = makeClient(transport) { $0.insecureRegistries = ["r.test"] }
        for _ in 0..<2 { _ = try await client.resolve(image, platform: linux) }
        let manifest = "GET \(origin)/v2/team/app/manifests/1"
        #expect(transport.lines == ["GET https://r.test/v2/", manifest, manifest])
        #expect(transport.exchanges.allSatisfy { !$0.request.trust.verifiesServer })
    }

    @Test func indexNestedInAnIndex() async throws {
        let sample = SampleImage()
        let arm = Descriptor(
            mediaType: .ociManifest, digest: Digest(of: "arm"), size: 3,
            platform: Platform(os: "linux", architecture: "arm64"))
        let inner = Index(manifests: [arm, sample.descriptor(linux)]).encoded(.compact)
        let outer = Index(manifests: [
            Descriptor(mediaType: .ociIndex, digest: Digest(of: inner), size: Int64(inner.count))
        ]).encoded(.compact)
        let documents = [Digest(of: inner): inner, sample.digest: sample.bytes]
        let found = try await resolve { exchange in
            let name = exchange.request.url.target.split(separator: "/").last ?? ""
            let bytes = (try? Digest(parsing: name)).flatMap { documents[$0] } ?? outer
            return HTTPResponse(200, [:], bytes: bytes)
        }
        #expect(found.rootBytes == outer)
        #expect(found.rootDescriptor.mediaType == .ociIndex)
        #expect(found.manifestDescriptor.digest == sample.digest)
        #expect(found.manifestDescriptor.platform == linux)
    }

    @Test func indexWithoutThePlatform() async throws {
        let index = Index(manifests: [
            SampleImage().descriptor(Platform(os: "linux", architecture: "s390x")),
            SampleImage().descriptor(Platform(os: "windows", architecture: "amd64")),
        ]).encoded(.compact)
        let error = try await failure { _ in HTTPResponse(200, [:], bytes: index) }
        #expect(error?.code == .noPlatform)
        #expect(error?.message.contains("linux/s390x, windows/amd64") == true)
    }

    @Test func endlessIndexEnds() async throws {
        // An index cannot name itself, but a registry that ignores digests could serve one for ever.
        let index = Index(manifests: [SampleImage().descriptor(linux)]).encoded(.compact)
        let error = try await failure { _ in HTTPResponse(200, [:], bytes: index) }
        #expect(error?.code == .digestMismatch)
    }

    @Test func `a config of more than a limit is not fetched`() async throws {
        let config = Descriptor(mediaType: .ociConfig, digest: Digest(of: "c"), size: RegistryClient.configLimit + 1)
        let manifest = Manifest(config: config, layers: []).encoded
        let error = try await failure { _ in HTTPResponse(200, [:], bytes: manifest) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("its config has 20971521 bytes, more than 20 MiB") == true)
    }

    @Test func wrongDigestHeader() async throws {
        let sample = SampleImage()
        let other = Digest(of: "other")
        let error = try await failure { _ in
            HTTPResponse(200, ["Docker-Content-Digest": "\(other)"], bytes: sample.bytes)
        }
        #expect(error?.code == .digestMismatch)
    }

    @Test func wrongContentForDigest() async throws {
        let sample = SampleImage()
        let other = Digest(of: "other")
        let error = try await failure(image.with(tag: nil, digest: other)) { _ in
            HTTPResponse(200, [:], bytes: sample.bytes)
        }
        #expect(error?.code == .digestMismatch)
        #expect(error?.message.contains("\(other)") == true)
    }

    @Test func hugeManifest() async throws {
        let said = try await failure { _ in HTTPResponse(200, ["Content-Length": "9999999999"], "{}") }
        #expect(said?.code == .tooLarge)
        let unsaid = try await failure { _ in
            HTTPResponse(
                status: 200,
                body: ByteStream { { [UInt8](repeating: 0x20, count: 1 << 20) } })
        }
        #expect(unsaid?.code == .tooLarge)
    }

    struct BadDocument: Sendable, CustomTestStringConvertible {
        let type: String
        let body: String
        let code: RegistryCode
        var testDescription: String { "\(type) \(body)" }
    }

    @Test(arguments: [
        BadDocument(type: "text/html; charset=utf-8", body: "<html>Log in</html>", code: .malformedResponse),
        BadDocument(type: MediaType.ociManifest.rawValue, body: "[]", code: .malformedResponse),
        BadDocument(type: "", body: "{}", code: .malformedResponse),
        BadDocument(
            type: MediaType.ociManifest.rawValue, body: #"{"schemaVersion":2,"manifests":[]}"#,
            code: .malformedResponse),
        BadDocument(
            type: MediaType.ociIndex.rawValue, body: #"{"schemaVersion":2,"config":{},"layers":[]}"#,
            code: .malformedResponse),
        BadDocument(
            type: "", body: #"{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}"#, code: .malformedResponse),
        BadDocument(
            type: "application/vnd.docker.distribution.manifest.v1+prettyjws", body: #"{"schemaVersion":1}"#,
            code: .unsupportedManifest),
        BadDocument(type: "application/json", body: #"{"schemaVersion":1,"fsLayers":[]}"#, code: .unsupportedManifest),
        BadDocument(
            type: "", body: #"{"schemaVersion":2,"config":{"mediaType":"x","digest":"md5:0","size":1},"layers":[]}"#,
            code: .malformedResponse),
    ])
    func refusesDocuments(_ document: BadDocument) async throws {
        let error = try await failure { _ in HTTPResponse(200, ["Content-Type": document.type], document.body) }
        #expect(error?.code == document.code)
    }

    struct BadStatus: Sendable {
        let status: Int
        let body: String
        let code: RegistryCode
        let words: [String]
    }

    @Test(arguments: [
        BadStatus(
            status: 404, body: #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown","detail":{"Tag":"1"}}]}"#,
            code: .notFound,
            words: ["cannot pull r.test/team/app:1", "404", "MANIFEST_UNKNOWN: unknown", #""Tag":"1""#]),
        BadStatus(
            status: 403,
            body: #"{"errors":[{"code":"DENIED","message":"one"},{"code":"DENIED","message":"quota\u001b[2J"}]}"#,
            code: .denied, words: ["DENIED: one; DENIED: quota [2J"]),
        BadStatus(status: 412, body: "plain words", code: .rejected, words: ["plain words"]),
        BadStatus(status: 502, body: "<html>secret</html>", code: .serverFailed, words: ["502 Bad Gateway"]),
        BadStatus(status: 429, body: "", code: .rateLimited, words: ["429 Too Many Requests"]),
        BadStatus(status: 401, body: "", code: .unauthorised, words: ["401"]),
    ])
    func tellsWhatTheServerSaid(_ bad: BadStatus) async throws {
        let error = try await failure { _ in HTTPResponse(bad.status, ["X-Request-Id": "id7"], bad.body) }
        #expect(error?.code == bad.code)
        for word in bad.words + ["request id id7"] { #expect(error?.message.contains(word) == true, "\(word)") }
        #expect(error?.message.contains("secret") == false)
    }

    @Test func rateLimitIsWaitedFor() async throws {
        let sample = SampleImage()
        let pauses = Pauses()
        let transport = FakeTransport { _, index in
            switch index {
            case 0: HTTPResponse(429, ["Retry-After": "3"])
            case 1: HTTPResponse(503)
            case 2: throw RegistryError(.connectionLost, "reset")
            default: HTTPResponse(200, [:], bytes: sample.bytes)
            }
        }
        _ = try await makeClient(transport, pauses: pauses).resolve(image, platform: linux)
        #expect(pauses.all == [.seconds(3), .milliseconds(600), .milliseconds(1200)])
    }

    /// A request that timed out is retried once, with a notice.
    @Test func silenceIsWaitedForTwice() async throws {
        let pauses = Pauses()
        let transport = FakeTransport { _, _ in
            throw RegistryError(.connectionLost, "r.test was silent", cause: NetworkTimeout(cause: CancellationError()))
        }
        let notices = Mutex<[String]>([])
        let error = try await NetworkNotice.heard(by: { text in notices.withLock { $0.append(text) } }) {
            try await registryError {
                _ = try await makeClient(transport, pauses: pauses).resolve(image, platform: linux)
            }
        }
        #expect(error?.code == .connectionLost)
        #expect(transport.exchanges.count == 2 && pauses.all.count == 1)
        #expect(notices.withLock { $0 } == ["r.test was silent; trying again"])
    }

    @Test func certificateProblemsAreNotRepeated() async throws {
        let transport = FakeTransport { _, _ in throw RegistryError(.tls, "bad certificate") }
        let error = try await registryError { _ = try await makeClient(transport).resolve(image, platform: linux) }
        #expect(error?.code == .tls)
        #expect(transport.exchanges.count == 1)
    }
}
