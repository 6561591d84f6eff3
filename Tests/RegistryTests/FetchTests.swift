import Diagnostics
import Logins
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct FetchTests {
    private static let sample = noise(3 << 20)
    private var bytes: [UInt8] { Self.sample }
    private var blob: Descriptor {
        Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: bytes), size: Int64(bytes.count))
    }

    @Test func wholeBlob() async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { _, _ in
            let pieces = stride(from: 0, to: bytes.count, by: 70_000)
                .map { Array(bytes[$0..<min($0 + 70_000, bytes.count)]) }
            return HTTPResponse(status: 200, body: ByteStream(pieces))
        }
        let sink = MemoryBlobs()
        let seen = Mutex<[Int64]>([])
        try await makeClient(transport).fetchBlob(blob, of: image, into: sink) { count in
            seen.withLock { $0.append(count) }
        }
        #expect(sink[blob.digest] == bytes)
        #expect(seen.withLock { $0 }.last == blob.size)
        try await makeClient(transport).fetchBlob(blob, of: image, into: sink)
        #expect(transport.exchanges.count == 1, "the sink has it already")
    }

    @Test func emptyBlob() async throws {
        let empty = Descriptor(mediaType: .ociLayer, digest: Digest(of: ""), size: 0)
        let sink = MemoryBlobs()
        try await makeClient(FakeTransport { _, _ in HTTPResponse(200) }).fetchBlob(empty, of: image, into: sink)
        #expect(sink[empty.digest] == [])
    }

    @Test(arguments: [true, false])
    func goesOnWhereItBroke(_ honoursRange: Bool) async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { exchange, index in
            if index == 0 { return HTTPResponse(200, [:], cut: Array(bytes[..<1_500_000])) }
            guard honoursRange else { return HTTPResponse(200, [:], bytes: bytes) }
            let range: HTTPFields = ["Content-Range": "bytes 1500000-\(bytes.count - 1)/\(bytes.count)"]
            return HTTPResponse(206, range, bytes: Array(bytes[1_500_000...]))
        }
        let sink = MemoryBlobs()
        try await makeClient(transport).fetchBlob(blob, of: image, into: sink)
        #expect(sink[blob.digest] == bytes)
        #expect(transport.exchanges.map { $0.request.fields["Range"] } == [nil, "bytes=1500000-"])
    }

    @Test func wrongRangeIsRefused() async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { _, index in
            index == 0
                ? HTTPResponse(200, [:], cut: Array(bytes[..<1000]))
                : HTTPResponse(206, ["Content-Range": "bytes 0-\(bytes.count - 1)/\(bytes.count)"], bytes: bytes)
        }
        let error = try await registryError {
            try await makeClient(transport).fetchBlob(blob, of: image, into: MemoryBlobs())
        }
        #expect(error?.code == .malformedResponse)
    }

    @Test func truncatedForEver() async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { exchange, _ in
            let start = exchange.request.fields["Range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
            return HTTPResponse(
                start == 0 ? 200 : 206,
                start == 0 ? [:] : ["Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"],
                bytes: Array(bytes[start..<start + 10]))
        }
        let sink = MemoryBlobs()
        let error = try await registryError { try await makeClient(transport).fetchBlob(blob, of: image, into: sink) }
        #expect(error?.code == .connectionLost)
        #expect(error?.message.contains("after 40 of \(bytes.count) bytes") == true)
        #expect(transport.exchanges.count == 4)
        #expect(sink.discardCount == 1)
    }

    @Test func deadServerIsTriedAFewTimes() async throws {
        let blob = blob
        let transport = FakeTransport { _, _ in throw RegistryError(.unreachable, "refused") }
        let error = try await registryError {
            try await makeClient(transport).fetchBlob(blob, of: image, into: MemoryBlobs())
        }
        #expect(error?.code == .unreachable)
        #expect(transport.exchanges.count == 4)
    }

    @Test func corruptBlob() async throws {
        let blob = blob
        var changed = bytes
        changed[77] ^= 1
        let body = changed
        let sink = MemoryBlobs()
        let transport = FakeTransport { _, _ in HTTPResponse(200, [:], bytes: body) }
        let error = try await registryError { try await makeClient(transport).fetchBlob(blob, of: image, into: sink) }
        #expect(error?.code == .digestMismatch)
        #expect(error?.message.contains("\(blob.digest)") == true)
        #expect(sink[blob.digest] == nil)
        #expect(sink.discardCount == 1)
    }

    @Test func endlessBlob() async throws {
        let blob = blob
        let transport = FakeTransport { _, _ in
            HTTPResponse(status: 200, body: ByteStream { { [UInt8](repeating: 0, count: 1 << 20) } })
        }
        let error = try await registryError {
            try await makeClient(transport).fetchBlob(blob, of: image, into: MemoryBlobs())
        }
        #expect(error?.code == .digestMismatch)
    }

    @Test func announcedLengthIsChecked() async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { _, _ in HTTPResponse(200, ["Content-Length": "5"], bytes: bytes) }
        let error = try await registryError {
            try await makeClient(transport).fetchBlob(blob, of: image, into: MemoryBlobs())
        }
        #expect(error?.code == .digestMismatch)
    }

    @Test func redirectDropsCredentials() async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { exchange, _ in
            switch (exchange.request.url.host, exchange.authorization) {
            case ("r.test", nil): HTTPResponse(401, ["WWW-Authenticate": "Basic realm=r"])
            case ("r.test", _): HTTPResponse(307, ["Location": "https://cdn.test/b?sig=a%2Fb"])
            case (_, nil): HTTPResponse(200, [:], bytes: bytes)
            default: HTTPResponse(400, [:], "only one auth mechanism allowed")
            }
        }
        let client = makeClient(transport, credential: .password(user: "u", password: "p"))
        try await client.fetchBlob(blob, of: image, into: MemoryBlobs())
        #expect(transport.lines.last == "GET https://cdn.test/b?sig=a%2Fb")
    }

    @Test(arguments: [("/elsewhere", true), ("https://r.test:444/x", false), ("https://r.test/x", true)])
    func credentialsStayWithTheirOrigin(_ location: String, _ isKept: Bool) async throws {
        let (bytes, blob) = (bytes, blob)
        let transport = FakeTransport { exchange, index in
            switch index {
            case 0: HTTPResponse(401, ["WWW-Authenticate": "Basic realm=r"])
            case 1: HTTPResponse(302, ["Location": location])
            default: HTTPResponse(200, [:], bytes: bytes)
            }
        }
        let client = makeClient(transport, credential: .password(user: "u", password: "p"))
        try await client.fetchBlob(blob, of: image, into: MemoryBlobs())
        #expect((transport.exchanges[2].authorization != nil) == isKept)
    }

    @Test(arguments: [("https://r.test/loop", 11), ("http://cdn.test/x", 1)])
    func unsafeRedirects(_ location: String, _ requests: Int) async throws {
        let blob = blob
        let transport = FakeTransport { _, _ in HTTPResponse(307, ["Location": location]) }
        let error = try await registryError {
            try await makeClient(transport).fetchBlob(blob, of: image, into: MemoryBlobs())
        }
        #expect(error?.code == .unsafeRedirect)
        #expect(transport.exchanges.count == requests)
    }

    @Test func foreignLayerComesFromItsURL() async throws {
        let bytes = bytes
        let foreign = Descriptor(
            mediaType: .ociLayerGzip, digest: blob.digest, size: blob.size, urls: ["https://vendor.test/layer"])
        let transport = FakeTransport { exchange, _ in
            exchange.request.url.host == "vendor.test" ? HTTPResponse(200, [:], bytes: bytes) : HTTPResponse(404)
        }
        let sink = MemoryBlobs()
        try await makeClient(transport).fetchBlob(foreign, of: image, into: sink)
        #expect(sink[foreign.digest] == bytes)
    }

    @Test func errorsOfTheSinkPassUnchanged() async throws {
        struct FullSink: BlobSink {
            func contains(_ digest: Digest) throws -> Bool { false }
            func writer(for descriptor: Descriptor) throws -> any BlobWriter {
                throw ManifestError(.malformed, "disk full")
            }
        }
        let blob = blob
        await #expect(throws: ManifestError.self) {
            try await makeClient(FakeTransport { _, _ in HTTPResponse(200) }).fetchBlob(
                blob, of: image, into: FullSink())
        }
    }
}
