/// One word of EXPOSE: `[[ip:]hostPort:]port[-port][/protocol]`.
///
/// Addresses and host ports mean nothing in an image; they are checked and dropped, as BuildKit does.
package struct PortSpecification: Sendable {
    /// `port/protocol`, one for each port of the range.
    package let ports: [String]

    /// Splits the word without judging it, so that checks can report on words that turn out wrong.
    package static func parts(of text: String) -> (address: String, hostPort: String, port: String, proto: String) {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let last = fields[fields.count - 1].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return (
            fields.dropLast(2).joined(separator: ":"), fields.count > 1 ? fields[fields.count - 2] : "",
            String(last[0]), last.count > 1 ? String(last[1]) : ""
        )
    }

    /// - Throws: ``PortError`` with BuildKit's words.
    package init(parsing text: String) throws(PortError) {
        let (address, hostPort, port, proto) = Self.parts(of: text)
        let name = proto.isEmpty ? "tcp" : proto.lowercased()
        guard ["tcp", "udp", "sctp"].contains(name) else {
            throw Self.error("port: \"\(text)\": invalid proto: \(proto)")
        }
        guard address.isEmpty || Self.isAddress(address) else { throw Self.error("IP address: \(address)") }
        guard let range = Self.range(port) else { throw Self.error("containerPort: \(port)") }
        if !hostPort.isEmpty {
            guard let host = Self.range(hostPort) else { throw Self.error("hostPort: \(hostPort)") }
            // Several host ports for one port of the container mean "any of them".
            guard host.count == range.count || range.count == 1 else {
                throw Self.error("ranges specified for container and host Ports: \(port) and \(hostPort)")
            }
        }
        ports = range.map { "\($0)/\(name)" }
    }

    private static func error(_ what: String) -> PortError { PortError(message: "invalid \(what)") }

    private static func range(_ text: String) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(number)
        guard let first = ends[0], let last = ends[ends.count - 1], first <= last else { return nil }
        return first...last
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt16(text).map(Int.init)
    }

    private static func isAddress(_ text: String) -> Bool {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let address = isBracketed ? text.dropFirst().dropLast() : Substring(text)
        return address.contains(":") ? isIPv6(address) : !isBracketed && isIPv4(address)
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { number($0).map { $0 <= 255 } ?? false }
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        var groups = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (place, part) in parts.enumerated() {
                let isLast = index == halves.count - 1 && place == parts.count - 1
                if isLast, part.contains(".") {
                    guard isIPv4(part) else { return false }
                    groups += 2
                } else {
                    guard (1...4).contains(part.count), part.allSatisfy(\.isHexDigit) else { return false }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups < 8 : groups == 8
    }
}

/// A word that names no ports.
package struct PortError: Error, Hashable {
    package let message: String
}
