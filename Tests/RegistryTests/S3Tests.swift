import Diagnostics
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct S3Tests {
    /// The examples of the Amazon S3 API reference, "Signature Calculations for the Authorization Header".
    @Test(arguments: [
        ("/?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ])
    func signsAsTheReferenceDoes(_ target: String, _ signature: String) throws {
        let credentials = S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            sessionToken: nil)
        let time = try #require(Timestamp(parsing: "2013-05-24T00:00:00Z"))
        let url = HTTPURL(scheme: .https, host: "examplebucket.s3.amazonaws.com", target: target)
        var request = HTTPRequest(.get, url)
        S3Signature(credentials: credentials, region: "us-east-1", time: time)
            .sign(&request, payload: Digest(of: []))
        #expect(
            request.fields["Authorization"]
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=\(signature)")
    }

    private static let bucket = S3Bucket(
        name: "cache", region: "eu-west-1", endpoint: "http://localhost:1", usesPathStyle: true, blobPrefix: "p/blobs/")

    private func client(_ transport: FakeTransport, _ bucket: S3Bucket = bucket) -> S3Client {
        S3Client(
            transport: transport, bucket: bucket,
            credentials: S3Credentials(accessKey: "a", secretKey: "b", sessionToken: "token"),
            retry: RetryPolicy(sleep: { _ in }), now: { Timestamp(seconds: 0) })
    }

    @Test func namesObjects() throws {
        let digest = Digest(of: "x")
        let key = Self.bucket.key(of: digest)
        #expect(try "\(Self.bucket.url(of: key))" == "http://localhost:1/cache/p/blobs/sha256%3A\(digest.hex)")
        let amazon = S3Bucket(
            name: "cache", region: "eu-west-1", endpoint: nil, usesPathStyle: false, blobPrefix: "")
        #expect(try "\(amazon.url(of: "manifests/a b"))" == "https://cache.s3.eu-west-1.amazonaws.com/manifests/a%20b")
        #expect(S3Bucket(json: Self.bucket.json) == Self.bucket)
        #expect(S3Bucket(json: amazon.json) == amazon)
        for endpoint in ["nonsense", "http://host/path", "ftp://host"] {
            let bad = S3Bucket(name: "b", region: "r", endpoint: endpoint, usesPathStyle: true, blobPrefix: "")
            #expect(throws: RegistryError.self) { try bad.url(of: "x") }
        }
    }

    @Test func takesUpWhereTheConnectionBroke() async throws {
        let bytes = Array("some bytes of a blob".utf8)
        let blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: bytes), size: Int64(bytes.count))
        let transport = FakeTransport { exchange, number in
            #expect(exchange.request.fields["x-amz-security-token"] == "token")
            guard number > 0 else { return HTTPResponse(200, cut: Array(bytes.prefix(5))) }
            #expect(exchange.request.fields["Range"] == "bytes=5-19")
            return HTTPResponse(206, bytes: Array(bytes.dropFirst(5)))
        }
        let sink = MemoryBlobs()
        try await client(transport).fetchBlob(blob, into: sink) { _ in }
        #expect(sink[blob.digest] == bytes)
        #expect(transport.exchanges.count == 2)
    }

    @Test func keepsNothingOfAnotherBlob() async throws {
        let blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: "right"), size: 5)
        for body in ["wrong", "longer than said"] {
            let sink = MemoryBlobs()
            let transport = FakeTransport { _, _ in HTTPResponse(200, [:], body) }
            await #expect(throws: RegistryError.self) {
                try await client(transport).fetchBlob(blob, into: sink) { _ in }
            }
            #expect(sink[blob.digest] == nil)
        }
    }

    @Test func tellsWhatTheStoreSays() async throws {
        let answer = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Not \u{1b}you</Message></Error>"
        let transport = FakeTransport { _, _ in HTTPResponse(403, ["Content-Type": "application/xml"], answer) }
        let error = await #expect(throws: RegistryError.self) {
            try await client(transport).put([1], as: "manifests/x")
        }
        #expect(error?.code == .denied)
        #expect(error?.message.contains("(AccessDenied: Not you)") == true, "\(error?.message ?? "")")
        #expect(transport.exchanges.count == 1)
    }

    @Test func triesAgainWhatMayPass() async throws {
        let transport = FakeTransport { _, number in HTTPResponse(number < 2 ? 503 : 200) }
        try await client(transport).put([1, 2], as: "x")
        #expect(transport.lines == Array(repeating: "PUT http://localhost:1/cache/x", count: 3))
        #expect(transport.exchanges.allSatisfy { $0.body == [1, 2] })
    }

    @Test func readsAnObjectAsItArrives() async throws {
        let transport = FakeTransport { _, number in number < 1 ? HTTPResponse(503) : HTTPResponse(200, [:], "content")
        }
        let bytes = try await client(transport).read("a/b") { try await $0.body.collect(limit: 100) }
        #expect(bytes == Array("content".utf8))
        #expect(transport.lines == Array(repeating: "GET http://localhost:1/cache/a/b", count: 2))
        let absent = FakeTransport { _, _ in HTTPResponse(404) }
        let error = await #expect(throws: RegistryError.self) {
            try await client(absent).read("x") { try await $0.body.collect(limit: 1) }
        }
        #expect(error?.code == .notFound)
    }

    @Test func anObjectThatIsNotThereIsNone() async throws {
        let transport = FakeTransport { _, _ in HTTPResponse(404) }
        #expect(try await client(transport).object("x", limit: 10) == nil)
        let large = FakeTransport { _, _ in HTTPResponse(200, bytes: [UInt8](repeating: 0, count: 11)) }
        await #expect(throws: RegistryError.self) { try await client(large).object("x", limit: 10) }
    }
}
