import Diagnostics
import Logins
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct PushTests {
    /// A registry in memory that gives upload locations in the form asked for.
    private final class FakeRegistry: Sendable {
        let location: String
        /// The answer to manifests with OCI's media types.
        let refusal: HTTPResponse?
        let blobs = Mutex<[String: [UInt8]]>([:])
        let sessions = Mutex<[String: [UInt8]]>([:])

        init(location: String = "/up/#?_state=a%2Bb", refusal: HTTPResponse? = nil) {
            self.location = location
            self.refusal = refusal
        }

        func answer(_ exchange: FakeTransport.Exchange) -> HTTPResponse {
            let target = exchange.request.url.target
            let digest = target.split(separator: "digest=").last.map(String.init) ?? ""
            switch exchange.request.method {
            case .head:
                let name = target.split(separator: "/").last.map(String.init) ?? ""
                return HTTPResponse(blobs.withLock { $0[name] } == nil ? 404 : 200)
            case .post:
                let count = sessions.withLock { sessions in
                    sessions["s\(sessions.count)"] = []
                    return sessions.count - 1
                }
                return HTTPResponse(202, ["Location": place("s\(count)")])
            case .patch:
                let session = session(target)
                let range = exchange.request.fields["Content-Range"]
                let isNext = sessions.withLock { sessions in
                    let start = sessions[session]?.count ?? -1
                    sessions[session, default: []] += exchange.body
                    return range == "\(start)-\(start + exchange.body.count - 1)"
                }
                return HTTPResponse(isNext ? 202 : 416, ["Location": place(session)])
            case .put where target.contains("/manifests/"):
                let isOCI = exchange.request.fields["Content-Type"]?.contains("vnd.oci") == true
                if isOCI, let refusal { return refusal }
                return HTTPResponse(201, ["Docker-Content-Digest": "\(Digest(of: exchange.body))"])
            case .put:
                let whole = sessions.withLock { $0[session(target)] ?? [] } + exchange.body
                guard "\(Digest(of: whole))" == digest else {
                    return HTTPResponse(400, [:], #"{"errors":[{"code":"DIGEST_INVALID"}]}"#)
                }
                blobs.withLock { $0[digest] = whole }
                return HTTPResponse(201)
            default: return HTTPResponse(405)
            }
        }

        private func place(_ session: String) -> String {
            String(location.split(separator: "#", omittingEmptySubsequences: false).joined(separator: session))
        }

        private func session(_ target: String) -> String {
            String(target.split { $0 == "/" || $0 == "?" }.first { $0.hasPrefix("s") && $0.count < 4 } ?? "")
        }
    }

    private func push(
        _ transport: FakeTransport, _ sample: SampleImage = SampleImage(), credential: Credential? = nil,
        mounting: [Digest: String] = [:],
        _ change: (inout RegistryClient.Options) -> Void = { _ in }
    ) async throws -> Descriptor {
        try await makeClient(transport, credential: credential) {
            $0.concurrentUploads = 1
            change(&$0)
        }.push(
            manifest: sample.bytes, type: .ociManifest, blobs: sample.blobs, from: sample.source, as: image,
            mounting: mounting)
    }

    @Test(arguments: [
        "/up/#?_state=a%2Bb", "https://r.test/up/#?_state=a%2Bb", "?session=/#/&_state=a%2Bb", "/up/#",
        "./#?_state=a%2Bb", "#?_state=a%2Bb", "../#/./?_state=a%2Bb", "//r.test/up/#?_state=a%2Bb",
        // A registry behind a proxy that does not know it is reached by TLS.
        "http://r.test/up/#?_state=a%2Bb",
    ])
    func uploadsThenManifest(_ location: String) async throws {
        let registry = FakeRegistry(location: location)
        let sample = SampleImage(layer: noise(600_000))
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        let pushed = try await push(transport, sample)
        #expect(pushed.digest == sample.digest)
        #expect(registry.blobs.withLock { $0["\(Digest(of: sample.layer))"] } == sample.layer)
        #expect(
            transport.lines.map { $0.split(separator: " ")[0] } == [
                "HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT",
            ])
        #expect(transport.lines.last == "PUT https://r.test/v2/team/app/manifests/1")
        let put = try #require(transport.exchanges.dropFirst(2).first).request
        #expect(put.url.scheme == .https)
        #expect(put.url.target.contains("_state=a%2Bb") == location.contains("_state"))
        #expect(put.url.target.hasSuffix("digest=\(sample.manifest.config.digest)"))
        #expect(transport.exchanges.last?.request.fields["Content-Type"] == MediaType.ociManifest.rawValue)
    }

    @Test("A blob is sent before the manifest is made")
    func sendsWhileTheImageIsMade() async throws {
        let registry = FakeRegistry()
        let sample = SampleImage(layer: noise(1000))
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        let (parts, found) = AsyncThrowingStream.makeStream(of: PushPart.self)
        found.yield(.blob(sample.blobs[0], origin: nil, stream: nil))
        let pushed = try await makeClient(transport).push(parts, from: sample.source, as: image) { blob, event in
            guard event == .accepted, blob == sample.blobs[0] else { return }
            // Nobody knew the others before this one had arrived.
            for blob in sample.blobs { found.yield(.blob(blob, origin: nil, stream: nil)) }
            found.yield(.manifest(sample.bytes, .ociManifest))
            found.finish()
        }
        #expect(pushed.digest == sample.digest)
        #expect(transport.lines.count { $0.hasPrefix("POST ") } == sample.blobs.count)
        #expect(transport.lines.last == "PUT https://r.test/v2/team/app/manifests/1")
    }

    @Test("An image that cannot be made is not pushed, and the error is that of making it")
    func endsWithoutAManifest() async throws {
        struct Failed: Error {}
        let registry = FakeRegistry()
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        let (parts, found) = AsyncThrowingStream.makeStream(of: PushPart.self)
        found.yield(.blob(sample.blobs[0], origin: nil, stream: nil))
        found.finish(throwing: Failed())
        await #expect(throws: Failed.self) {
            _ = try await makeClient(transport).push(parts, from: sample.source, as: image)
        }
        #expect(!transport.lines.contains { $0.contains("/manifests/") })
    }

    static let refusals: [HTTPResponse] = [
        HTTPResponse(415),
        HTTPResponse(400, [:], #"{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}"#),
        HTTPResponse(404, [:], #"{"errors":[{"code":"TAG_INVALID","message":"manifest tag did not match URI"}]}"#),
    ]

    @Test("A registry that refuses OCI media types gets Docker's, and the user is told", arguments: refusals.indices)
    func fallsBackToDocker(_ number: Int) async throws {
        let registry = FakeRegistry(refusal: Self.refusals[number])
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        let notices = Mutex<[String]>([])
        let pushed = try await NetworkNotice.heard(by: { notice in notices.withLock { $0.append(notice) } }) {
            try await push(transport, sample)
        }
        let put = try #require(transport.exchanges.last)
        let manifest = try Manifest(parsing: put.body)
        #expect(put.request.fields["Content-Type"] == MediaType.dockerManifest.rawValue)
        #expect(pushed.mediaType == .dockerManifest && pushed.digest == Digest(of: put.body))
        #expect(manifest.mediaType == .dockerManifest)
        #expect(manifest.config.mediaType == .dockerConfig && manifest.config.digest == sample.manifest.config.digest)
        #expect(manifest.layers.map(\.mediaType) == [.dockerLayerGzip])
        #expect(notices.withLock { $0 }.contains { $0.contains("refuses OCI media types") })
    }

    @Test("Indexes and images named by digest fall back to Docker's media types, too")
    func fallsBackByDigest() async throws {
        let registry = FakeRegistry(refusal: HTTPResponse(415))
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        let client = makeClient(transport)
        let child = try await client.push(
            manifest: sample.bytes, type: .ociManifest, blobs: sample.blobs, from: sample.source,
            as: image.with(tag: nil, digest: sample.digest))
        #expect(transport.lines.last == "PUT https://r.test/v2/team/app/manifests/\(child.digest)")
        let index = Index(manifests: [child])
        let pushed = try await client.pushManifest(index.encoded(.compact), type: .ociIndex, as: image)
        #expect(pushed.mediaType == .dockerIndex)
        #expect(try Index(parsing: transport.exchanges.last?.body ?? []).manifests == [child])
    }

    @Test("An image without a form in Docker's media types keeps the registry's refusal")
    func keepsTheRefusal() async throws {
        let registry = FakeRegistry(refusal: HTTPResponse(415))
        let sample = SampleImage()
        let layers = [
            Descriptor(mediaType: .ociLayerZstd, digest: Digest(of: sample.layer), size: Int64(sample.layer.count))
        ]
        let manifest = Manifest(config: sample.manifest.config, layers: layers).encoded
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        let error = try await registryError {
            _ = try await makeClient(transport).pushManifest(manifest, type: .ociManifest, as: image)
        }
        #expect(error?.code == .rejected && transport.exchanges.count == 1)
    }

    @Test("A blob counts as accepted only when the registry took it", arguments: [201, 400, 413])
    func acceptedBlobs(_ status: Int) async throws {
        let registry = FakeRegistry()
        let sample = SampleImage()
        let events = Mutex<[PushEvent]>([])
        let transport = FakeTransport { exchange, _ in
            let isBlob = exchange.request.method == .put && !exchange.request.url.target.contains("/manifests/")
            return isBlob && status != 201 ? HTTPResponse(status) : registry.answer(exchange)
        }
        let error = try await registryError {
            _ = try await makeClient(transport).push(
                manifest: sample.bytes, type: .ociManifest, blobs: sample.manifest.layers, from: sample.source,
                as: image
            ) { _, event in events.withLock { $0.append(event) } }
        }
        #expect((error == nil) == (status == 201))
        #expect(events.withLock { $0 }.contains(.accepted) == (status == 201))
    }

    @Test func secondPushSendsNoBlob() async throws {
        let registry = FakeRegistry()
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        _ = try await push(transport)
        let before = transport.exchanges.count
        _ = try await push(transport)
        #expect(transport.lines.dropFirst(before).map { $0.split(separator: " ")[0] } == ["HEAD", "HEAD", "PUT"])
    }

    @Test func uploadLocationOnAnotherHostGetsNoCredentials() async throws {
        let registry = FakeRegistry(location: "https://store.test/up/#")
        let transport = FakeTransport { exchange, _ in
            if exchange.request.url.host == "r.test", exchange.authorization == nil {
                return HTTPResponse(401, ["WWW-Authenticate": "Basic realm=r"])
            }
            return registry.answer(exchange)
        }
        _ = try await push(transport, credential: .password(user: "u", password: "p"))
        let stored = transport.exchanges.filter { $0.request.url.host == "store.test" }
        #expect(stored.count == 2)
        #expect(stored.allSatisfy { $0.authorization == nil })
    }

    @Test func uploadInTheClearIsRefused() async throws {
        let registry = FakeRegistry(location: "http://store.test/up/#")
        let error = try await registryError {
            _ = try await push(FakeTransport { exchange, _ in registry.answer(exchange) })
        }
        #expect(error?.code == .unsafeRedirect)
    }

    @Test("A large blob is uploaded in chunks")
    func chunks() async throws {
        let registry = FakeRegistry()
        let sample = SampleImage(layer: noise(700_001))
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        _ = try await push(transport, sample) { $0.uploadChunk = 300_000 }
        let patches = transport.exchanges.filter { $0.request.method == .patch }
        #expect(patches.map(\.body.count) == [300_000, 300_000, 100_001])
        #expect(registry.blobs.withLock { $0["\(Digest(of: sample.layer))"] } == sample.layer)
    }

    @Test func brokenUploadBeginsAnew() async throws {
        let registry = FakeRegistry()
        let transport = FakeTransport { exchange, index in
            if index == 2 { throw RegistryError(.connectionLost, "reset") }
            if index == 4 { return HTTPResponse(502) }
            return registry.answer(exchange)
        }
        _ = try await push(transport)
        #expect(
            transport.lines.map { $0.split(separator: " ")[0] } == [
                "HEAD", "POST", "PUT", "POST", "PUT", "POST", "PUT", "HEAD", "POST", "PUT", "PUT",
            ])
    }

    @Test("Of a large upload that broke, what the registry has is not sent again", arguments: [1_500_000, 0, nil])
    func brokenUploadGoesOn(_ kept: Int?) async throws {
        let registry = FakeRegistry()
        let sample = SampleImage(layer: noise(3_000_000))
        let layer = "\(Digest(of: sample.layer))"
        let isBroken = Mutex(false)
        let transport = FakeTransport { exchange, _ in
            let isLayer = exchange.request.method == .put && exchange.body.count > 1_000_000
            if isLayer,
                isBroken.withLock({ state in
                    defer { state = true }; return !state
                })
            {
                registry.sessions.withLock { sessions in
                    for name in sessions.keys { sessions[name] = Array(exchange.body.prefix(kept ?? 0)) }
                }
                throw RegistryError(.connectionLost, "reset")
            }
            guard exchange.request.method == .get else { return registry.answer(exchange) }
            guard let kept else { return HTTPResponse(404) }
            return HTTPResponse(
                204, ["Location": exchange.request.url.target, "Range": "0-\(max(0, kept - 1))"])
        }
        _ = try await push(transport, sample)
        #expect(registry.blobs.withLock { $0[layer] } == sample.layer)
        let sent = transport.exchanges.filter { $0.request.method == .patch }.map(\.body.count)
        #expect(sent == (kept == 1_500_000 ? [1_500_000] : []))
    }

    @Test func mountsFromAnotherRepository() async throws {
        let registry = FakeRegistry()
        let sample = SampleImage()
        let layer = Digest(of: sample.layer)
        let transport = FakeTransport { exchange, _ in
            exchange.request.url.target.contains("mount=") ? HTTPResponse(201) : registry.answer(exchange)
        }
        _ = try await push(transport, sample, mounting: [layer: "team/base"])
        #expect(
            transport.lines.contains(
                "POST https://r.test/v2/team/app/blobs/uploads/?mount=\(layer)&from=team/base"))
        #expect(registry.blobs.withLock { $0["\(layer)"] } == nil)
    }

    @Test(arguments: [202, 403, 404])
    func mountThatFailsBecomesAnUpload(_ status: Int) async throws {
        let registry = FakeRegistry()
        let sample = SampleImage()
        let layer = Digest(of: sample.layer)
        let transport = FakeTransport { exchange, _ in
            let isMount = exchange.request.url.target.contains("mount=")
            return isMount && status != 202 ? HTTPResponse(status) : registry.answer(exchange)
        }
        _ = try await push(transport, sample, mounting: [layer: "team/base"])
        #expect(registry.blobs.withLock { $0["\(layer)"] } == sample.layer)
    }

    @Test func blobLostToGarbageCollectionIsSentAgain() async throws {
        let registry = FakeRegistry()
        let transport = FakeTransport { exchange, index in
            switch index {
            case 0, 1: HTTPResponse(200)
            case 2: HTTPResponse(404, [:], #"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"gone"}]}"#)
            default: registry.answer(exchange)
            }
        }
        _ = try await push(transport)
        #expect(registry.blobs.withLock { $0.count } == 2)
    }

    @Test func headMayBeUnsupported() async throws {
        let registry = FakeRegistry()
        let transport = FakeTransport { exchange, _ in
            exchange.request.method == .head ? HTTPResponse(405) : registry.answer(exchange)
        }
        _ = try await push(transport)
        #expect(registry.blobs.withLock { $0.count } == 2)
    }

    @Test func equalBlobsAreSentOnce() async throws {
        let registry = FakeRegistry()
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in registry.answer(exchange) }
        _ = try await makeClient(transport).push(
            manifest: sample.bytes, type: .ociManifest, blobs: sample.blobs + sample.blobs, from: sample.source,
            as: image)
        #expect(transport.lines.count { $0.hasPrefix("HEAD") } == 2)
    }

    @Test func missingSourceIsSaidSo() async throws {
        let registry = FakeRegistry()
        let sample = SampleImage()
        let error = try await registryError {
            _ = try await makeClient(FakeTransport { exchange, _ in registry.answer(exchange) }).push(
                manifest: sample.bytes, type: .ociManifest, blobs: sample.blobs, from: MemoryBlobs([sample.config]),
                as: image)
        }
        #expect(error?.code == .source)
        #expect(error?.message.hasPrefix("cannot push r.test/team/app:1: ") == true)
    }

    @Test func shortSourceIsSaidSo() async throws {
        let registry = FakeRegistry()
        let sample = SampleImage()
        let longer = Descriptor(
            mediaType: .ociLayerGzip, digest: Digest(of: sample.layer), size: Int64(sample.layer.count) + 1)
        let error = try await registryError {
            _ = try await makeClient(FakeTransport { exchange, _ in registry.answer(exchange) }).push(
                manifest: sample.bytes, type: .ociManifest, blobs: [longer], from: sample.source, as: image)
        }
        #expect(error?.code == .source)
        #expect(error?.message.contains("ends after 5 of 6 bytes") == true)
    }

    @Test func quotaIsNamed() async throws {
        let transport = FakeTransport { exchange, _ in
            exchange.request.method == .post
                ? HTTPResponse(403, [:], #"{"errors":[{"code":"DENIED","message":"will exceed the upper limit"}]}"#)
                : HTTPResponse(404)
        }
        let error = try await registryError { _ = try await push(transport) }
        #expect(error?.code == .denied)
        #expect(error?.hint?.contains("quota") == true)
    }

    @Test func otherDigestThanSent() async throws {
        let sample = SampleImage()
        let transport = FakeTransport { _, _ in HTTPResponse(201, ["Docker-Content-Digest": "sha256:0"]) }
        let client = makeClient(transport)
        let stored = try await registryError {
            _ = try await client.pushManifest(sample.bytes, type: .ociManifest, as: image)
        }
        #expect(stored?.code == .digestMismatch)
        let named = try await registryError {
            let other = image.with(tag: nil, digest: Digest(of: "other"))
            _ = try await client.pushManifest(sample.bytes, type: .ociManifest, as: other)
        }
        #expect(named?.code == .digestMismatch)
        #expect(transport.exchanges.count == 1)
    }

    @Test func postIsNotRedirectedIntoAGet() async throws {
        let transport = FakeTransport { exchange, _ in
            exchange.request.method == .post ? HTTPResponse(302, ["Location": "/login"]) : HTTPResponse(404)
        }
        let error = try await registryError { _ = try await push(transport) }
        #expect(error?.code == .malformedResponse)
    }
}
