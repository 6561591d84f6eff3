import Diagnostics
import Linux
package import Requests
import Sandbox
package import Store
import Synchronization
package import SystemPackage
import Trees

/// The agents that hold keys from files: `ssh-agent` programs of the machine, each started when a step first asks for it.
package final class KeyAgents: Sendable {
    private let store: StoreRoot
    private let environment: [String: String]
    private let known = Mutex<[AgentSocket: KeyAgent]>([:])

    package init(store: StoreRoot, environment: [String: String]) {
        self.store = store
        self.environment = environment
    }

    /// The socket of the agent that has the keys of `agent`. May block: to be called in `offload`.
    package func socket(of agent: AgentSocket) throws -> FilePath {
        try known.withLock { known in
            if let running = known[agent] { return running.socket }
            let started = try KeyAgent(agent.keys, in: store.temporaryDirectory(), environment)
            known[agent] = started
            return started.socket
        }
    }
}

/// An agent with keys that ends with this object, or with this process however that ends.
private final class KeyAgent: Sendable {
    let socket: FilePath
    private let directory: TemporaryDirectory
    private let program: HelperProcess

    init(_ keys: [FilePath], in directory: TemporaryDirectory, _ environment: [String: String]) throws {
        self.directory = directory
        socket = directory.path.appending("agent")
        let path = "PATH=\(environment["PATH"] ?? "/usr/bin:/bin")"
        guard socket.string.utf8.count < 108 else {
            throw ContextsError(
                .badAgent, "the path of the store is too long for the socket of an agent: \(socket)",
                hint: "Use a store with a shorter path, or an agent of your own.")
        }
        do {
            program = try HelperProcess(
                ["ssh-agent", "-D", "-a", socket.string], environment: [path],
                log: directory.path.appending("agent.log"))
        } catch let error as SandboxError where error.code == .commandNotFound {
            throw ContextsError(
                .badAgent, "--ssh with key files needs the program 'ssh-agent', which is not installed",
                hint: "Install the package openssh-client, or give the socket of an agent.", cause: error)
        }
        guard program.makes(socket, milliseconds: 5000) else {
            throw ContextsError(.badAgent, "ssh-agent did not start: \(program.lastWords() ?? "it did not say why")")
        }
        for key in keys { try Self.add(key, to: socket, path) }
    }

    private static func add(_ key: FilePath, to socket: FilePath, _ path: String) throws {
        // Whoever is asked for a passphrase refuses: a build asks nobody.
        let variables = [path, "SSH_AUTH_SOCK=\(socket)", "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force"]
        let outcome = try ChildProcess("ssh-add", ["-q", key.string], environment: variables).run()
        guard outcome.status != 0 else { return }
        let lines = String(decoding: outcome.errors, as: UTF8.self).split(separator: "\n")
        let reason = lines.last { !$0.hasPrefix("@") } ?? "ssh-add ended with \(outcome.status)"
        throw ContextsError(
            .badAgent, "the key \(key) cannot be used: \(reason)",
            hint: "It must be readable by its owner only, and have no passphrase; else add it to an agent of your own.")
    }
}
