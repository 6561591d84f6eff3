/// A range of IPv4 addresses as users write it, e.g. `10.0.0.0/8`.
struct AddressRange: Sendable {
    private let bits: UInt32
    private let mask: UInt32

    /// Parses an address with or without the length of its prefix.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let bits = Self.address(first), parts.count <= 2 else { return nil }
        let length = parts.count == 2 ? UInt32(parts[1]) : 32
        guard let length, length <= 32 else { return nil }
        mask = length == 0 ? 0 : ~0 << (32 - length)
        self.bits = bits & mask
    }

    func contains(_ host: String) -> Bool {
        Self.address(host).map { $0 & mask == bits } ?? false
    }

    private static func address(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { UInt8($0) }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static let loopback = AddressRange("127.0.0.0/8")

    /// Whether a host is this machine by its very name.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || loopback?.contains(host) == true
    }
}
