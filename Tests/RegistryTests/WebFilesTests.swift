import Diagnostics
import Testing

@testable import Registry

/// Files of servers that are no registries.
@Suite struct WebFilesTests {
    private func get(
        _ url: String, allowsDowngrade: Bool = false, _ transport: FakeTransport
    ) async throws -> String {
        let files = WebFiles(transport: transport, retry: RetryPolicy(sleep: { _ in }))
        return try await files.get(WebAddress(parsing: url), allowsDowngrade: allowsDowngrade) { response in
            String(decoding: try await response.body.collect(limit: 100) ?? [], as: UTF8.self)
        }
    }

    /// Only a file that is proven otherwise may come in the clear after it was asked for by TLS.
    @Test("A redirect from HTTPS to HTTP is followed only with a checksum", arguments: [true, false])
    func downgrade(_ isAllowed: Bool) async throws {
        let transport = FakeTransport { exchange, _ in
            exchange.request.url.scheme == .https
                ? HTTPResponse(302, ["Location": "http://other/b"]) : HTTPResponse(200, [:], "content")
        }
        guard isAllowed else {
            let error = await #expect(throws: RegistryError.self) { try await get("https://h/a", transport) }
            #expect(error?.code == .unsafeRedirect)
            #expect(transport.lines == ["GET https://h/a"])
            return
        }
        #expect(try await get("https://h/a", allowsDowngrade: true, transport) == "content")
    }

    @Test func loginStaysWithItsServer() async throws {
        let transport = FakeTransport { exchange, _ in
            switch exchange.request.url.target {
            case "/a": HTTPResponse(302, ["Location": "/b"])
            case "/b": HTTPResponse(302, ["Location": "https://other/c"])
            default: HTTPResponse(200, [:], "content")
            }
        }
        #expect(try await get("https://user:word@h/a", transport) == "content")
        #expect(transport.lines == ["GET https://h/a", "GET https://h/b", "GET https://other/c"])
        let login = "Basic dXNlcjp3b3Jk"
        #expect(transport.exchanges.map(\.authorization) == [login, login, nil])
    }

    /// A body that breaks is received again from the start.
    @Test("A body that breaks off is received again from the start")
    func repetition() async throws {
        let transport = FakeTransport { _, index in
            index == 0 ? HTTPResponse(200, cut: Array("con".utf8)) : HTTPResponse(200, [:], "content")
        }
        #expect(try await get("http://h/a", transport) == "content")
        #expect(transport.lines.count == 2)
    }

    @Test("An error status is an error, and retried only if it may pass", arguments: [(404, 1), (403, 1), (503, 4)])
    func refusal(_ status: Int, _ requests: Int) async throws {
        let transport = FakeTransport { _, _ in HTTPResponse(status) }
        let error = await #expect(throws: RegistryError.self) { try await get("http://h/a", transport) }
        #expect(error?.message == "invalid response status \(status)")
        #expect(transport.lines.count == requests)
    }

    @Test(
        "A web address is parsed, with its login taken out",
        arguments: [
            ("HTTP://H:80/a b?c=é#f", "http://h/a%20b?c=%C3%A9"), ("https://u@h", "https://h/"),
            ("http://u:p@h:8080/%41@b", "http://h:8080/%41@b"), ("http://[::1]:1/a", "http://[::1]:1/a"),
        ])
    func address(_ text: String, _ url: String) throws {
        #expect(try WebAddress(parsing: text).url.description == url)
    }

    @Test(
        "A malformed address is refused", arguments: ["", "h/a", "http://", "http://h:x/", "http://a b/", "ftp://h/a"])
    func malformed(_ text: String) {
        let error = #expect(throws: RegistryError.self) { try WebAddress(parsing: text) }
        #expect(error?.code == .malformedURL)
    }
}
