import Glibc
import Linux
import Requests
import SystemPackage
import Testing
import Trees

@testable import Engine

/// An SSH server on the loopback that writes down what it is asked to run and in which environment, and an agent with
/// a key that it accepts.
struct SSHServer: Sendable {
    let directory: FilePath
    let port: Int
    /// The account that accepts the key.
    let user: String

    static let program = "/usr/sbin/sshd"

    /// Whether the machine has all that this needs.
    static var isInstalled: Bool {
        [program, "/usr/bin/ssh", "/usr/bin/ssh-agent", "/usr/bin/ssh-add", "/usr/bin/ssh-keygen"].allSatisfy {
            (try? FileStatus(of: FilePath($0))) != nil
        }
    }

    var agent: AgentSocket { AgentSocket(id: "default", path: directory.appending("agent")) }
    /// An agent without any key.
    var emptyAgent: AgentSocket { AgentSocket(id: "default", path: directory.appending("empty-agent")) }
    var log: FilePath { directory.appending("log") }
    var address: String { "ssh://\(user)@127.0.0.1:\(port)" }

    /// The variables of a build that knows the server's key, or knows no server at all.
    func environment(knowsServer: Bool = true) -> [String: String] {
        ["PATH": RemoteSourceServer.searchPath, "HOME": directory.appending(knowsServer ? "home" : "nowhere").string]
    }

    static func with<Value>(_ directory: FilePath, _ body: (SSHServer) async throws -> Value) async throws -> Value {
        try await runProgram("mkdir", ["-p", directory.string])
        // Where a server that root starts wants to lock its workers up.
        if geteuid() == 0 { try await runProgram("mkdir", ["-p", "/run/sshd"]) }
        let user = try await runProgram("id", ["-un"]).filter { !$0.isNewline }
        let script = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
        let port = try #require(Int(try await runProgram("python3", ["-c", script]).filter(\.isNumber)))
        let server = SSHServer(directory: directory, port: port, user: user)
        try await server.prepare()
        let processes = [
            ChildProcess(Self.program, ["-D", "-e", "-f", directory.appending("config").string], environment: []),
            ChildProcess("ssh-agent", ["-D", "-a", server.agent.path.string], environment: Self.variables),
            ChildProcess("ssh-agent", ["-D", "-a", server.emptyAgent.path.string], environment: Self.variables),
        ]
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for process in processes { group.addTask { _ = try await offload { try process.run() } } }
            defer { for process in processes { process.kill() } }
            try await server.waitUntilReady()
            return try await body(server)
        }
    }

    private static let variables = ["PATH=\(RemoteSourceServer.searchPath)"]

    private func prepare() async throws {
        for name in ["host", "key"] {
            try await runProgram(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", directory.appending(name).string])
        }
        try await runProgram("mkdir", ["-p", directory.appending("home/.ssh").string])
        let host = try readFile(directory.appending("host.pub"))
        try writeFile(
            Array("[127.0.0.1]:\(port) \(host)".utf8), directory.pushing("home/.ssh/known_hosts"))
        // The server runs as whoever runs the tests, and its own rules about whose files these are do not matter.
        let command = #"{ echo "$SSH_ORIGINAL_COMMAND"; env; } >> \#(log); exec sh -c "$SSH_ORIGINAL_COMMAND""#
        try writeFile(Array("#!/bin/sh\n\(command)\n".utf8), directory.appending("command"))
        try await runProgram("chmod", ["755", directory.appending("command").string])
        let config = """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(directory)/host
            AuthorizedKeysFile \(directory)/key.pub
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            ForceCommand \(directory)/command

            """
        try writeFile(Array(config.utf8), directory.appending("config"))
    }

    private func waitUntilReady() async throws {
        let agent = ["SSH_AUTH_SOCK=\(agent.path)"]
        for _ in 0..<1200 {
            let probe = [
                "-F", "/dev/null", "-p", "\(port)", "-o", "BatchMode=yes", "-o", "UserKnownHostsFile=\(knownHosts)",
                "\(user)@127.0.0.1", "true",
            ]
            if await Self.succeeds("ssh-add", ["-q", directory.appending("key").string], agent),
                await Self.succeeds("ssh", probe, agent)
            {
                try writeFile([], log)
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RemoteSourceServer.ServerDidNotStart()
    }

    private static func succeeds(_ program: String, _ arguments: [String], _ environment: [String]) async -> Bool {
        let process = ChildProcess(program, arguments, environment: variables + environment)
        return (try? await offload { try process.run().status == 0 }) ?? false
    }

    private var knownHosts: FilePath { directory.pushing("home/.ssh/known_hosts") }
}
