import Diagnostics
import OCI
import Testing

@testable import Registry

@Suite("What refers to an image") struct ReferrerTests {
    private let subject = Digest(of: Array("subject".utf8))
    private let reference = ImageReference(registry: "r.test", repository: "app", tag: "1")

    private func index(_ names: String...) -> String {
        let entries = names.map { name in
            let digest = Digest(of: Array(name.utf8))
            return """
                {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(digest)","size":\(name.utf8.count),\
                "artifactType":"application/x-\(name)","annotations":{"k":"v"}}
                """
        }
        return """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",\
            "manifests":[\(entries.joined(separator: ","))]}
            """
    }

    private func entry(_ name: String) throws -> IndexDocument.Entry {
        try #require(try IndexDocument(parsing: Array(index(name).utf8)).entries.first)
    }

    @Test("The registry's list is read page by page")
    func reads() async throws {
        let first = index("a")
        let second = index("b")
        let transport = FakeTransport { _, count in
            count == 0
                ? HTTPResponse(200, ["Link": "<?page=2>; rel=\"next\""], first) : HTTPResponse(200, [:], second)
        }
        let found = try await makeClient(transport).referrers(of: subject, in: reference)
        #expect(found.map(\.artifactType) == ["application/x-a", "application/x-b"])
        #expect(transport.lines[1] == "GET https://r.test/v2/app/referrers/\(subject)?page=2")
    }

    @Test("Without a list the index under the subject's tag is read", arguments: [404, 400, 405, 200])
    func readsTheTag(_ status: Int) async throws {
        let tagged = index("a")
        let transport = FakeTransport { exchange, _ in
            exchange.line.contains("/referrers/")
                ? HTTPResponse(status, [:], "<html></html>") : HTTPResponse(200, [:], tagged)
        }
        let found = try await makeClient(transport).referrers(of: subject, in: reference)
        #expect(found == [try entry("a")])
        #expect(transport.lines.last == "GET https://r.test/v2/app/manifests/sha256-\(subject.hex)")
    }

    @Test("Without either there are none")
    func findsNone() async throws {
        let transport = FakeTransport { _, _ in HTTPResponse(404) }
        #expect(try await makeClient(transport).referrers(of: subject, in: reference).isEmpty)
    }

    @Test("A tag of that form with something else is said to be that")
    func refusesOther() async throws {
        let image = SampleImage()
        let transport = FakeTransport { exchange, _ in
            exchange.line.contains("/referrers/") ? HTTPResponse(404) : HTTPResponse(200, [:], bytes: image.bytes)
        }
        let error = try await registryError {
            _ = try await makeClient(transport).referrers(of: subject, in: reference)
        }
        #expect(error?.code == .malformedResponse)
    }

    @Test("A list without an end ends")
    func endlessListEnds() async throws {
        let page = index("a")
        let transport = FakeTransport { _, _ in HTTPResponse(200, ["Link": "<?again>; rel=\"next\""], page) }
        let error = try await registryError {
            _ = try await makeClient(transport).referrers(of: subject, in: reference)
        }
        #expect(error?.code == .malformedResponse)
    }

    @Test("A registry with a list is told nothing")
    func notesNothing() async throws {
        let empty = index()
        let transport = FakeTransport { _, _ in HTTPResponse(200, [:], empty) }
        try await makeClient(transport).note(try entry("a"), on: subject, in: reference)
        #expect(transport.lines == ["GET https://r.test/v2/app/referrers/\(subject)"])
    }

    @Test("Without a list the referrer is added to the index under the tag, once")
    func notes() async throws {
        let tagged = index("a")
        let transport = FakeTransport { exchange, _ in
            if exchange.request.method == .put { return HTTPResponse(201) }
            return exchange.line.contains("/referrers/") ? HTTPResponse(404) : HTTPResponse(200, [:], tagged)
        }
        let client = makeClient(transport)
        try await client.note(try entry("a"), on: subject, in: reference)
        #expect(!transport.lines.contains { $0.hasPrefix("PUT") })
        try await client.note(try entry("b"), on: subject, in: reference)
        let put = try #require(transport.exchanges.last)
        #expect(put.line == "PUT https://r.test/v2/app/manifests/sha256-\(subject.hex)")
        #expect(try IndexDocument(parsing: put.body).entries == [try entry("a"), try entry("b")])
    }
}
