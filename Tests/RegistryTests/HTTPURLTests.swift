import Diagnostics
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct HTTPURLTests {
    @Test(
        "A URL is parsed into its parts",
        arguments: [
            ("HTTPS://Host.Test:443/a?b#c", "https://host.test/a?b"), ("http://h:5000", "http://h:5000/"),
            ("http://[::1]:5000/v2/", "http://[::1]:5000/v2/"), ("https://h?x=1", "https://h/?x=1"),
        ])
    func parses(_ text: String, _ expected: String) throws {
        #expect(try HTTPURL(parsing: text).description == expected)
    }

    @Test(
        "A malformed URL is refused",
        arguments: [
            "", "h/a", "ftp://h/", "http:///a", "http://u:p@h/", "http://h:99999/", "http://h:x/", "http://h/a b",
            "http://h/\r\nX: y", "http://h/\u{e9}", "http://[::1]x/",
        ])
    func refuses(_ text: String) {
        #expect(throws: RegistryError.self) { try HTTPURL(parsing: text) }
    }

    /// The examples of RFC 3986, section 5.4, with the base `http://a/b/c/d;p?q`, and what registries send.
    @Test(
        "A relative URL is resolved against its base",
        arguments: [
            ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"), ("#s", "/b/c/d;p?q"), ("g#s", "/b/c/g"), ("g?y#s", "/b/c/g?y"), (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"), ("", "/b/c/d;p?q"), (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"), ("../", "/b/"),
            ("../g", "/b/g"), ("../..", "/"), ("../../", "/"), ("../../g", "/g"), ("../../../g", "/g"),
            ("/./g", "/g"), ("/../g", "/g"), ("g.", "/b/c/g."), (".g", "/b/c/.g"), ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"), ("./../g", "/b/g"), ("./g/.", "/b/c/g/"), ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"), ("g;x=1/./y", "/b/c/g;x=1/y"), ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"), ("g?y/../x", "/b/c/g?y/../x"), ("g#s/../x", "/b/c/g"),
            ("x?from=http://z/", "/b/c/x?from=http://z/"), ("/x?y=http://z/../a", "/x?y=http://z/../a"),
            ("./ID?_state=a%2Bb", "/b/c/ID?_state=a%2Bb"), ("./a:b", "/b/c/a:b"),
        ])
    func resolves(_ location: String, _ expected: String) throws {
        let base = try HTTPURL(parsing: "http://a/b/c/d;p?q")
        #expect(try base.resolving(location).description == "http://a\(expected)")
    }

    @Test(
        "An absolute URL stays as it is written",
        arguments: [
            ("https://other.test/x?y", "https://other.test/x?y"), ("//o/x", "http://o/x"),
            ("HTTPS://o/a/../b?c", "https://o/a/../b?c"),
        ])
    func keepsAbsolute(_ location: String, _ expected: String) throws {
        #expect(try HTTPURL(parsing: "http://h:1/v2/a/b?q=1").resolving(location).description == expected)
    }

    @Test("A scheme that is not HTTP is refused", arguments: ["mailto:x", "ftp://h/", "sha256:0", "http:g"])
    func refusesOtherSchemes(_ location: String) throws {
        let base = try HTTPURL(parsing: "http://h/")
        #expect(throws: RegistryError.self) { try base.resolving(location) }
    }

    @Test(arguments: [
        ("http://h/a", "http://h/a?digest=sha256:0%26"), ("http://h/a?s=1", "http://h/a?s=1&digest=sha256:0%26"),
        ("http://h/a?", "http://h/a?digest=sha256:0%26"),
    ])
    func appendsToQuery(_ url: String, _ expected: String) throws {
        #expect(try HTTPURL(parsing: url).appending("digest", "sha256:0&").description == expected)
    }

    @Test func printableTextCannotCommandATerminal() {
        #expect("a\u{1b}[2Jb\r\nc\u{202e}d".printable(limit: 50) == "a [2Jb c d")
        #expect("abcdef".printable(limit: 3) == "abc…")
    }

    @Test(arguments: [
        ("https://a.test/", "up:3128"), ("http://a.test/", "plain:8080"), ("https://localhost:5000/", nil),
        ("https://x.corp.test/", nil), ("https://corp.test/", nil), ("https://notcorp.test/", "up:3128"),
        ("https://10.1.2.3/", nil), ("https://11.1.2.3/", "up:3128"), ("https://p.test:444/", nil),
        ("https://p.test/", "up:3128"),
    ])
    func choosesProxy(_ url: String, _ expected: String?) throws {
        let settings = ProxySettings(environment: [
            "HTTPS_PROXY": "http://us%40er:pw@up:3128", "http_proxy": "plain:8080",
            "NO_PROXY": "corp.test, 10.0.0.0/8,p.test:444",
        ])
        let proxy = settings.proxy(for: try HTTPURL(parsing: url))
        #expect(proxy.map { "\($0.host):\($0.port)" } == expected)
        if expected == "up:3128" { #expect(proxy?.userInfo == "us@er:pw") }
    }

    @Test func retryAfter() async throws {
        let policy = RetryPolicy()
        let request = HTTPRequest(.get, try HTTPURL(parsing: "https://r.test/"))
        func pause(_ fields: HTTPFields) async -> Duration {
            policy.pause(after: 1, await Refusal(HTTPResponse(429, fields), to: request).error)
        }
        #expect(await pause(["Retry-After": "7"]) == .seconds(7))
        #expect(await pause(["Retry-After": "86400000"]) == .seconds(120))
        #expect(await pause(["Retry-After": "-3"]) == .zero)
        #expect(await pause(["Retry-After": "soon"]) == .milliseconds(300))
        let date: HTTPFields = [
            "Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "Sun, 06 Nov 1994 08:49:41 GMT",
        ]
        #expect(await pause(date) == .seconds(4))
        #expect(policy.pause(after: 3, CancellationError()) == .milliseconds(1200))
    }

    @Test(
        "A server that wants to be left alone for long is, and the user is told for how long",
        arguments: [
            (7, 2, "7 seconds"), (120, 2, "2 minutes"), (3600, 1, "60 minutes"), (21600, 1, "6 hours"),
        ])
    func longWaits(_ seconds: Int, _ attempts: Int, _ words: String) async throws {
        let pauses = Pauses()
        let notices = Mutex<[String]>([])
        let transport = FakeTransport { _, index in
            index < 1 || attempts == 1 ? HTTPResponse(429, ["Retry-After": "\(seconds)"]) : HTTPResponse(404)
        }
        let error = try await NetworkNotice.heard(by: { notice in notices.withLock { $0.append(notice) } }) {
            try await registryError {
                _ = try await makeClient(transport, pauses: pauses).resolve(image, platform: linux)
            }
        }
        #expect(transport.exchanges.count == attempts)
        #expect(pauses.all == (attempts == 1 ? [] : [.seconds(seconds)]))
        if attempts == 1 {
            #expect(error?.code == .rateLimited && error?.hint?.contains(words) == true)
        } else {
            #expect(notices.withLock { $0 }.contains { $0.hasSuffix("trying again in \(seconds) seconds") })
        }
    }
}
