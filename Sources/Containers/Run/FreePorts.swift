import Diagnostics
import Glibc
import Linux
import Requests
import Sandbox

/// The ports of a command with those chosen that the user has left open.
struct FreePorts: Sendable {
    let mappings: [PortMapping]

    /// Throws `LinuxError` when this machine has no free port.
    static func choose(_ ports: [PortMapping]) throws -> FreePorts {
        FreePorts(
            mappings: try ports.map { port in
                PortMapping(
                    address: port.address, host: try port.host ?? free(port.transport), inside: port.inside,
                    transport: port.transport)
            })
    }

    var forwarded: [ForwardedPort] {
        mappings.compactMap { port in
            port.host.map {
                ForwardedPort(
                    address: port.address, host: $0, inside: port.inside,
                    transport: port.transport == .udp ? .udp : .tcp)
            }
        }
    }

    /// A port that nobody listens at, found by doing so for a moment. See `ip(7)`.
    private static func free(_ transport: PortMapping.Transport) throws -> UInt16 {
        let kind = transport == .udp ? SOCK_DGRAM : SOCK_STREAM
        let number = try check("create", "a socket") { socket(AF_INET, CInt(kind.rawValue), 0) }
        defer { close(number) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return try unsafe withUnsafeMutablePointer(to: &address) { pointer in
            try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                try check("listen at", "a free port") { unsafe bind(number, general, size) }
                try check("read", "the number of a port") { unsafe getsockname(number, general, &size) }
            }
            return unsafe UInt16(bigEndian: pointer.pointee.sin_port)
        }
    }
}
