import Graph
package import SystemPackage
import Trees

/// How `git` reaches servers over SSH: with the keys of the agent that the user forwards as `default` and no others,
/// and only those servers whose keys the user knows. No configuration of the user's or the host's counts.
package struct SSHAccess: Sendable {
    /// The socket of the agent, absolute.
    package let agent: FilePath
    /// Files with the keys of servers; they need not exist.
    package let knownHosts: [FilePath]

    package init(agent: FilePath, knownHosts: [FilePath]) {
        self.agent = agent
        self.knownHosts = knownHosts
    }

    /// A command for the shell, which is how Git starts it. Only `ssh` itself is told of the agent.
    package var command: String {
        let files = knownHosts.map { "\"\($0.string.replacing("%", with: "%%"))\"" }.joined(separator: " ")
        let options = [
            "BatchMode=yes", "StrictHostKeyChecking=yes", "UserKnownHostsFile=\(files)", "GlobalKnownHostsFile=none",
            "UpdateHostKeys=no", "IdentityFile=none", "PreferredAuthentications=publickey", "ForwardAgent=no",
            "ForwardX11=no", "ClearAllForwardings=yes", "ControlPath=none", "ConnectTimeout=30",
            "ServerAliveInterval=20", "LogLevel=ERROR",
        ]
        let words = ["ssh", "-F", "/dev/null"] + options.flatMap { ["-o", $0] }
        return "SSH_AUTH_SOCK=\(Self.quoted(agent.string)) exec \(words.map(Self.quoted).joined(separator: " "))"
    }

    private static func quoted(_ word: String) -> String { "'\(word.replacing("'", with: "'\\''"))'" }

    /// The hint for a refusal, where SSH's message is one.
    package static func hint(_ reason: String, _ remote: String) -> String? {
        if reason.contains("Host key verification failed") {
            return "Add the server's key to ~/.ssh/known_hosts, or to the file that SSH_KNOWN_HOSTS names, after "
                + "comparing it with what the server's owner publishes."
        }
        if reason.contains("Permission denied") {
            return "The agent of --ssh default has no key that \(remote) accepts; ssh-add -l lists what it has."
        }
        if reason.contains("ssh: not found") { return "Install the program 'ssh'." }
        return nil
    }
}

extension SSHAccess {
    /// `nil` when no agent is forwarded.
    ///
    /// The keys of servers are those in the file that `SSH_KNOWN_HOSTS` names, else in `~/.ssh/known_hosts`, and those
    /// that the host knows.
    package init?(_ credentials: BuildCredentials, environment: [String: String]) throws {
        guard let agent = try credentials.socket(of: SSHMount.defaultAgent) else { return nil }
        self.agent = agent
        let own = environment["SSH_KNOWN_HOSTS"].flatMap { $0.isEmpty ? nil : FileSystem.absolute(FilePath($0)) }
        let home = environment["HOME"].map { FilePath($0).appending(".ssh").appending("known_hosts") }
        knownHosts = [own ?? home].compactMap(\.self) + ["/etc/ssh/ssh_known_hosts"]
    }
}

extension SSHMount {
    /// The agent that Git uses; a Dockerfile cannot name another.
    fileprivate static let defaultAgent = SSHMount(id: "", target: "")
}
