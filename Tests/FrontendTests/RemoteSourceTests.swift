import Diagnostics
import Graph
import OCI
import Testing

@testable import Frontend

/// The sources of ADD that are not in the build context.
@Suite struct RemoteSourceTests {
    @Test(arguments: [
        ("https://h/a/b.txt", "b.txt"), ("https://h/a.tgz?x=1/2#y/z", "a.tgz"), ("https://h/a/", "a"),
        ("https://h/get/tool/?x", "tool"), ("https://h/get/tool//", "tool"), ("https://h/", "__unnamed__"),
        ("https://h", "__unnamed__"), ("https://h?x", "__unnamed__"), ("https://h/..", "__unnamed__"),
        ("https://h/a%20b", "a b"), ("https://h/a%2Fb", "b"), ("https://h/%zz", "%zz"),
        ("https://h/%00", "__unnamed__"),
    ])
    func fileName(_ url: String, _ name: String) {
        #expect(RemoteFlags.fileName(url) == name)
    }

    @Test func eachSourceIsAStep() async throws {
        let hash = String(repeating: "0", count: 64)
        let text = """
            FROM scratch
            ADD a http://h/b.txt https://u:p@h/r.git?subdir=/s/../t#v1 /d/
            ADD --checksum=sha256:\(hash) http://h/x[1]* /e
            ADD http://h/b.txt /f
            """
        let plan = try await plan(text)
        let copies = plan.copies.map(\.sources)
        #expect(
            copies == [
                [.path("a", input: 1), .path("b.txt", input: 2), .path("/files", input: 3)],
                [.path("x[[]1][*]", input: 1)], [.path("b.txt", input: 1)],
            ])
        let files = plan.operations { if case .http(let source) = $0 { source } else { nil } }
        #expect(
            files == [
                HTTPSource(url: "http://h/b.txt", fileName: "b.txt"),
                HTTPSource(
                    url: "http://h/x[1]*", checksum: try Digest(parsing: "sha256:\(hash)"), fileName: "x[1]*"),
            ])
        let repositories = plan.operations { if case .git(let source) = $0 { source } else { nil } }
        #expect(repositories == [GitSource(remote: "https://u:p@h/r.git", ref: "v1", subdirectory: "t")])
        #expect(
            plan.labels.filter { !$0.hasPrefix("[1") && !$0.hasPrefix("[2") && !$0.hasPrefix("[3") } == [
                "FROM scratch", "[internal] load build context", "http://h/b.txt",
                "[internal] load git source https://xxxxx:xxxxx@h/r.git#v1:t", "http://h/x[1]*",
            ])
    }

    @Test func contextIsOnlyLoadedForPaths() async throws {
        let plan = try await plan("FROM scratch\nADD http://h/b.txt /\n")
        #expect(plan.operations { if case .context = $0 { true } else { nil } }.isEmpty)
        #expect(plan.stepCount == 2)
    }

    @Test("The flag --unpack says what becomes of archives")
    func archives() async throws {
        let plan = try await plan(
            "FROM scratch\nADD http://h/a /\nADD --unpack=false http://h/a /\nADD --unpack http://h/a /\n")
        #expect(plan.copies.map(\.archives) == [.unpack, .copy, .unpackAll])
    }

    @Test(arguments: [
        ("--keep-git-dir https://h/r.git", GitSource(remote: "https://h/r.git", keepsGitDirectory: true)),
        (
            "--keep-git-dir=true https://h/r.git?keep-git-dir=1",
            GitSource(remote: "https://h/r.git", keepsGitDirectory: true)
        ),
        ("--keep-git-dir=false https://h/r.git", GitSource(remote: "https://h/r.git")),
        ("--checksum=abc https://h/r.git#:d", GitSource(remote: "https://h/r.git", subdirectory: "d", checksum: "abc")),
        (
            "https://h/r.git?commit=abc&submodules=0&mtime=commit&fetch-by-commit",
            GitSource(
                remote: "https://h/r.git", checksum: "abc", includesSubmodules: false, times: .commit,
                fetchesByCommit: true)
        ),
    ])
    func gitFlags(_ words: String, _ source: GitSource) async throws {
        let plan = try await plan("FROM scratch\nADD \(words) /\n")
        #expect(plan.operations { if case .git(let source) = $0 { source } else { nil } } == [source])
    }

    @Test(arguments: [
        ("--checksum=sha256:ab http://h/a", "invalid checksum digest length"),
        ("--checksum=sha256: http://h/a", "invalid checksum digest format"),
        ("--checksum=abc http://h/a", "invalid checksum digest format"),
        ("--checksum=md5:0123456789abcdef0123456789abcdef http://h/a", "unsupported digest algorithm"),
        ("--checksum=sha256:\(String(repeating: "A", count: 64)) http://h/a", "invalid checksum digest format"),
        ("--checksum=abc a https://h/r.git", "checksum can't be specified for multiple sources"),
        ("--checksum=abc https://h/r.git?checksum=abd", "inconsistent checksum configuration"),
        ("--keep-git-dir=false https://h/r.git?keep-git-dir", "inconsistent keep-git-dir configuration"),
        ("https://h/r.git?ref=a#b", "ref conflicts: \"b\" vs \"a\""),
        ("ssh://u:p@h/o/r", "a Git URL with ssh:// cannot hold a password"),
        ("ssh://-oProxyCommand=x/r", "invalid host in the Git URL: \"-oProxyCommand=x\""),
        ("ssh://a@-h/r", "invalid host in the Git URL: \"-h\""), ("ssh:///r", "invalid host in the Git URL: \"\""),
        ("ssh://-l@h/r", "invalid user in the Git URL: -l"), ("-l@h:r", "invalid user in the Git URL: -l"),
    ])
    func refusals(_ words: String, _ message: String) async throws {
        let error = try await failure("FROM scratch\nADD \(words) /\n")
        #expect(error.message == message)
        #expect(error.location != nil)
    }

    /// A source that only looks like a repository may hold a pattern.
    @Test("A path that looks like a repository is a path", arguments: ["github.com/x?y=1", "github.com/o/r", "x?y#z"])
    func paths(_ path: String) async throws {
        #expect(try await plan("FROM scratch\nADD \(path) /\n").copies.map(\.sources) == [[.path(path, input: 1)]])
    }
}
