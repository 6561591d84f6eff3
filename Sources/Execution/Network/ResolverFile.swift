import Linux
package import Requests
import SystemPackage

/// The settings of `/etc/resolv.conf` that are taken over. See `resolv.conf(5)`.
package struct ResolverFile: Hashable {
    /// Lines that do not name servers, word by word.
    private var others: [[String]] = []
    package private(set) var servers: [String] = []
    private let text: String

    package init(_ text: String) {
        self.text = text
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, !first.hasPrefix("#"), !first.hasPrefix(";") else { continue }
            if first == "nameserver", words.count > 1 { servers.append(words[1]) } else { others.append(words) }
        }
    }

    /// The file of this machine; behind systemd's stub, the one with the real servers.
    package static func host() -> ResolverFile {
        let own = ResolverFile((try? readText("/etc/resolv.conf")) ?? "")
        guard own.servers == ["127.0.0.53"], let real = try? readText("/run/systemd/resolve/resolv.conf") else {
            return own
        }
        return ResolverFile(real)
    }

    /// The file for commands in the builder's own network: as it is, but for what the settings replace.
    package func text(_ settings: NetworkSettings) -> String {
        guard settings.changesResolver else { return text }
        return text(settings, servers: servers)
    }

    /// The file for commands in a network of their own: `forwarder` stands for the servers of this machine.
    package func text(_ settings: NetworkSettings, forwarder: String?) -> String {
        // Whoever listens on this machine's loopback cannot be reached from another network.
        let reachable = servers.filter { !Self.isLoopback($0) }
        let others = reachable.isEmpty ? ["8.8.8.8", "8.8.4.4"] : reachable
        return text(settings, servers: forwarder.map { [$0] } ?? others)
    }

    private func text(_ settings: NetworkSettings, servers: [String]) -> String {
        let servers = settings.nameServers.isEmpty ? servers : settings.nameServers
        var lines: [[String]] = servers.map { ["nameserver", $0] }
        let replaced = [
            "search": settings.searchDomains, "domain": settings.searchDomains, "options": settings.resolverOptions,
        ]
        lines += others.filter { replaced[$0[0]]?.isEmpty ?? true }
        // A dot alone means that there are none.
        if !settings.searchDomains.isEmpty, settings.searchDomains != ["."] {
            lines.append(["search"] + settings.searchDomains)
        }
        if !settings.resolverOptions.isEmpty { lines.append(["options"] + settings.resolverOptions) }
        return lines.map { $0.joined(separator: " ") + "\n" }.joined()
    }

    private static func isLoopback(_ server: String) -> Bool { server.hasPrefix("127.") || server == "::1" }
}

extension NetworkSettings {
    fileprivate var changesResolver: Bool {
        !(nameServers.isEmpty && searchDomains.isEmpty && resolverOptions.isEmpty)
    }
}
