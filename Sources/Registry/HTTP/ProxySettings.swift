/// Which requests go through a proxy: the variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in lower
/// or upper case.
package struct ProxySettings: Sendable {
    /// How a proxy is spoken to.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case http
        case https
        case socks4
        case socks4a
        /// Names are resolved on this machine.
        case socks5
        /// Names are resolved by the proxy.
        case socks5h

        var defaultPort: Int {
            switch self {
            case .http: 80
            case .https: 443
            case .socks4, .socks4a, .socks5, .socks5h: 1080
            }
        }
    }

    package struct Proxy: Hashable, Sendable {
        package let kind: Kind
        package let host: String
        package let port: Int
        /// `user:password` as written in the variable, without percent-encoding.
        package let userInfo: String?
    }

    private let http: Proxy?
    private let https: Proxy?
    private let exceptions: [String]

    package init(environment: [String: String]) {
        func variable(_ name: String) -> String? {
            [name.lowercased(), name].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        http = (variable("HTTP_PROXY") ?? variable("ALL_PROXY")).flatMap(Self.parse)
        https = (variable("HTTPS_PROXY") ?? variable("ALL_PROXY")).flatMap(Self.parse)
        exceptions = (variable("NO_PROXY") ?? "").split { $0 == "," || $0 == " " }.map { $0.lowercased() }
    }

    /// The proxy for a URL; `nil` when it is to be reached directly, as this machine always is.
    package func proxy(for url: HTTPURL) -> Proxy? {
        guard let proxy = url.scheme == .https ? https : http, !AddressRange.isLoopback(url.host) else { return nil }
        return exceptions.contains { Self.covers($0, url) } ? nil : proxy
    }

    private static func covers(_ exception: String, _ url: HTTPURL) -> Bool {
        if exception == "*" { return true }
        if let range = AddressRange(exception) { return range.contains(url.host) }
        var name = exception[...]
        if let colon = name.lastIndex(of: ":"), let port = Int(name[name.index(after: colon)...]) {
            guard port == url.port else { return false }
            name = name[..<colon]
        }
        let suffix = name.hasPrefix("*.") ? name.dropFirst() : name
        if suffix.hasPrefix(".") { return url.host.hasSuffix(suffix) }
        return url.host == suffix || url.host.hasSuffix(".\(suffix)")
    }

    /// `[kind://][user:password@]host[:port]`
    private static func parse(_ text: String) -> Proxy? {
        var rest = text[...]
        var kind = Kind.http
        if let separator = rest.firstRange(of: "://") {
            guard let named = Kind(rawValue: rest[..<separator.lowerBound].lowercased()) else { return nil }
            kind = named
            rest = rest[separator.upperBound...]
        }
        var userInfo: String?
        if let at = rest.lastIndex(of: "@") {
            userInfo = String(rest[..<at]).percentDecoded
            rest = rest[rest.index(after: at)...]
        }
        // The scheme only has a default port, which is told from a port that is written by trying two.
        guard let url = try? HTTPURL(parsing: "http://\(rest)"), let other = try? HTTPURL(parsing: "https://\(rest)")
        else { return nil }
        return Proxy(
            kind: kind, host: url.host, port: url.port == other.port ? url.port : kind.defaultPort, userInfo: userInfo)
    }
}

extension String {
    /// The text with `%XX` replaced by the byte it stands for.
    fileprivate var percentDecoded: String {
        let bytes = Array(utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
