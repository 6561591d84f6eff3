import Diagnostics
import Glibc
package import Graph

/// The user's settings for the network of commands.
package struct NetworkSettings: Sendable {
    /// A host that is known by name inside.
    package struct Host: Hashable, Sendable {
        package let name: String
        /// `nil` for this machine as it can be reached from inside: `host-gateway`.
        package let address: String?
    }

    package private(set) var mode = NetworkMode.default
    package private(set) var hosts: [Host] = []
    /// In place of those of this machine, where there are any.
    package private(set) var nameServers: [String] = []
    package private(set) var searchDomains: [String] = []
    package private(set) var resolverOptions: [String] = []

    package init() {}

    /// Whether the builder's own network was asked for by name.
    package var isHost: Bool { mode == .host }

    /// Parses the values of `--network`, `--add-host`, `--dns`, `--dns-search` and `--dns-option`, as Docker does.
    ///
    /// Throws ``RequestsError`` `.badNetwork`.
    package init(
        mode: String?, hosts: [String], nameServers: [String] = [], searchDomains: [String] = [],
        resolverOptions: [String] = []
    ) throws {
        if let mode {
            guard let known = NetworkMode(rawValue: mode) ?? Self.privateModes[mode] else {
                throw RequestsError(
                    .badNetwork, "unknown network mode '\(mode)'",
                    hint: "Use default, host, none or private; there are no networks with names.")
            }
            self.mode = known
        }
        self.hosts = try hosts.flatMap { $0.split(separator: ",") }.map { try Self.host(String($0)) }
        for server in nameServers where !Self.isAddress(server) {
            throw RequestsError(.badNetwork, "'\(server)' of --dns is not an IP address")
        }
        for word in searchDomains + resolverOptions where word.isEmpty || word.contains(where: \.isWhitespace) {
            throw RequestsError(.badNetwork, "'\(word)' of --dns-search or --dns-option is not one word")
        }
        self.nameServers = nameServers
        self.searchDomains = searchDomains
        self.resolverOptions = resolverOptions
    }

    /// Names that other tools have for a network of the command's own.
    private static let privateModes = ["bridge": NetworkMode.private, "pasta": .private, "slirp4netns": .private]

    /// `NAME=IP` or `NAME:IP`; an address of version 6 may stand in brackets.
    private static func host(_ text: String) throws -> Host {
        let separator: Character = text.contains("=") ? "=" : ":"
        let parts = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains(where: { $0.isWhitespace || $0 == "#" }) else {
            throw RequestsError(.badNetwork, "bad format for add-host: \"\(text)\"", hint: "Write it as NAME=IP.")
        }
        if parts[1] == "host-gateway" { return Host(name: parts[0], address: nil) }
        var address = parts[1]
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
        guard isAddress(address) else {
            throw RequestsError(.badNetwork, "invalid IP address in add-host: \"\(parts[1])\"")
        }
        return Host(name: parts[0], address: address)
    }

    /// Whether it is an address of version 4 or 6. See `inet_pton(3)`.
    package static func isAddress(_ text: String) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            [AF_INET, AF_INET6].contains { unsafe inet_pton($0, text, buffer.baseAddress) == 1 }
        }
    }
}
