import Diagnostics
package import Graph
import Linux
import OCI
package import Requests
import Sandbox
import Store
package import SystemPackage
import Trees

/// The secrets and agents that the user gives to the steps of a build.
package struct BuildCredentials: Sendable {
    private var secrets: [String: BuildSecret] = [:]
    private var agents: [String: AgentSocket] = [:]

    private let keyAgents: KeyAgents

    package init(secrets: [BuildSecret], agents: [AgentSocket], keyAgents: KeyAgents) {
        self.keyAgents = keyAgents
        for secret in secrets { self.secrets[secret.id] = secret }
        for agent in agents { self.agents[agent.id] = agent }
    }

    /// `nil` for a secret that is not there and need not be.
    package func value(of secret: SecretMount) throws -> [UInt8]? {
        if let known = try value(of: secret.id) { return known }
        guard !secret.isRequired else {
            throw ContextsError(
                .secretNotFound, "secret \(secret.id): not found",
                hint: "Give it with --secret id=\(secret.id),src=FILE.")
        }
        return nil
    }

    /// `nil` for a secret that is not there.
    package func value(of id: String) throws -> [UInt8]? { try secrets[id]?.read() }

    /// `nil` for an agent that is not there and need not be.
    package func socket(of ssh: SSHMount) throws -> FilePath? {
        // The default agent has two names.
        if let known = agents[ssh.id == "default" ? "" : ssh.id] {
            return try known.keys.isEmpty ? FileSystem.absolute(known.path) : keyAgents.socket(of: known)
        }
        guard !ssh.isRequired else {
            throw ContextsError(
                .agentNotFound, "no SSH key \"\(ssh.id)\" forwarded from the client",
                hint: "Give an agent with --ssh \(ssh.id.isEmpty ? "default" : ssh.id).")
        }
        return nil
    }
}
