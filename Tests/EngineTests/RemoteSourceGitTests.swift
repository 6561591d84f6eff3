import Contexts
import Diagnostics
import Layers
import Linux
import Solver
import SystemPackage
import Testing
import Trees

@testable import Engine

/// ADD of Git repositories, whole builds against real ones served over HTTP.
@Suite(.serialized) struct RemoteSourceGitTests {
    /// Repositories on the server: `r` with two commits and `lib` as a submodule of it.
    private struct Repositories {
        let fixture: RemoteSourceFixture
        var first = ""
        var second = ""

        var url: String { "\(fixture.server.url)/git/r.git" }

        init(_ fixture: RemoteSourceFixture) async throws {
            self.fixture = fixture
            try await git(nil, ["init", "-q", "lib"])
            try await write("lib", "l.txt", "lib")
            _ = try await commit("lib", "lib")
            try await publish("lib")
            try await git(nil, ["init", "-q", "r"])
            try await write("r", "f.txt", "one")
            try await write("r", "run.sh", "#!/bin/sh\n")
            try await runProgram("chmod", ["770", path("r").appending("run.sh").string])
            try await runProgram("mkdir", [path("r").appending("sub").string])
            try await write("r", "sub/s.txt", "s")
            try await runProgram("ln", ["-s", "sub", path("r").appending("link").string])
            try await runProgram("ln", ["-s", "/etc", path("r").appending("out").string])
            first = try await commit("r", "first")
            try await git("r", ["tag", "-a", "-m", "t", "v1"])
            try await git("r", ["tag", "both"])
            try await write("r", "f.txt", "two")
            try await write("r", ".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib.git\n")
            // An empty directory is what Git takes for a submodule that is not checked out.
            try await runProgram("mkdir", [path("r").appending("lib").string])
            let lib = try await git("lib", ["rev-parse", "HEAD"])
            try await git("r", ["update-index", "--add", "--cacheinfo", "160000,\(lib),lib"])
            second = try await commit("r", "second")
            try await git("r", ["branch", "both"])
            try await publish("r")
        }

        func path(_ name: String) -> FilePath { fixture.root.appending(name) }

        func write(_ repository: String, _ name: String, _ text: String) async throws {
            try writeFile(Array(text.utf8), path(repository).pushing(FilePath(name)))
        }

        @discardableResult
        func git(_ repository: String?, _ arguments: [String]) async throws -> String {
            let place = repository.map { path($0) } ?? fixture.root
            let person = ["GIT_AUTHOR", "GIT_COMMITTER"].flatMap {
                ["\($0)_NAME=a", "\($0)_EMAIL=a@b", "\($0)_DATE=1500000000 +0000"]
            }
            let output = try await runProgram(
                "git", ["-C", place.string, "-c", "init.defaultBranch=main"] + arguments,
                environment: person + ["HOME=\(fixture.root)", "GIT_CONFIG_NOSYSTEM=1"])
            return output.split(separator: "\n").first.map(String.init) ?? ""
        }

        func commit(_ repository: String, _ message: String) async throws -> String {
            try await git(repository, ["add", "."])
            try await git(repository, ["commit", "-q", "-m", message])
            return try await git(repository, ["rev-parse", "HEAD"])
        }

        func publish(_ name: String) async throws {
            let target = fixture.server.directory.appending("git/\(name).git")
            try await git(nil, ["clone", "-q", "--bare", path(name).string, target.string])
        }
    }

    private static func with(_ body: (RemoteSourceFixture, Repositories) async throws -> Void) async throws {
        try await RemoteSourceFixture.with { fixture in try await body(fixture, try await Repositories(fixture)) }
    }

    @Test("ADD of a repository has its files, links and submodules")
    func files() async throws {
        try await Self.with { fixture, repositories in
            let result = try await fixture.build("ADD \(repositories.url) /src")
            #expect(
                result.files.keys.sorted() == [
                    "src", "src/.gitmodules", "src/f.txt", "src/lib", "src/lib/l.txt", "src/link", "src/out",
                    "src/run.sh", "src/sub", "src/sub/s.txt",
                ])
            let modes = ["src/f.txt", "src/run.sh", "src/sub"].compactMap { result.files[$0]?.permissions }
            #expect(modes == [0o644, 0o755, 0o755])
            #expect(result.files.values.allSatisfy { $0.owner == 0 && $0.group == 0 })
            #expect(result.files["src/link"]?.linkTarget == "sub")
            #expect(result.text("src/f.txt") == "two")
            #expect(result.text("src/lib/l.txt") == "lib")
            #expect(result.outcome("[internal] load git source \(repositories.url)") == .done)
        }
    }

    @Test("A ref may be a branch, a tag, a full name or a commit")
    func refs() async throws {
        try await Self.with { fixture, repositories in
            let cases = [
                ("#main", "two"), ("#v1", "one"), ("#refs/tags/v1", "one"), ("?tag=both", "one"), ("#both", "two"),
                ("?branch=both", "two"), ("#\(repositories.first)", "one"), ("#HEAD", "two"),
                ("?checksum=\(repositories.first.prefix(9))&tag=v1", "one"),
                ("?checksum=\(repositories.first)&fetch-by-commit=1&ref=main", "one"),
            ]
            for (suffix, text) in cases {
                let result = try await fixture.build("ADD \(repositories.url)\(suffix) /")
                #expect(result.text("f.txt") == text, "\(suffix)")
            }
            let failures = [
                ("#gone", "repository does not contain ref gone"), ("#-x", "invalid Git ref '-x'"),
                (
                    "?checksum=abcdef0#main", "expected checksum to match abcdef0, got \(repositories.second)"
                ),
                ("?checksum=abc&fetch-by-commit", "fetch-by-commit needs the whole hash of the commit as its checksum"),
                (
                    "?checksum=abc#\(repositories.first)",
                    "expected checksum to match abc, got \(repositories.first)"
                ),
            ]
            for (suffix, message) in failures {
                #expect(try await fixture.failure("ADD \(repositories.url)\(suffix) /").message == message)
            }
            let error = try await fixture.failure("ADD $URL/git/none.git /")
            #expect(error.message.hasPrefix("failed to list refs of remote \(fixture.server.url)/git/none.git: "))
            #expect(error.location != nil)
        }
    }

    @Test("A subdirectory of a repository is copied, and must be a directory")
    func subdirectory() async throws {
        try await Self.with { fixture, repositories in
            let result = try await fixture.build("ADD \(repositories.url)#main:sub /d")
            #expect(result.files.keys.sorted() == ["d", "d/s.txt"])
            for name in ["link", "out", "f.txt", "gone", "link/x"] {
                let error = try await fixture.failure("ADD \(repositories.url)#:\(name) /d")
                #expect(error.message == "failed to open subdir \(name): it is not a directory of the repository")
            }
        }
    }

    @Test func gitDirectory() async throws {
        try await Self.with { fixture, repositories in
            let own = repositories.url.replacing("/git/", with: "/git/login/")
            let url = own.replacing("http://", with: "http://u:p%3Aq@")
            let result = try await fixture.build("ADD --keep-git-dir=true \(url)#main /r")
            #expect(result.text("r/.git/HEAD") == "\(repositories.second)\n")
            let config = try #require(result.text("r/.git/config"))
            #expect(config.contains("url = \(own)\n"))
            #expect(result.text("r/lib/l.txt") == "lib")
            for (path, content) in result.contents {
                let text = String(decoding: content, as: UTF8.self)
                #expect(!text.contains("p%3Aq") && !text.contains("dTpwOnE="), "\(path)")
            }
            #expect(result.files["r/.git/FETCH_HEAD"] == nil && result.files["r/.git/hooks"] == nil)
            // What was kept is a repository.
            let out = fixture.root.appending("out")
            try await runProgram("mkdir", [out.string])
            try await runProgram("tar", ["-C", out.string, "-xf", fixture.root.appending("out.tar").string])
            let status = try await runProgram(
                "git", ["-C", out.appending("r").string, "status", "--porcelain"], environment: ["HOME=\(out)"])
            #expect(status == "")
            let refused = try await fixture.failure("ADD \(own) /r")
            #expect(refused.message.hasPrefix("failed to list refs of remote \(own): could not read Username"))
            let part = try await fixture.build("ADD --keep-git-dir=true \(repositories.url)#main:sub /r")
            #expect(part.files.keys.sorted() == ["r", "r/s.txt"])
        }
    }

    /// A second build asks for the ref and fetches nothing; one of a commit asks for nothing.
    @Test("A second build asks for the ref and fetches nothing")
    func cache() async throws {
        try await Self.with { fixture, repositories in
            let line = "ADD \(repositories.url)#main /"
            #expect(try await fixture.build(line).outcome("] ADD") == .done)
            let all = try fixture.server.takeRequests()
            let again = try await fixture.build(line)
            #expect(again.outcome("] ADD") == .cached)
            #expect(again.outcome("load git source") == .cached)
            let asked = try fixture.server.takeRequests()
            #expect(asked == Array(all.prefix(2)))
            // Another way to name the commit.
            let byHash = try await fixture.build("ADD \(repositories.url)#\(repositories.second) /")
            #expect(byHash.outcome("] ADD") == .cached)
            #expect(try fixture.server.takeRequests() == [])

            try await repositories.write("r", "f.txt", "three")
            _ = try await repositories.commit("r", "third")
            let bare = fixture.server.directory.appending("git/r.git")
            try await repositories.git("r", ["push", "-q", bare.string, "main"])
            let changed = try await fixture.build(line)
            #expect(changed.outcome("] ADD") == .done)
            #expect(changed.text("f.txt") == "three")
        }
    }

    @Test func submodulesAndTimes() async throws {
        try await Self.with { fixture, repositories in
            let result = try await fixture.build("ADD \(repositories.url)?submodules=0&mtime=commit /d")
            #expect(result.files["d/lib"]?.kind == .directory && result.files["d/lib/l.txt"] == nil)
            #expect(result.files.values.allSatisfy { $0.modified == FileTime(seconds: 1_500_000_000) })
        }
    }

    /// A submodule must not reach the files of the host.
    @Test func localSubmoduleIsRefused() async throws {
        try await Self.with { fixture, repositories in
            let text = "[submodule \"lib\"]\n\tpath = lib\n\turl = \(repositories.path("lib"))\n"
            try await repositories.write("r", ".gitmodules", text)
            _ = try await repositories.commit("r", "local")
            let bare = fixture.server.directory.appending("git/r.git")
            try await repositories.git("r", ["push", "-q", bare.string, "main"])
            let error = try await fixture.failure("ADD \(repositories.url) /")
            #expect(error.message.hasPrefix("failed to update submodules of remote \(repositories.url): "))
        }
    }

    @Test func nothingOfTheHostMatters() async throws {
        try await RemoteSourceFixture.with { fixture in
            try writeFile(Array("[user]\n\tname = evil\n".utf8), fixture.root.appending(".gitconfig"))
            try await runProgram("git", ["init", "-q", fixture.root.string])
            let place = fixture.root.appending("context")
            let git = GitCommand(
                directory: place,
                environment: ProcessVariables.network.merging([
                    "HOME": fixture.root.string, "GIT_DIR": fixture.root.string,
                    "GIT_CONFIG_GLOBAL": fixture.root.appending(".gitconfig").string,
                ]) { $1 })
            let settings = try await git.run(["config", "--list"])
            #expect(settings.contains("gc.auto=0") && !settings.contains("evil"))
            await #expect(throws: GitCommand.Failed.self) { try await git.run(["rev-parse", "--git-dir"]) }
            await #expect(throws: GitCommand.Failed.self) {
                try await git.run(["ls-remote", "file://\(fixture.root)"])
            }
        }
    }

    @Test func missingProgram() async throws {
        let git = GitCommand(directory: "/tmp", environment: [:], program: "no-such-git")
        let error = await #expect(throws: ContextsError.self) { try await git.run(["version"]) }
        #expect(error?.message == "ADD from a Git repository needs the program 'git', which is not installed")
    }
}
