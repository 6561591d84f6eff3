import Diagnostics
import Logins
import OCI
import Synchronization

@testable import Registry

/// A transport of one closure, which remembers what it was asked.
final class FakeTransport: HTTPTransport {
    struct Exchange: Sendable {
        let request: HTTPRequest
        let body: [UInt8]

        var line: String { "\(request.method.rawValue) \(request.url)" }
        var authorization: String? { request.fields["Authorization"] }
    }

    private let log = Mutex<[Exchange]>([])
    private let answer: @Sendable (Exchange, Int) async throws -> HTTPResponse

    /// - Parameter answer: Gets the request and how many there were before it.
    init(_ answer: @escaping @Sendable (Exchange, Int) async throws -> HTTPResponse) {
        self.answer = answer
    }

    func send(_ request: HTTPRequest, body: HTTPBody?) async throws -> HTTPResponse {
        let bytes = try await body?.stream.collect(limit: 1 << 30) ?? []
        let exchange = Exchange(request: request, body: bytes)
        let index = log.withLock { log in
            log.append(exchange)
            return log.count - 1
        }
        return try await answer(exchange, index)
    }

    var exchanges: [Exchange] { log.withLock { $0 } }
    var lines: [String] { exchanges.map(\.line) }
}

extension HTTPResponse {
    init(_ status: Int, _ fields: HTTPFields = [:], _ body: String) {
        self.init(status: status, fields: fields, body: ByteStream([Array(body.utf8)]))
    }

    init(_ status: Int, _ fields: HTTPFields = [:], bytes: [UInt8] = []) {
        self.init(status: status, fields: fields, body: ByteStream([bytes]))
    }

    /// Some bytes, then a broken connection.
    init(_ status: Int, _ fields: HTTPFields = [:], cut bytes: [UInt8]) {
        let stream = ByteStream {
            var isSent = false
            return {
                if isSent { throw RegistryError(.connectionLost, "the connection broke") }
                isSent = true
                return bytes
            }
        }
        self.init(status: status, fields: fields, body: stream)
    }
}

/// Blobs in memory. What a writer got is seen only after its commit.
final class MemoryBlobs: BlobSink, BlobSource {
    private let blobs: Mutex<[Digest: [UInt8]]>
    private let discarded = Mutex(0)

    init(_ blobs: [[UInt8]] = []) {
        self.blobs = Mutex(Dictionary(uniqueKeysWithValues: blobs.map { (Digest(of: $0), $0) }))
    }

    subscript(digest: Digest) -> [UInt8]? { blobs.withLock { $0[digest] } }
    var discardCount: Int { discarded.withLock { $0 } }

    func contains(_ digest: Digest) throws -> Bool { self[digest] != nil }
    func writer(for descriptor: Descriptor) throws -> any BlobWriter { Writer(self, descriptor.digest) }

    func reader(for descriptor: Descriptor, from offset: Int64) throws -> any BlobReader {
        guard let bytes = self[descriptor.digest] else { throw ManifestError(.malformed, "no such blob") }
        return Reader(bytes.dropFirst(Int(offset)))
    }

    private final class Writer: BlobWriter {
        private let owner: MemoryBlobs
        private let digest: Digest
        private let bytes = Mutex<[UInt8]>([])

        init(_ owner: MemoryBlobs, _ digest: Digest) {
            self.owner = owner
            self.digest = digest
        }

        func write(_ piece: Span<UInt8>) throws {
            let copy = unsafe piece.withUnsafeBufferPointer { unsafe Array($0) }
            bytes.withLock { $0 += copy }
        }

        func commit(as digest: Digest) throws {
            let (announced, bytes) = (self.digest, bytes.withLock { $0 })
            guard digest == announced, Digest(of: bytes) == announced else {
                throw ManifestError(.malformed, "another blob was announced")
            }
            owner.blobs.withLock { $0[announced] = bytes }
        }

        func discard() { owner.discarded.withLock { $0 += 1 } }
    }

    private final class Reader: BlobReader {
        private let rest: Mutex<ArraySlice<UInt8>>

        init(_ bytes: ArraySlice<UInt8>) { rest = Mutex(bytes) }

        func read(into buffer: inout [UInt8]) throws -> Int {
            let piece = rest.withLock { rest in
                let piece = Array(rest.prefix(buffer.count))
                rest = rest.dropFirst(piece.count)
                return piece
            }
            buffer.replaceSubrange(0..<piece.count, with: piece)
            return piece.count
        }
    }
}

/// An image of a config and one layer, with the given bytes as the layer.
struct SampleImage {
    let config = Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
    let layer: [UInt8]
    let manifest: Manifest
    let bytes: [UInt8]

    init(layer: [UInt8] = Array("layer".utf8)) {
        self.layer = layer
        manifest = Manifest(
            config: Descriptor(mediaType: .ociConfig, digest: Digest(of: config), size: Int64(config.count)),
            layers: [Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: layer), size: Int64(layer.count))])
        bytes = manifest.encoded
    }

    var digest: Digest { Digest(of: bytes) }
    var blobs: [Descriptor] { [manifest.config] + manifest.layers }
    var source: MemoryBlobs { MemoryBlobs([config, layer]) }

    func descriptor(_ platform: Platform) -> Descriptor {
        Descriptor(mediaType: .ociManifest, digest: digest, size: Int64(bytes.count), platform: platform)
    }
}

/// Pseudo-random bytes, the same for the same seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    var bytes = [UInt8](repeating: 0, count: count)
    // Not every byte: that takes seconds in a debug build.
    for index in stride(from: 0, to: count, by: 61) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[index] = UInt8(truncatingIfNeeded: state >> 33)
    }
    return bytes
}

/// Pauses that were asked for and not taken.
final class Pauses: Sendable {
    private let taken = Mutex<[Duration]>([])
    var all: [Duration] { taken.withLock { $0 } }

    var policy: RetryPolicy {
        RetryPolicy(sleep: { pause in self.taken.withLock { $0.append(pause) } })
    }
}

func makeClient(
    _ transport: FakeTransport, credential: Credential? = nil, pauses: Pauses = Pauses(),
    _ change: (inout RegistryClient.Options) -> Void = { _ in }
) -> RegistryClient {
    var options = RegistryClient.Options()
    options.retry = pauses.policy
    change(&options)
    let credentials: any CredentialProvider =
        if let credential { FixedCredential(credential, for: "r.test") } else { AnonymousCredentials() }
    return RegistryClient(transport: transport, credentials: credentials, options: options)
}

/// Runs `body`, which must fail with a registry error, and returns that.
func registryError(_ body: () async throws -> Void) async throws -> RegistryError? {
    do {
        try await body()
        return nil
    } catch let error as RegistryError {
        return error
    }
}

let image = ImageReference(registry: "r.test", repository: "team/app", tag: "1")
let linux = Platform(os: "linux", architecture: "amd64")
