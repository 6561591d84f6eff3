import Diagnostics
package import Graph
import Linux
import Requests
package import Sandbox
import Store
package import SystemPackage

/// The network of one command, for as long as it runs.
package final class StepNetwork: Sendable {
    package let network: SandboxNetwork
    package let resolvConf: FilePath
    package let hosts: FilePath
    /// Objects that must live until the command has ended.
    private let held: [any AnyObject & Sendable]

    /// `mode` is the network of the command, and `ports` lead into one of its own. May block while the network is set up:
    /// to be called in `offload`.
    package init(_ mode: NetworkMode, _ files: SandboxFiles, ports: [ForwardedPort] = []) throws {
        (resolvConf, hosts) = try files.names(for: mode)
        switch mode {
        case .default, .host: (network, held) = (.host, [])
        case .none: (network, held) = (.none, [])
        case .private:
            let directory = try files.newDirectory()
            let made = try PrivateNetwork(
                in: directory.path, reachesHost: files.network.hosts.contains { $0.address == nil }, ports: ports,
                searchPath: files.searchPath)
            (network, held) = (.namespace(made.path), [made, directory])
        }
    }
}

/// The gateway of this machine's default route: in a private network, the address of this machine.
package enum Gateway {
    /// `nil` without a route of version 4. See `/proc/net/route` in `proc(5)`.
    package static func address(routes: String = (try? readText("/proc/net/route")) ?? "") -> String? {
        for line in routes.split(separator: "\n").dropFirst() {
            let fields = line.split(whereSeparator: \.isWhitespace)
            // Destination and gateway, each four bytes as this machine keeps them.
            guard fields.count > 2, fields[1] == "00000000", let gateway = UInt32(fields[2], radix: 16), gateway != 0
            else { continue }
            return (0..<4).map { String(gateway >> (8 * $0) & 0xff) }.joined(separator: ".")
        }
        return nil
    }
}
