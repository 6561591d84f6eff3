import Contexts
import Diagnostics
import Layers
import Linux
import OCI
import Solver
import Store
import SystemPackage
import Testing
import Trees

@testable import Engine

/// ADD of files of a web server, whole builds against a real one.
@Suite(.serialized) struct RemoteSourceHTTPTests {
    private static let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    private static let zeros = "sha256:" + String(repeating: "0", count: 64)

    @Test("A file of the web has its name, mode and time")
    func metadata() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            try fixture.server.serve("flaky", "bare")
            let result = try await fixture.build(
                """
                ADD $URL/a.txt?x=/y $URL/bare /d/
                ADD --chmod=755 --chown=7:8 $URL/a.txt /e
                ADD --link $URL/a.txt /l/
                """)
            let file = try #require(result.files["d/a.txt"])
            #expect(file.permissions == 0o600 && file.owner == 0 && file.group == 0)
            #expect(file.modified == FileTime(seconds: 1_600_000_000))
            #expect(result.text("d/a.txt") == "hello")
            // Without Last-Modified the time is the epoch.
            #expect(result.files["d/bare"]?.modified == FileTime(seconds: 0))
            let changed = try #require(result.files["e"])
            #expect(changed.permissions == 0o755 && changed.owner == 7 && changed.group == 8)
            #expect(result.text("l/a.txt") == "hello")
            // The two with the same URL are one step.
            let requests = try fixture.server.takeRequests()
            #expect(requests.sorted() == ["GET /a.txt 200", "GET /a.txt?x=/y 200", "GET /bare 200"])
        }
    }

    @Test("An unchanged file is revalidated and not sent again")
    func revalidation() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            let line = "ADD $URL/a.txt /d/"
            let first = try await fixture.build(line)
            #expect(first.outcome("/a.txt /d/") == .done)
            #expect(first.steps["\(fixture.server.url)/a.txt"] == .done)
            #expect(try fixture.server.takeRequests() == ["GET /a.txt 200"])

            let second = try await fixture.build(line)
            #expect(second.outcome("/a.txt /d/") == .cached)
            #expect(second.steps["\(fixture.server.url)/a.txt"] == .cached)
            #expect(try fixture.server.takeRequests() == ["GET /a.txt 304"])

            // The same bytes at another time are the same step by content, of whatever name the server calls them.
            try fixture.server.serve("a.txt", "hello", modified: 1_700_000_000)
            #expect(try await fixture.build(line).outcome("/a.txt /d/") == .cached)

            try fixture.server.serve("a.txt", "other")
            let changed = try await fixture.build(line)
            #expect(changed.outcome("/a.txt /d/") == .done)
            #expect(changed.text("d/a.txt") == "other")
            #expect(try fixture.server.takeRequests().last == "GET /a.txt 200")
        }
    }

    /// A server that cannot tell states of a file apart sends it again; what follows is known by its content.
    @Test func noTag() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("flaky", "bare")
            for outcome in [StepOutcome.done, .cached] {
                let result = try await fixture.build("ADD $URL/bare /")
                #expect(result.outcome("] ADD") == outcome)
                #expect(result.steps["\(fixture.server.url)/bare"] == .done)
                #expect(try fixture.server.takeRequests() == ["GET /bare 200"])
            }
        }
    }

    /// One that fails ends the others, which are fetched at the same time.
    @Test(.timeLimit(.minutes(10))) func failureEndsOthers() async throws {
        try await RemoteSourceFixture.with { fixture in
            let error = try await fixture.failure("ADD $URL/slow /\nADD $URL/missing /")
            #expect(error.message == "failed to load cache key: invalid response status 404")
            #expect(error.location?.lines == 3...3)
        }
    }

    @Test("A file with the wanted checksum is used without asking the server")
    func checksum() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            try fixture.server.serve("b.txt", "hello")
            let line = "ADD --checksum=\(Self.hello) $URL/a.txt /"
            let first = try await fixture.build(line)
            #expect(first.text("a.txt") == "hello")
            #expect(first.files["a.txt"]?.modified == FileTime(seconds: 1_600_000_000))
            #expect(try fixture.server.takeRequests() == ["GET /a.txt 200"])

            // What is known to be the right file is not asked for again, wherever it came from.
            #expect(try await fixture.build(line).outcome("/a.txt") == .cached)
            let other = try await fixture.build("ADD --checksum=\(Self.hello) $URL/b.txt /")
            #expect(other.text("b.txt") == "hello")
            #expect(try fixture.server.takeRequests() == [])
        }
    }

    @Test func checksumMismatch() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            let error = try await fixture.failure("ADD --checksum=\(Self.zeros) $URL/a.txt /")
            #expect(error.message == "digest mismatch \(Self.hello): \(Self.zeros)")
            #expect(error.location?.lines == 2...2)
            // What is not what was asked for is not kept.
            let store = try StoreRoot(at: fixture.store)
            #expect(try !store.content.contains(Digest(parsing: Self.hello)))
        }
    }

    @Test(
        "A failing server gives BuildKit's error after its retries",
        arguments: [
            ("/missing", "failed to load cache key: invalid response status 404", 1),
            ("/login", "failed to load cache key: invalid response status 401", 1),
            ("/short", "closed the connection early", 4), ("/loop", "redirects more than 10 times", 11),
        ])
    func failures(_ path: String, _ message: String, _ requests: Int) async throws {
        try await RemoteSourceFixture.with { fixture in
            let error = try await fixture.failure("ADD $URL\(path) /")
            #expect(error.message.contains(message))
            #expect(error.codeName == ContextsCode.download.rawValue)
            #expect(error.location != nil)
            #expect(try fixture.server.takeRequests().count == requests)
        }
    }

    @Test("A server that cannot be reached is an error")
    func unreachable() async throws {
        try await RemoteSourceFixture.with { fixture in
            let error = try await fixture.failure("ADD http://127.0.0.1:9/a /")
            #expect(error.message == "failed to load cache key: 127.0.0.1:9 refused the connection")
            #expect(error.hint == "Check the address, the network and the proxy settings.")
        }
    }

    @Test func redirectRetryAndLogin() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            try fixture.server.serve("flaky", "late")
            try fixture.server.serve("login", "secret")
            let login = "http://u:p%3Aq@127.0.0.1:\(fixture.server.port)/login"
            let result = try await fixture.build("ADD $URL/to/a.txt $URL/to/flaky \(login) /d/")
            #expect(["d/a.txt", "d/flaky", "d/login"].map { result.text($0) } == ["hello", "late", "secret"])
            #expect(!result.steps.keys.contains { $0.hasPrefix("http") && $0.contains("p%3Aq") })
        }
    }

    @Test("ADD unpacks archives of the web as its flag says")
    func archives() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("f", "in the archive")
            let www = fixture.server.directory
            try await runProgram("tar", ["-C", www.string, "-czf", www.appending("x.tgz").string, "f"])
            let result = try await fixture.build(
                "ADD $URL/x.tgz /a/\nADD --unpack=true $URL/x.tgz $URL/f /b/\nADD --unpack=false $URL/x.tgz /c/")
            #expect(
                result.files.keys.filter { result.files[$0]?.kind == .regular }.sorted()
                    == ["a/x.tgz", "b/f", "c/x.tgz"])
            #expect(result.text("b/f") == "in the archive")
        }
    }

    /// 64 MiB arrive and never are in memory at once.
    @Test func largeFile() async throws {
        try await RemoteSourceFixture.with { fixture in
            let result = try await fixture.build("ADD $URL/big /")
            #expect(result.files["big"]?.size == 64 << 20)
        }
    }

    @Test("A cancelled build ends its downloads", .timeLimit(.minutes(10)))
    func cancellation() async throws {
        try await RemoteSourceFixture.with { fixture in
            let build = Task { try await fixture.build("ADD $URL/slow /") }
            while try fixture.server.takeRequests().isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            build.cancel()
            await #expect(throws: CancellationError.self) { try await build.value }
        }
    }

    @Test(arguments: ["a[1]*.txt", "a*", "*", "[[", "a\\b", "a\\*b", "\\[x]"])
    func nameIsNoPattern(_ name: String) async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve(name, "hello")
            let result = try await fixture.build("ADD $URL/\(name.replacing("\\", with: "%5C")) /")
            #expect(result.text(name) == "hello")
        }
    }
}
