import Contexts
import Diagnostics
import Linux
import Solver
import SystemPackage
import Testing
import Trees

@testable import Engine

/// ADD from servers that want to know who asks: the secrets of the build that are named after them.
@Suite(.serialized) struct RemoteSourceAuthTests {
    private static let token = "t0ken-value"
    /// `x-access-token:` and the token.
    private static let basic = "eC1hY2Nlc3MtdG9rZW46dDBrZW4tdmFsdWU="

    /// The files in which a text is.
    private static func files(with text: String, in path: FilePath) async throws -> [String] {
        let outcome = try await offload {
            try ChildProcess(
                "grep", ["-rlaF", "--", text, path.string], environment: ["PATH=\(RemoteSourceServer.searchPath)"]
            ).run()
        }
        try #require(outcome.status < 2)
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Neither the store nor what was written holds the token, and would be seen to if it did.
    private static func expectNoTrace(in fixture: RemoteSourceFixture, of marker: String) async throws {
        for path in [fixture.store, fixture.root.appending("out.tar")] {
            #expect(try await !files(with: marker, in: path).isEmpty)
            #expect(try await files(with: token, in: path) == [])
            #expect(try await files(with: basic, in: path) == [])
        }
    }

    // MARK: Files

    @Test(
        "A file of the web is fetched with its login",
        arguments: [
            ["HTTP_AUTH_TOKEN_127.0.0.1": "t0ken-value"], ["HTTP_AUTH_TOKEN_127.0.0.1": "t0ken-value\n"],
            ["HTTP_AUTH_HEADER_127.0.0.1": "Own t0ken-value"],
            ["HTTP_AUTH_HEADER_127.0.0.1": "Own nothing", "HTTP_AUTH_TOKEN_127.0.0.1": "t0ken-value"],
            ["HTTP_AUTH_HEADER_127.0.0.1": "Own t0ken-value", "HTTP_AUTH_TOKEN_127.0.0.1": ""],
        ])
    func file(_ secrets: [String: String]) async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "well guarded")
            let login = "http://u:p%3Aq@127.0.0.1:\(fixture.server.port)/auth/a.txt"
            for line in ["ADD $URL/auth/a.txt /", "ADD \(login) /"] {
                let result = try await fixture.build(line, secrets: secrets)
                #expect(result.text("a.txt") == "well guarded")
                #expect(!result.steps.keys.contains { $0.contains(Self.token) })
            }
            try await Self.expectNoTrace(in: fixture, of: "well guarded")
        }
    }

    /// The token is no part of what a step is known by.
    @Test func anotherTokenFindsTheSame() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            let name = "HTTP_AUTH_TOKEN_127.0.0.1"
            _ = try await fixture.build("ADD $URL/auth/a.txt /", secrets: [name: Self.token])
            let header = ["HTTP_AUTH_HEADER_127.0.0.1": "Own t0ken-value"]
            let again = try await fixture.build("ADD $URL/auth/a.txt /", secrets: header)
            #expect(again.outcome("] ADD") == .cached)
            // Who may not have the file does not get it from the cache.
            _ = try await fixture.failure("ADD $URL/auth/a.txt /")
        }
    }

    @Test(
        arguments: [
            ([:], "Give a token for it with --secret id=HTTP_AUTH_TOKEN_127.0.0.1,src=FILE."),
            (
                ["HTTP_AUTH_TOKEN_localhost": "t0ken-value", "HTTP_AUTH_TOKEN_": "t0ken-value"],
                "Give a token for it with --secret id=HTTP_AUTH_TOKEN_127.0.0.1,src=FILE."
            ),
            (["HTTP_AUTH_HEADER_127.0.0.1": "Own wrong"], "Check the secret HTTP_AUTH_HEADER_127.0.0.1."),
        ] as [([String: String], String)])
    func refusedFile(_ secrets: [String: String], _ hint: String) async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("a.txt", "hello")
            let error = try await fixture.failure("ADD $URL/auth/a.txt /", secrets: secrets)
            #expect(error.message == "failed to load cache key: invalid response status 401")
            #expect(error.hint == hint)
        }
    }

    @Test func redirectedFile() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("open", "for all")
            try fixture.server.serve("a.txt", "hello")
            let secrets = ["HTTP_AUTH_TOKEN_127.0.0.1": Self.token]
            #expect(try await fixture.build("ADD $URL/to/auth/a.txt /", secrets: secrets).text("a.txt") == "hello")
            // This file is refused to those who bring a login.
            #expect(try await fixture.build("ADD $URL/away/open /", secrets: secrets).text("open") == "for all")
            let sent = try await fixture.failure("ADD $URL/open /", secrets: secrets)
            #expect(sent.message == "failed to load cache key: invalid response status 400")
            let error = try await fixture.failure("ADD $URL/away/auth/a.txt /", secrets: secrets)
            #expect(error.message == "failed to load cache key: invalid response status 401")
        }
    }

    @Test(arguments: ["t0ken\nX-Other: 1", "t0ken-\u{e9}", "a\u{0}b"])
    func unfitSecret(_ value: String) async throws {
        try await RemoteSourceFixture.with { fixture in
            let name = "HTTP_AUTH_TOKEN_127.0.0.1"
            let error = try await fixture.failure("ADD $URL/auth/a.txt /", secrets: [name: value])
            #expect(error.codeName == ContextsCode.badSecret.rawValue)
            #expect(error.message.contains(name) && !error.message.contains(value))
            #expect(try fixture.server.takeRequests() == [])
        }
    }

    // MARK: Repositories

    private static func withRepository(_ body: (RemoteSourceFixture) async throws -> Void) async throws {
        try await RemoteSourceFixture.with { fixture in
            let work = fixture.root.appending("r").string
            let person = ["GIT_AUTHOR", "GIT_COMMITTER"].flatMap { ["\($0)_NAME=a", "\($0)_EMAIL=a@b"] }
            let environment = person + ["HOME=\(fixture.root)", "GIT_CONFIG_NOSYSTEM=1"]
            try await runProgram("git", ["init", "-q", "-b", "main", work], environment: environment)
            try writeFile(Array("well guarded".utf8), fixture.root.appending("r/f.txt"))
            let bare = fixture.server.directory.appending("git/r.git").string
            for arguments in [["add", "."], ["commit", "-q", "-m", "one"], ["clone", "-q", "--bare", ".", bare]] {
                try await runProgram("git", ["-C", work] + arguments, environment: environment)
            }
            try await body(fixture)
        }
    }

    /// `$HOST` is the server with its port.
    private static func resolved(_ secrets: [String: String], _ fixture: RemoteSourceFixture) -> [String: String] {
        let pairs = secrets.map { ($0.replacing("$HOST", with: "127.0.0.1:\(fixture.server.port)"), $1) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test(
        "A repository is fetched with its login",
        arguments: [
            ["GIT_AUTH_TOKEN": "t0ken-value\n"],
            ["GIT_AUTH_TOKEN.$HOST": "t0ken-value", "GIT_AUTH_HEADER": "Basic no"],
            ["GIT_AUTH_HEADER": "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tdmFsdWU=", "GIT_AUTH_TOKEN": "no"],
            ["GIT_AUTH_HEADER.$HOST": "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tdmFsdWU=", "GIT_AUTH_TOKEN.$HOST": "no"],
        ])
    func repository(_ secrets: [String: String]) async throws {
        try await Self.withRepository { fixture in
            let result = try await fixture.build(
                "ADD --keep-git-dir=true $URL/git/token/r.git /r", secrets: Self.resolved(secrets, fixture))
            #expect(result.text("r/f.txt") == "well guarded")
            #expect(result.text("r/.git/config")?.contains("/git/token/r.git\n") == true)
            try await Self.expectNoTrace(in: fixture, of: "well guarded")
        }
    }

    @Test(
        arguments: [
            ([:], "Give a token for it with --secret id=GIT_AUTH_TOKEN.$HOST,src=FILE."),
            (
                ["GIT_AUTH_TOKEN.localhost": "t0ken-value", "GIT_AUTH_TOKEN.127.0.0.1": "t0ken-value"],
                "Give a token for it with --secret id=GIT_AUTH_TOKEN.$HOST,src=FILE."
            ),
            (["GIT_AUTH_TOKEN": "no"], "Check the secret GIT_AUTH_TOKEN."),
        ] as [([String: String], String)])
    func refusedRepository(_ secrets: [String: String], _ hint: String) async throws {
        try await Self.withRepository { fixture in
            let error = try await fixture.failure(
                "ADD $URL/git/token/r.git /", secrets: Self.resolved(secrets, fixture))
            #expect(error.message.contains("failed to list refs of remote \(fixture.server.url)/git/token/r.git: "))
            #expect(error.hint == hint.replacing("$HOST", with: "127.0.0.1:\(fixture.server.port)"))
        }
    }

    /// Git follows from server to server, but not with a login.
    @Test func redirectedRepository() async throws {
        try await Self.withRepository { fixture in
            let line = "ADD $URL/git/away/r.git /"
            #expect(try await fixture.build(line).text("f.txt") == "well guarded")
            _ = try fixture.server.takeRequests()
            let error = try await fixture.failure(line, secrets: ["GIT_AUTH_TOKEN": Self.token])
            #expect(error.hint?.hasPrefix("Name the address that the server points to") == true)
            let requests = try fixture.server.takeRequests()
            #expect(requests.count == 1 && requests.allSatisfy { $0.hasPrefix("GET /git/away/") })
        }
    }

    /// Other users of the machine see the arguments of programs.
    @Test("Logins are not in the arguments of git")
    func arguments() async throws {
        try await RemoteSourceFixture.with { fixture in
            let program = fixture.root.appending("git")
            try writeFile(Array("#!/bin/sh\necho \"$@\"\nenv\n".utf8), program)
            try await runProgram("chmod", ["755", program.string])
            let git = GitCommand(
                directory: fixture.root, environment: ProcessVariables.network, program: program.string,
                login: ("http://host", "Bearer \(Self.token)"))
            let output = try await git.run(["fetch"]).split(separator: "\n")
            #expect(output.first?.hasSuffix(" fetch") == true)
            let lines = output.filter { $0.contains(Self.token) }
            #expect(lines == ["GIT_CONFIG_VALUE_0=Authorization: Bearer \(Self.token)"])
        }
    }
}
