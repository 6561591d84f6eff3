import CurlTransport
import Diagnostics
import Logins
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite(.enabled(if: LiveRegistry.isInstalled, "needs docker-registry"))
struct LiveRegistryTests {
    private func client(
        _ transport: NetworkTransport, _ credentials: any CredentialProvider = AnonymousCredentials(),
        _ change: (inout RegistryClient.Options) -> Void = { _ in }
    ) -> RegistryClient {
        var options = RegistryClient.Options()
        change(&options)
        return RegistryClient(transport: transport, credentials: credentials, options: options)
    }

    private func push(
        _ sample: SampleImage, _ client: RegistryClient, _ reference: ImageReference,
        mounting: [Digest: String] = [:]
    ) async throws -> [PushEvent] {
        let events = Mutex<[PushEvent]>([])
        let pushed = try await client.push(
            manifest: sample.bytes, type: .ociManifest, blobs: sample.blobs, from: sample.source, as: reference,
            mounting: mounting
        ) { blob, event in
            if blob.digest == Digest(of: sample.layer) { events.withLock { $0.append(event) } }
        }
        #expect(pushed.digest == sample.digest)
        return events.withLock { $0 }
    }

    private func pull(_ sample: SampleImage, _ client: RegistryClient, _ reference: ImageReference) async throws {
        let found = try await client.resolve(reference, platform: linux)
        #expect(found.manifestBytes == sample.bytes)
        let sink = MemoryBlobs()
        for blob in sample.blobs { try await client.fetchBlob(blob, of: reference, into: sink) }
        #expect(sink[Digest(of: sample.layer)] == sample.layer)
        #expect(sink[Digest(of: sample.config)] == sample.config)
    }

    @Test(arguments: [nil, 1_000_000] as [Int64?])
    func pushAndPullBack(_ chunk: Int64?) async throws {
        let sample = SampleImage(layer: noise(5_000_000))
        try await LiveRegistry.with { registry in
            try await withTransport { transport in
                let client = client(transport) { $0.uploadChunk = chunk }
                let reference = ImageReference(registry: registry.name, repository: "team/app", tag: "1")
                let first = try await push(sample, client, reference)
                #expect(first.last == .accepted && first.contains(.sent(5_000_000)))
                #expect(first.count > 10, "progress comes in steps")
                try await pull(sample, client, reference)
                try await pull(sample, client, reference.with(tag: nil, digest: sample.digest))
                #expect(try await push(sample, client, reference.with(tag: "2", digest: nil)) == [.exists])
            }
        }
    }

    @Test func manyBlobsAtOnce() async throws {
        let layers = (0..<20).map { noise(100_000 + $0, seed: UInt64($0)) }
        let sample = SampleImage()
        let manifest = Manifest(
            config: sample.manifest.config,
            layers: layers.map {
                Descriptor(mediaType: .ociLayer, digest: Digest(of: $0), size: Int64($0.count))
            })
        try await LiveRegistry.with { registry in
            try await withTransport { transport in
                let client = client(transport)
                let reference = ImageReference(registry: registry.name, repository: "many", tag: "1")
                _ = try await client.push(
                    manifest: manifest.encoded, type: .ociManifest, blobs: [manifest.config] + manifest.layers,
                    from: MemoryBlobs(layers + [sample.config]), as: reference)
                let sink = MemoryBlobs()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for layer in manifest.layers {
                        group.addTask { try await client.fetchBlob(layer, of: reference, into: sink) }
                    }
                    try await group.waitForAll()
                }
                #expect(layers.allSatisfy { sink[Digest(of: $0)] == $0 })
            }
        }
    }

    @Test func indexAndMount() async throws {
        let sample = SampleImage(layer: noise(300_000))
        try await LiveRegistry.with { registry in
            try await withTransport { transport in
                let client = client(transport)
                let base = ImageReference(registry: registry.name, repository: "base", tag: "1")
                _ = try await push(sample, client, base)
                let app = ImageReference(registry: registry.name, repository: "app", tag: "multi")
                let events = try await push(
                    sample, client, app.with(tag: nil, digest: sample.digest),
                    mounting: [Digest(of: sample.layer): "base"])
                #expect(events == [.mounted(from: "base")])
                let index = Index(manifests: [sample.descriptor(linux)]).encoded(.compact)
                _ = try await client.pushManifest(index, type: .ociIndex, as: app)
                let found = try await client.resolve(app, platform: linux)
                #expect(found.rootBytes == index)
                #expect(found.manifestBytes == sample.bytes)
                #expect(try await client.fetchManifest(app).descriptor.mediaType == .ociIndex)
            }
        }
    }

    @Test("Pushes and pulls need the right login")
    func login() async throws {
        let sample = SampleImage(layer: noise(2_000_000))
        try await LiveRegistry.with(login: true) { registry in
            try await withTransport { transport in
                let reference = ImageReference(registry: registry.name, repository: "team/app", tag: "1")
                let good = FixedCredential(
                    .password(user: LiveRegistry.user, password: LiveRegistry.password), for: registry.name)
                let member = client(transport, good)
                #expect(try await push(sample, member, reference).last == .accepted)
                try await pull(sample, member, reference)
                #expect(try await push(sample, member, reference) == [.exists])

                let bad = FixedCredential(.password(user: LiveRegistry.user, password: "no"), for: registry.name)
                for stranger in [client(transport, bad), client(transport)] {
                    let pulled = try await registryError {
                        _ = try await stranger.resolve(reference, platform: linux)
                    }
                    #expect(pulled?.code == .unauthorised)
                    #expect(pulled?.message.hasPrefix("cannot pull \(reference): ") == true)
                    let pushed = try await registryError { _ = try await push(sample, stranger, reference) }
                    #expect(pushed?.code == .unauthorised)
                    #expect(pushed?.hint?.contains("Log in to \(registry.name)") == true)
                }
            }
        }
    }

    @Test func errorsNameTheirCause() async throws {
        let sample = SampleImage()
        try await LiveRegistry.with { registry in
            try await withTransport { transport in
                let client = client(transport)
                let reference = ImageReference(registry: registry.name, repository: "none", tag: "1")
                let missing = try await registryError { _ = try await client.resolve(reference, platform: linux) }
                #expect(missing?.code == .notFound)
                #expect(missing?.message.contains("404 Not Found (MANIFEST_UNKNOWN: ") == true)
                let blob = try await registryError {
                    try await client.fetchBlob(sample.blobs[0], of: reference, into: MemoryBlobs())
                }
                #expect(blob?.code == .notFound)
                let wrong = Descriptor(mediaType: .ociLayer, digest: Digest(of: "other"), size: 5)
                let mismatch = try await registryError {
                    _ = try await client.push(
                        manifest: sample.bytes, type: .ociManifest, blobs: [wrong],
                        from: LyingSource(bytes: sample.layer), as: reference)
                }
                #expect(mismatch?.code == .rejected)
                #expect(mismatch?.message.contains("DIGEST_INVALID") == true)

                let unread = try await registryError {
                    _ = try await client.push(
                        manifest: sample.bytes, type: .ociManifest, blobs: sample.blobs, from: MemoryBlobs(),
                        as: reference)
                }
                #expect(unread?.code == .source)

                // TLS with a server that speaks plain HTTP.
                let secure = HTTPRequest(.get, try HTTPURL(parsing: "https://\(registry.name)/v2/"))
                let plain = try await registryError { _ = try await transport.send(secure, body: nil) }
                #expect(plain?.code == .plainHTTP)
            }
        }
    }

    private struct LyingSource: BlobSource {
        let bytes: [UInt8]

        func reader(for descriptor: Descriptor, from offset: Int64) throws -> any BlobReader {
            let honest = Descriptor(mediaType: .ociLayer, digest: Digest(of: bytes), size: Int64(bytes.count))
            return try MemoryBlobs([bytes]).reader(for: honest, from: offset)
        }
    }

    @Test func cancellationIsNotAnError() async throws {
        let sample = SampleImage()
        try await LiveRegistry.with { registry in
            try await withTransport { transport in
                let client = client(transport)
                let reference = ImageReference(registry: registry.name, repository: "none", tag: "1")
                let task = Task { try await client.resolve(reference, platform: linux) }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                _ = try await push(sample, client, reference)
            }
        }
    }
}

@Suite struct NetworkTransportTests {
    @Test func refusedConnectionNamesTheHost() async throws {
        try await withTransport { transport in
            let error = try await registryError {
                _ = try await transport.send(HTTPRequest(.get, try HTTPURL(parsing: "http://127.0.0.1:1/")), body: nil)
            }
            #expect(error?.code == .unreachable)
            #expect(error?.message == "127.0.0.1:1 refused the connection")
        }
    }

    @Test func deadProxyIsNamed() async throws {
        let transport = NetworkTransport(environment: ["HTTPS_PROXY": "http://127.0.0.1:1"])
        let error = try await registryError {
            _ = try await transport.send(HTTPRequest(.get, try HTTPURL(parsing: "https://r.invalid/")), body: nil)
        }
        try await transport.shutdown()
        #expect(error?.message == "the proxy 127.0.0.1:1 refused the connection")
        #expect(error?.hint?.contains("HTTPS_PROXY") == true)
    }

    @Test func unknownHostIsSaidSo() async throws {
        try await withTransport { transport in
            let error = try await registryError {
                _ = try await transport.send(
                    HTTPRequest(.get, try HTTPURL(parsing: "http://no-such-host.invalid/")), body: nil)
            }
            #expect(error?.code == .unreachable)
            #expect(error?.message == "the host name 'no-such-host.invalid' does not resolve")
        }
    }
}
