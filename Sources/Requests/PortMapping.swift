import Diagnostics

/// A port of this machine that leads to one of a command, as `--publish` says.
package struct PortMapping: Hashable, Sendable {
    package enum Transport: String, Hashable, Sendable {
        case tcp
        case udp
    }

    /// The address to listen at; `nil` for all of this machine.
    package let address: String?
    /// `nil` for one that is free.
    package let host: UInt16?
    package let inside: UInt16
    package let transport: Transport

    package init(address: String?, host: UInt16?, inside: UInt16, transport: Transport) {
        self.address = address
        self.host = host
        self.inside = inside
        self.transport = transport
    }

    /// Parses `[[ADDRESS:]HOST:]PORT[/tcp|udp]`, where HOST and PORT may be ranges of one length.
    ///
    /// Throws ``RequestsError`` `.badNetwork`.
    package static func parse(_ text: String) throws -> [PortMapping] {
        func invalid(_ reason: String) -> RequestsError {
            RequestsError(
                .badNetwork, "invalid port '\(text)': \(reason)", hint: "Write it as [[ADDRESS:]HOST:]PORT[/tcp|udp].")
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let transport = parts.count == 1 ? .tcp : Transport(rawValue: parts[1].lowercased()) else {
            throw invalid("'\(parts[1])' is neither tcp nor udp")
        }
        var rest = parts[0]
        func takeLast() -> Substring {
            guard let colon = rest.lastIndex(of: ":") else {
                defer { rest = "" }
                return rest
            }
            defer { rest = rest[..<colon] }
            return rest[rest.index(after: colon)...]
        }
        let hasHost = rest.contains(":")
        guard let inside = range(takeLast()) else { throw invalid("the port of the command is none") }
        let hostWord = hasHost ? takeLast() : ""
        var address = String(rest)
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
        guard address.isEmpty || NetworkSettings.isAddress(address) else {
            throw invalid("'\(address)' is no IP address")
        }
        let place = address.isEmpty ? nil : address
        guard !hostWord.isEmpty else {
            return inside.map { PortMapping(address: place, host: nil, inside: $0, transport: transport) }
        }
        guard let host = range(hostWord), host.count == inside.count else {
            throw invalid("'\(hostWord)' does not fit")
        }
        return zip(host, inside).map { PortMapping(address: place, host: $0, inside: $1, transport: transport) }
    }

    private static func range(_ text: Substring) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first > 0,
            first <= last
        else { return nil }
        return first...last
    }

    /// The mapping as ``parse(_:)`` takes it.
    package var word: String {
        let place = address.map { $0.contains(":") ? "[\($0)]:" : "\($0):" } ?? ""
        let front = host == nil && address == nil ? "" : "\(place)\(host.map(String.init) ?? ""):"
        return "\(front)\(inside)/\(transport.rawValue)"
    }
}
