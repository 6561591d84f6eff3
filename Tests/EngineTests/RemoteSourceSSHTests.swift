import Contexts
import Diagnostics
import Layers
import Linux
import Requests
import Solver
import SystemPackage
import Testing
import Trees

@testable import Engine

/// ADD of Git repositories over SSH, against a real server.
@Suite(.serialized, .enabled(if: SSHServer.isInstalled, "needs the programs of openssh-server and openssh-client"))
struct RemoteSourceSSHTests {
    private static func with(
        _ body: (_ fixture: RemoteSourceFixture, _ server: SSHServer, _ commit: String) async throws -> Void
    ) async throws {
        try await RemoteSourceFixture.with { fixture in
            let repository = fixture.root.appending("r.git")
            let commit = try await makeRepository(repository)
            try await SSHServer.with(fixture.root.appending("ssh")) { try await body(fixture, $0, commit) }
        }
    }

    /// A repository with the files `f.txt` and `sub/s.txt`; returns its commit.
    static func makeRepository(_ path: FilePath, time: Int64 = 1_500_000_000) async throws -> String {
        try await runProgram("mkdir", ["-p", path.appending("sub").string])
        try writeFile(Array("two".utf8), path.appending("f.txt"))
        try writeFile(Array("s".utf8), path.pushing("sub/s.txt"))
        let person = ["GIT_AUTHOR", "GIT_COMMITTER"].flatMap {
            ["\($0)_NAME=a", "\($0)_EMAIL=a@b", "\($0)_DATE=\(time) +0000"]
        }
        let commands = [["init", "-q"], ["add", "."], ["commit", "-q", "-m", "m"], ["rev-parse", "HEAD"]]
        var output = ""
        for command in commands {
            output = try await runProgram(
                "git", ["-C", path.string, "-c", "init.defaultBranch=main"] + command,
                environment: person + ["HOME=\(path)", "GIT_CONFIG_NOSYSTEM=1"])
        }
        return output.filter { !$0.isNewline }
    }

    @Test("A repository over SSH is fetched with the keys of the agent")
    func files() async throws {
        try await Self.with { fixture, server, commit in
            let path = fixture.root.appending("r.git")
            let url = "\(server.address)\(path)"
            let line = "ADD \(url)#main:sub /src\nADD --keep-git-dir=true \(url) /all"
            let result = try await fixture.build(line, environment: server.environment(), agents: [server.agent])
            #expect(result.files["src/s.txt"]?.permissions == 0o644)
            #expect(result.text("all/f.txt") == "two")
            #expect(result.text("all/.git/config")?.contains("url = \(url)\n") == true)
            // The server was asked for nothing but the repository, and the agent stayed where it is.
            let log = try readFile(server.log)
            #expect(log.contains("git-upload-pack '\(path)'"))
            #expect(!log.contains("SSH_AUTH_SOCK"))
            for (name, content) in result.contents {
                #expect(!String(decoding: content, as: UTF8.self).contains(server.agent.path.string), "\(name)")
            }
            // What is known needs neither agent nor server: a commit says all.
            try writeFile([], server.log)
            let known = try await fixture.build("ADD \(url)#\(commit):sub /src", environment: server.environment())
            #expect(known.outcome("load git source") == .cached)
            #expect(try readFile(server.log).isEmpty)
        }
    }

    /// The form of scp has no port, so only who may log in is told.
    @Test("An unknown server key and a missing agent are refused")
    func refusals() async throws {
        try await Self.with { fixture, server, _ in
            let line = "ADD \(server.address)\(fixture.root)/r.git /src"
            let alone = try await fixture.failure(line, environment: server.environment())
            #expect(alone.message == "no SSH key \"default\" forwarded from the client")
            #expect(alone.hint?.contains("--ssh default") == true)
            #expect(alone.location != nil)
            let scp = try await fixture.failure("ADD git@127.0.0.1:r.git /", environment: server.environment())
            #expect(scp.message == alone.message)

            let unknown = try await fixture.failure(
                line, environment: server.environment(knowsServer: false), agents: [server.agent])
            #expect(unknown.message.hasSuffix("Host key verification failed."))
            #expect(unknown.hint?.contains("known_hosts") == true)
            #expect(throws: LinuxError.self) { try readFile(server.directory.pushing("nowhere/.ssh/known_hosts")) }

            let stranger = try await fixture.failure(
                line, environment: server.environment(), agents: [server.emptyAgent])
            #expect(stranger.message.contains("Permission denied (publickey)"))
            #expect(stranger.hint?.contains("ssh-add -l") == true)

            let missing = try await fixture.failure(
                "ADD \(server.address)/nothing.git /src", environment: server.environment(), agents: [server.agent])
            #expect(missing.message.contains("failed to list refs of remote \(server.address)/nothing.git: "))
        }
    }

    /// The file that the variable names counts instead of the one in the home directory.
    @Test func knownHosts() async throws {
        try await Self.with { fixture, server, _ in
            let line = "ADD \(server.address)\(fixture.root)/r.git /src"
            var environment = server.environment(knowsServer: false)
            environment["SSH_KNOWN_HOSTS"] = server.directory.pushing("home/.ssh/known_hosts").string
            let result = try await fixture.build(line, environment: environment, agents: [server.agent])
            #expect(result.text("src/f.txt") == "two")
        }
    }

    /// Without an agent nothing is reached over SSH, whoever asks for it.
    @Test func submoduleNeedsTheAgentToo() async throws {
        let git = GitCommand(directory: "/tmp", environment: ProcessVariables.network)
        let error = await #expect(throws: GitCommand.Failed.self) {
            try await git.run(["ls-remote", "ssh://127.0.0.1/r.git"])
        }
        #expect(error?.reason == "transport 'ssh' not allowed")
    }

    @Test("Words for the shell are quoted")
    func words() {
        let access = SSHAccess(agent: "/a'b/s", knownHosts: ["/x y/50%"])
        #expect(access.command.hasPrefix("SSH_AUTH_SOCK='/a'\\''b/s' exec 'ssh' '-F' '/dev/null' "))
        #expect(access.command.contains(" 'UserKnownHostsFile=\"/x y/50%%\"' "))
    }
}
