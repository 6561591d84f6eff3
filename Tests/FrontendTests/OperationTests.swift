import DockerfileSyntax
import GoCompat
import Graph
import OCI
import Testing

@testable import Frontend

/// The lowering of RUN, COPY, ADD and WORKDIR.
@Suite struct OperationTests {
    @Test(
        "The destination of a copy is absolute and clean",
        arguments: [
            ("/abs", "/abs"), ("/abs/", "/abs/"), ("/abs/.", "/abs/"), ("rel", "/w/rel"), ("rel/", "/w/rel/"),
            (".", "/w/"),
            ("./", "/w/"), ("../x", "/x"), ("../../../x/", "/x/"), ("/", "/"), ("/a//b/./c/..", "/a/b"),
            ("\"\"", "/w/"),
        ])
    func destination(_ text: String, _ destination: String) async throws {
        let plan = try await plan("FROM scratch\nWORKDIR /w\nCOPY a \(text)\n")
        #expect(plan.copies.first?.destination == destination)
    }

    @Test func copyOptions() async throws {
        let text = """
            FROM scratch AS s
            FROM scratch
            ARG U=1
            COPY --from=S --chown=$U:2 --chmod=u+x,g=rX --exclude=*.$U --parents --link a/./b* c /d/
            """
        let plan = try await plan(text)
        #expect(
            plan.copies == [
                CopyOperation(
                    sources: [.path("a/./b*", input: 1), .path("c", input: 1)], destination: "/d/", owner: "1:2",
                    mode: try FileMode(parsing: "u+x,g=rX"), excludes: ["*.$U"], keepsParents: true)
            ])
        #expect(plan.graph[plan.target].inputs.count == 2)
    }

    @Test func addUnpacks() async throws {
        let plan = try await plan("FROM scratch\nADD a /\nADD --unpack=false a /\nADD --unpack=true a /\nCOPY a /\n")
        #expect(plan.copies.map(\.archives) == [.unpack, .copy, .unpackAll, .copy])
    }

    /// Copies with --link leave what is there as it is, too.
    @Test func linkMakesNoDifference() async throws {
        let plan = try await plan(
            "FROM scratch\nCOPY --link --chmod=644 f /d/\nCOPY --chmod=644 f /d/\nADD --link f /d/\nADD f /d/\n")
        #expect(plan.copies[0] == plan.copies[1] && plan.copies[2] == plan.copies[3])
    }

    @Test func contextIsShared() async throws {
        let plan = try await plan("FROM scratch AS a\nCOPY x /\nFROM a\nCOPY y /\nADD z /\n")
        let contexts = plan.operations { if case .context(let context) = $0 { context } else { nil } }
        #expect(contexts == [.main])
    }

    @Test func inlineFiles() async throws {
        let text = """
            FROM scratch
            ENV N=w
            COPY f <<A <<-"B" /d/
            $N '$N' \\$N a\\b
            A
            \t\t$N
            \tB
            COPY <<C /c
            C
            """
        let plan = try await plan(text)
        #expect(
            plan.copies.map(\.sources) == [
                [
                    .path("f", input: 1), .inline(InlineFile(name: "A", content: "w 'w' $N ab\n")),
                    .inline(InlineFile(name: "B", content: "$N\n")),
                ], [.inline(InlineFile(name: "C", content: ""))],
            ])
        // A copy of nothing but here-documents does not need the context.
        #expect(plan.graph[plan.target].inputs.count == 1)
    }

    /// Here-documents keep bytes that are no UTF-8, whether variables are expanded in them or not.
    @Test(arguments: [("A", "$N \u{e9}"), ("'A'", "\\$N ${N}")])
    func heredocsThatAreNoText(_ marker: String, _ expected: String) async throws {
        let body = "\\$N ${N}".utf8 + [0xFF, 0xC3, 0x0A]
        let bytes = Array("FROM scratch\nENV N=\u{e9}\nCOPY <<\(marker) /a\n".utf8) + body + Array("A\n".utf8)
        let plan = try await lower(Dockerfile(parsing: bytes), BuildOptions(), resolver: FakeResolver())
        let content = Array(expected.utf8) + [0xFF, 0xC3, 0x0A]
        #expect(plan.copies.map(\.sources) == [[.inline(InlineFile(name: "A", content: content))]])
    }

    @Test(
        "A command is run by the shell or as it is",
        arguments: [
            ("<<EOF\na\n$b\nEOF", ["/bin/sh", "-c", "a\n$b\n"]),
            ("<<-'EOF'\n\ta\n\tEOF", ["/bin/sh", "-c", "a\n"]),
            ("<<EOF cat\na\nEOF", ["/bin/sh", "-c", "<<EOF cat\na\nEOF"]),
            ("3<<EOF\na\nEOF", ["/bin/sh", "-c", "3<<EOF\na\nEOF"]),
            ("<<-EOF cat\n\ta\n\tEOF", ["/bin/sh", "-c", "<<-EOF cat\n\ta\nEOF"]),
            ("[\"x\", \"y z\"]", ["x", "y z"]),
            ("echo $A", ["/bin/sh", "-c", "echo $A"]),
        ])
    func command(_ command: String, _ arguments: [String]) async throws {
        let plan = try await plan("FROM scratch\nRUN \(command)\n")
        #expect(plan.runs.map(\.arguments) == [arguments])
        #expect(plan.runs.map(\.scripts) == [[]])
    }

    @Test func scriptWithInterpreter() async throws {
        let plan = try await plan("FROM scratch\nSHELL [\"s\"]\nRUN <<E.py\n#!/usr/bin/python\nprint(1)\nE.py\n")
        let run = try #require(plan.runs.first)
        #expect(run.arguments == ["s", "/dev/pipes/E.py"])
        #expect(run.scripts == [InlineFile(name: "E.py", content: "#!/usr/bin/python\nprint(1)\n")])
    }

    @Test(
        "RUN has the network of its flag",
        arguments: [
            ("", NetworkMode.default), ("--network=default ", .default), ("--network=none ", .none),
            ("--network=host ", .host),
        ])
    func network(_ flag: String, _ mode: NetworkMode) async throws {
        #expect(try await plan("FROM scratch\nRUN \(flag)x\n").runs.map(\.network) == [mode])
    }

    @Test func privilegesOfARun() async throws {
        let runs = try await plan(
            "FROM scratch\nRUN x\nRUN --security=insecure --device=/dev/fuse,required --device=a.b/c=d x\n"
        ).runs
        #expect(runs.map(\.security) == [.sandbox, .insecure])
        #expect(
            runs.map(\.devices) == [
                [], [.init(name: "/dev/fuse", isRequired: true), .init(name: "a.b/c=d", isRequired: false)],
            ])
    }

    @Test func proxiesAreTransient() async throws {
        let options = BuildOptions(buildArguments: [
            (name: "HTTP_PROXY", value: "upper"), (name: "http_proxy", value: "lower"), (name: "No_Proxy", value: "n"),
            (name: "all_proxy", value: ""), (name: "ftp_proxy", value: nil), (name: "OTHER", value: "1"),
        ])
        let plan = try await plan("FROM scratch\nRUN x\nARG http_proxy\nRUN y\n", options)
        #expect(
            plan.runs.map(\.transientEnvironment) == [
                ["HTTP_PROXY=lower", "http_proxy=lower", "NO_PROXY=n", "no_proxy=n"],
                ["HTTP_PROXY=lower", "NO_PROXY=n", "no_proxy=n"],
            ])
        #expect(plan.runs.map { $0.environment.contains("http_proxy=lower") } == [false, true])
        #expect(plan.steps.map(\.createdBy).first == "RUN /bin/sh -c x # buildkit")
    }

    @Test func environmentOfARun() async throws {
        let text = "ARG G=g\nFROM scratch AS a\nARG G X=1 Y\nENV Z=$G$X X=2\nFROM a\nARG W=w\nRUN x\n"
        let plan = try await plan(text)
        #expect(
            plan.runs.first?.environment == ["PATH=\(Environment.defaultPath)", "G=g", "X=2", "Z=g1", "W=w"])
        #expect(plan.steps.last?.createdBy == "RUN |4 G=g X=2 Y= W=w /bin/sh -c x # buildkit")
    }

    @Test("WORKDIR makes a directory for the user, relative to the one before")
    func workdir() async throws {
        let plan = try await plan("FROM scratch\nUSER u:g\nWORKDIR /a/../b//\nWORKDIR c\nRUN x\n")
        #expect(
            plan.directories == [
                MakeDirectoryOperation(path: "/b", owner: "u:g"), MakeDirectoryOperation(path: "/b/c", owner: "u:g"),
            ])
        #expect(plan.runs.first?.workingDirectory == "/b/c")
    }

    @Test(
        arguments: [
            ("https://github.com/o/r.git", "git"), ("HTTPS://github.com/o/r.git?ref=x", "git"), ("git://h/r", "git"),
            ("git@github.com:o/r", "git"), ("https://github.com/o/r", "http"), ("https://h/r.git/", "http"),
            ("https://h/r.GIT", "http"), ("http://h/x.tar.gz", "http"), ("github.com/o/r.git", nil), ("./x", nil),
            ("host:path/r.git", nil), ("git@h", nil), ("git+ssh://h/r", nil), ("ftp://h/r.git", nil), ("@x:y", nil),
        ] as [(String, String?)])
    func remoteSource(_ text: String, _ kind: String?) throws {
        let found: String? =
            switch try RemoteSource(text) {
            case .git: "git"
            case .http: "http"
            case nil: nil
            }
        #expect(found == kind)
    }

    @Test(
        "The argument of --chmod is parsed as BuildKit parses it",
        arguments: [
            ("755", true), ("07777", true), ("10000", false), ("8", false), ("u=rwX,go=rX", true), ("+x", true),
            ("g=u", true), ("a-w+x", true), ("u=", true), ("u", false), ("u=foo", false), ("u+x,", false),
            ("x+u", false),
        ])
    func mode(_ text: String, _ isValid: Bool) {
        #expect(((try? FileMode(parsing: text)) != nil) == isValid)
    }

    @Test(
        "A port of EXPOSE is parsed as BuildKit parses it",
        arguments: [
            ("80", ["80/tcp"]), ("80/UDP", ["80/udp"]), ("1-2/sctp", ["1/sctp", "2/sctp"]), ("[::1]:80:81", ["81/tcp"]),
            ("1.2.3.4::53", ["53/tcp"]), ("8000-8001:80-81", ["80/tcp", "81/tcp"]), ("::1:80:81", ["81/tcp"]),
            ("80-82:1-2", nil), ("[1.2.3.4]:80:81", nil), ("1.2.3:80:81", nil), (":::1:80:81", nil), ("x:80", nil),
            ("1-", nil),
            ("65536", nil), ("+1", nil),
        ] as [(String, [String]?)])
    func port(_ text: String, _ ports: [String]?) {
        #expect((try? PortSpecification(parsing: text))?.ports == ports)
    }

    @Test(
        "The argument of STOPSIGNAL is a name or a number",
        arguments: [
            ("TERM", true), ("sigterm", true), ("SIGRTMIN", true), ("RTMIN+15", true), ("RTMIN+16", false),
            ("RTMAX-14", true), ("RTMAX-01", false), ("RTMAX+1", false), ("9", true), ("0", false), ("", false),
            ("SIG", false),
        ])
    func signal(_ text: String, _ isValid: Bool) {
        #expect(Signal.isValid(text) == isValid)
    }
}
