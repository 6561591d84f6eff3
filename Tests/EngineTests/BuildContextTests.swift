import Diagnostics
import Frontend
import Layers
import Linux
import OCI
import Requests
import Solver
import Store
import SystemPackage
import Testing
import Trees

@testable import Engine

/// Builds whose files are not in the directory that the user names.
@Suite(.serialized) struct BuildContextTests {
    /// A request for a context at a URL of the server, with its Dockerfile under a name.
    private static func request(
        _ fixture: RemoteSourceFixture, _ location: String, file: String? = nil, contexts: [String] = [],
        keepsGitDirectory: Bool = false
    ) throws -> BuildRequest {
        let text = location.replacing("$URL", with: fixture.server.url)
        var request = BuildRequest(context: FilePath(text))
        request.inputs.context = try ContextLocation(parsing: text, keepsGitDirectory: keepsGitDirectory)
        request.dockerfile = file.map { FilePath($0) }
        request.inputs.contexts = try contexts.map {
            try NamedContext(
                parsing: $0.replacing("$URL", with: fixture.server.url).replacing("$ROOT", with: fixture.root.string))
        }
        request.options.contexts = try request.inputs.contexts.named()
        return request
    }

    private static func failure(_ fixture: RemoteSourceFixture, _ request: BuildRequest) async throws -> any AnyFailure
    {
        do { _ = try await fixture.run(request) } catch let error as any AnyFailure { return error }
        throw RemoteSourceFixture.BuildDidNotFail()
    }

    /// A bare repository on the server, with these files; returns its commit.
    @discardableResult
    private static func repository(
        _ fixture: RemoteSourceFixture, _ files: [String: String], name: String = "r"
    ) async throws -> String {
        let work = fixture.root.appending("work-\(name)")
        try await runProgram("mkdir", ["-p", work.string])
        for (path, text) in files {
            let file = work.pushing(FilePath(path))
            try await runProgram("mkdir", ["-p", file.removingLastComponent().string])
            try writeFile(Array(text.utf8), file)
        }
        let commit = try await RemoteSourceSSHTests.makeRepository(work)
        let bare = fixture.server.directory.pushing(FilePath("git/\(name).git")).string
        try await runProgram("rm", ["-rf", bare])
        try await runProgram("git", ["clone", "-q", "--bare", work.string, bare])
        return commit
    }

    // MARK: Git

    /// The files are known by the commit: nothing is fetched twice, and an ignore file means nothing.
    @Test("A Git context is fetched once for a commit, and its ignore file is not used")
    func git() async throws {
        try await RemoteSourceFixture.with { fixture in
            let commit = try await Self.repository(
                fixture,
                [
                    "Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": "f.txt",
                    "sub/Dockerfile": "FROM scratch\nCOPY s.txt /\n",
                ])
            let result = try await fixture.run(Self.request(fixture, "$URL/git/r.git"))
            #expect(result.text("f.txt") == "two")
            #expect(result.files[".git"] == nil)
            #expect(result.files.values.allSatisfy { $0.modified == FileTime(seconds: 1_500_000_000) })
            #expect(result.outcome("load git source \(fixture.server.url)/git/r.git") == .done)

            let part = try await fixture.run(Self.request(fixture, "$URL/git/r.git#main:sub"))
            #expect(part.contents.keys.sorted() == ["s.txt"])
            _ = try fixture.server.takeRequests()
            let again = try await fixture.run(Self.request(fixture, "$URL/git/r.git#\(commit)"))
            #expect(again.outcome("COPY . /") == .cached)
            #expect(again.outcome("load git source") == .cached)
            #expect(try fixture.server.takeRequests() == [])

            let kept = try await fixture.run(Self.request(fixture, "$URL/git/r.git", keepsGitDirectory: true))
            #expect(kept.text(".git/HEAD") == "\(commit)\n")
            let other = try await fixture.run(Self.request(fixture, "$URL/git/r.git", file: "sub/../Dockerfile"))
            #expect(other.text("f.txt") == "two")
        }
    }

    @Test func gitFailures() async throws {
        try await RemoteSourceFixture.with { fixture in
            try await Self.repository(fixture, ["x": "FROM scratch\n"])
            let missing = try await Self.failure(fixture, Self.request(fixture, "$URL/git/r.git"))
            #expect(missing.message == "failed to read dockerfile: open Dockerfile: no such file or directory")
            let gone = try await Self.failure(fixture, Self.request(fixture, "$URL/git/r.git#nothing"))
            #expect(gone.message == "repository does not contain ref nothing")
            let outside = try await Self.failure(fixture, Self.request(fixture, "$URL/git/r.git#:../.."))
            #expect(outside.message == "failed to read dockerfile: open Dockerfile: no such file or directory")
        }
    }

    /// A link in a repository leads to no file of the machine.
    @Test func linksStayInside() async throws {
        try await RemoteSourceFixture.with { fixture in
            let outside = fixture.root.appending("outside")
            try writeFile(Array("FROM scratch\nCOPY <<x /stolen\nx\n".utf8), outside)
            let work = fixture.root.appending("work-r")
            try await runProgram("mkdir", ["-p", work.string])
            try await runProgram("ln", ["-s", outside.string, work.appending("Dockerfile").string])
            try await Self.repository(fixture, ["Real": "FROM scratch\nCOPY Linked /\n"])
            let error = try await Self.failure(fixture, Self.request(fixture, "$URL/git/r.git"))
            #expect(error.message == "failed to read dockerfile: open Dockerfile: no such file or directory")
            try await runProgram("ln", ["-sf", "/Real", work.appending("Linked").string])
            try await Self.repository(fixture, [:])
            let inside = try await fixture.run(Self.request(fixture, "$URL/git/r.git", file: "Linked"))
            #expect(inside.text("Linked") == "FROM scratch\nCOPY Linked /\n")
        }
    }

    // MARK: HTTP

    @Test("An archive from a server is unpacked as the context")
    func archives() async throws {
        try await RemoteSourceFixture.with { fixture in
            let directory = fixture.root.appending("a")
            try await runProgram("mkdir", ["-p", directory.appending("d").string])
            try writeFile(Array("FROM scratch\nCOPY . /\n".utf8), directory.appending("Dockerfile"))
            try writeFile(Array("f".utf8), directory.pushing("d/f"))
            try await runProgram("chmod", ["640", directory.pushing("d/f").string])
            try await runProgram("chown", ["-R", "5:6", directory.string])
            for (flag, name) in [("-c", "a"), ("-cz", "b"), ("-cj", "c.tgz"), ("-cJ", "d"), ("--zstd", "e")] {
                let archive = fixture.server.directory.appending(name).string
                let flags = flag == "--zstd" ? ["--zstd", "-cf"] : ["\(flag)f"]
                try await runProgram("tar", flags + [archive, "-C", directory.string, "."])
                let result = try await fixture.run(Self.request(fixture, "$URL/\(name)"))
                #expect(result.files["d/f"]?.permissions == 0o640, "\(name)")
                #expect(result.files["d/f"]?.owner == 0)
                // What does not change is known, wherever it is unpacked.
                let again = try await fixture.run(Self.request(fixture, "$URL/\(name)"))
                #expect(again.outcome("COPY . /") == .cached)
                #expect(again.outcome("load remote build context") == .cached)
            }
        }
    }

    /// A text is the Dockerfile, and all there is.
    @Test func singleFile() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("my.Dockerfile", "FROM scratch\nCOPY . /\nCOPY <<x /made\nx\n")
            let result = try await fixture.run(Self.request(fixture, "$URL/my.Dockerfile"))
            #expect(result.files.keys.sorted() == ["made", "my.Dockerfile"])
            let error = try await Self.failure(fixture, Self.request(fixture, "$URL/gone"))
            #expect(error.message == "failed to load cache key: invalid response status 404")

            // And one for the files of a directory.
            var request = BuildRequest(context: fixture.root.appending("context"))
            try writeFile(Array("f".utf8), fixture.root.pushing("context/f"))
            guard case .http(let source)? = try RemoteContext("\(fixture.server.url)/my.Dockerfile") else { return }
            request.inputs.definition = .url(source)
            #expect(try await fixture.run(request).files.keys.sorted() == ["f", "made"])
        }
    }

    // MARK: Names

    @Test func namedContexts() async throws {
        try await RemoteSourceFixture.with { fixture in
            try await Self.repository(fixture, [:])
            let local = fixture.root.appending("local")
            try await runProgram("mkdir", ["-p", local.string])
            for name in ["a", "b"] { try writeFile(Array(name.utf8), local.appending(name)) }
            try writeFile(Array("b\n.dockerignore\n".utf8), local.appending(".dockerignore"))
            try fixture.server.serve("web.txt", "web")
            let text = """
                FROM scratch AS replaced
                RUN this never runs
                FROM replaced
                COPY --from=code sub /code/
                COPY --from=files a /named
                COPY --from=files . /files/
                COPY --from=web web.txt /
                FROM base
                COPY --from=1 / /
                """
            try writeFile(Array(text.utf8), fixture.root.pushing("context/Dockerfile"))
            func build() async throws -> RemoteSourceFixture.Result {
                var request = try Self.request(
                    fixture, fixture.root.appending("context").string,
                    contexts: [
                        "code=$URL/git/r.git#main", "files=$ROOT/local", "web=$URL/web.txt",
                        "base=docker-image://scratch",
                        "replaced=$ROOT/local", "unused=$URL/nothing.git",
                    ])
                request.inputs.context = nil
                return try await fixture.run(request)
            }
            let result = try await build()
            #expect(
                result.contents.mapValues { String(decoding: $0, as: UTF8.self) } == [
                    "a": "a", "code/s.txt": "s", "named": "a", "files/a": "a", "web.txt": "web",
                ])
            #expect(result.outcome("[context code] load git source") == .done)
            let again = try await build()
            #expect(again.outcome("COPY --from=files . /files/") == .cached)
            try writeFile(Array("changed".utf8), local.appending("b"))
            #expect(try await build().outcome("COPY --from=files . /files/") == .cached)
            try writeFile(Array("changed".utf8), local.appending("a"))
            #expect(try await build().text("files/a") == "changed")
        }
    }

    @Test func namedFailures() async throws {
        try await RemoteSourceFixture.with { fixture in
            try writeFile(Array("FROM scratch\nCOPY --from=x . /\n".utf8), fixture.root.pushing("context/Dockerfile"))
            for (argument, message) in [
                ("x=$ROOT/none", "failed to get build context x: path \"\(fixture.root)/none\" not found"),
                (
                    "x=oci-layout://$ROOT/none",
                    "oci-layout reference \"oci-layout://\(fixture.root)/none:latest\" could not be resolved: "
                ),
            ] {
                var request = try Self.request(fixture, fixture.root.appending("context").string, contexts: [argument])
                request.inputs.context = nil
                #expect(try await Self.failure(fixture, request).message.hasPrefix(message))
            }
        }
    }

    @Test(arguments: [
        ("x", "invalid context value: x, expected key=value"), ("x=", "invalid context value: x=, expected key=value"),
        ("X Y=.", "invalid context name X Y"), ("x=s3://b", "unsupported context source s3 for x"),
        ("x=docker-image://A B", "invalid reference format: 'A B'"),
        (
            "x=oci-layout://d@sha256:1",
            "oci-layout reference \"d@sha256:1\" could not be resolved: 'sha256:1' is not a digest"
        ),
    ])
    func badNames(_ text: String, _ message: String) {
        let error = #expect(throws: (any Error).self) { try NamedContext(parsing: text) }
        #expect((error as? any AnyFailure)?.message == message)
    }

    /// Names that SOURCE_DATE_EPOCH may have.
    @Test("SOURCE_DATE_EPOCH=context is the time of the context")
    func times() async throws {
        try await RemoteSourceFixture.with { fixture in
            let text = "ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nWORKDIR /w\n"
            try await Self.repository(fixture, ["Dockerfile": text])
            let git = try await fixture.run(Self.request(fixture, "$URL/git/r.git"))
            #expect(git.files["w"]?.modified.seconds == 1_500_000_000)
            try fixture.server.serve("Dockerfile", text, modified: 1_600_000_005)
            let file = try await fixture.run(Self.request(fixture, "$URL/Dockerfile"))
            #expect(file.files["w"]?.modified.seconds == 1_600_000_005)
            try writeFile(Array(text.utf8), fixture.root.pushing("context/Dockerfile"))
            var named = try Self.request(
                fixture, fixture.root.appending("context").string, contexts: ["n=$URL/Dockerfile"])
            named.inputs.context = nil
            named.options.buildArguments = [("SOURCE_DATE_EPOCH", "n")]
            #expect(try await fixture.run(named).files["w"]?.modified.seconds == 1_600_000_005)
        }
    }
}
