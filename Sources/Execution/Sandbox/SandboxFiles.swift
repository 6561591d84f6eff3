import Diagnostics
package import Graph
import Linux
package import Requests
import Sandbox
package import Store
import Synchronization
package import SystemPackage
import Trees

/// The files that every command of a build sees in place of its image's own.
///
/// They live in a directory of this build's own, which goes away with it.
package final class SandboxFiles: Sendable {
    package let network: NetworkSettings
    package let searchPath: String
    /// An empty directory; see ``SandboxSpec/scratch``.
    package let scratch: FilePath
    private let store: StoreRoot
    /// The name of the machine in `/etc/hosts`.
    package let hostname: String
    private let directory: TemporaryDirectory
    private let written = Mutex<Set<String>>([])

    package init(
        in store: StoreRoot, network: NetworkSettings, environment: [String: String],
        hostname: String
    ) throws {
        self.store = store
        self.network = network
        self.hostname = hostname
        searchPath = environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        directory = try store.temporaryDirectory()
        scratch = directory.path.appending("root")
        try Directory(opening: directory.path).makeDirectory("root", permissions: 0o700)
    }

    /// Removes the files; no command may need them any more.
    package func remove() { directory.remove() }

    package func newDirectory() throws -> TemporaryDirectory { try store.temporaryDirectory() }

    /// The files that are `/etc/resolv.conf` and `/etc/hosts` in a network, written when they are first needed.
    package func names(for mode: NetworkMode) throws -> (resolvConf: FilePath, hosts: FilePath) {
        switch mode {
        case .default, .host:
            return (
                try file("resolv.conf") { ResolverFile.host().text(network) },
                try file("hosts") { hosts(gateway: "127.0.0.1") }
            )
        case .none:
            return (
                try file("resolv.conf.none") { ResolverFile.host().text(network, forwarder: nil) },
                try file("hosts") { hosts(gateway: "127.0.0.1") }
            )
        case .private:
            let gateway = Gateway.address()
            if gateway == nil, network.hosts.contains(where: { $0.address == nil }) {
                throw ExecutionError(
                    .badNetwork, "host-gateway has no address in a private network: this machine has no default route")
            }
            return (
                try file("resolv.conf.private") {
                    ResolverFile.host().text(network, forwarder: gateway == nil ? nil : PrivateNetwork.nameServer)
                },
                try file("hosts.private") { hosts(gateway: gateway ?? "") }
            )
        }
    }

    private func file(_ name: String, _ text: () -> String) throws -> FilePath {
        let path = directory.path.appending(name)
        try written.withLock { written in
            guard written.insert(name).inserted else { return }
            try FileSystem.write(Array(text().utf8), to: path)
        }
        return path
    }

    private func hosts(gateway: String) -> String {
        let own = "127.0.0.1\tlocalhost \(hostname)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        return own + network.hosts.map { "\($0.address ?? gateway)\t\($0.name)\n" }.joined()
    }
}
