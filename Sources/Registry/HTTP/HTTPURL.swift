import Diagnostics

/// An `http` or `https` URL, split where this module needs it split.
///
/// Source: RFC 3986, of which registries use scheme, authority, path and query. User names in URLs are refused:
/// credentials travel in headers only.
package struct HTTPURL: Hashable, Sendable {
    package enum Scheme: String, Hashable, Sendable {
        case http
        case https
    }

    package let scheme: Scheme
    /// Lower-case; an IPv6 address is without its brackets.
    package let host: String
    package let port: Int
    /// Path and query as they are sent, beginning with `/`.
    package let target: String

    package init(scheme: Scheme, host: String, port: Int? = nil, target: String = "/") {
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port ?? (scheme == .https ? 443 : 80)
        self.target = target
    }

    /// Parses an absolute URL; a fragment is dropped.
    ///
    /// - Throws: `RegistryError` `.malformedResponse`, as it is servers that name URLs.
    package init(parsing text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = Scheme(rawValue: parts[0].lowercased()), parts[1].hasPrefix("//") else {
            throw Self.malformed(text)
        }
        let rest = parts[1].dropFirst(2)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let (host, port) = try Self.splitAuthority(rest[..<end], of: text)
        let tail = rest[end...].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let target = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw Self.malformed(text) }
        self.init(scheme: scheme, host: host, port: port, target: target)
    }

    private static func splitAuthority(_ text: Substring, of url: String) throws -> (host: String, port: Int?) {
        var host = text
        var port: Substring?
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw malformed(url) }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let isHost = host.utf8.allSatisfy { $0.isHostByte }
        guard !host.isEmpty, isHost, port.map({ UInt16($0) != nil }) ?? true else { throw malformed(url) }
        return (String(host), port.flatMap { Int($0) })
    }

    private static func malformed(_ text: String) -> RegistryError {
        RegistryError(.malformedResponse, "the server named a malformed URL, '\(text.printable(limit: 200))'")
    }

    /// Resolves a reference, absolute or relative, against this URL: the `Location` of an answer to a request for it.
    ///
    /// The path of an absolute URL stays as it is written, as URLs may be signed.
    /// Source: RFC 3986, section 5.2.
    ///
    /// - Throws: `RegistryError` `.malformedResponse`.
    package func resolving(_ location: String) throws -> HTTPURL {
        let reference = location.prefix { $0 != "#" }
        if Self.hasScheme(reference) { return try HTTPURL(parsing: String(reference)) }
        if reference.hasPrefix("//") { return try HTTPURL(parsing: "\(scheme.rawValue):\(reference)") }
        let (ownPath, ownQuery) = Self.split(target[...])
        let (path, query) = Self.split(reference)
        let resolved: String
        if path.isEmpty {
            resolved = String(ownPath + (query.isEmpty ? ownQuery : query))
        } else if path.hasPrefix("/") {
            resolved = Self.removingDotSegments(path) + query
        } else {
            let parent = ownPath.lastIndex(of: "/").map { ownPath[...$0] } ?? "/"
            resolved = Self.removingDotSegments(parent + path) + query
        }
        return try HTTPURL(parsing: "\(origin)\(resolved)")
    }

    /// Whether a reference begins with a scheme, and so is absolute.
    private static func hasScheme(_ reference: Substring) -> Bool {
        guard let end = reference.firstIndex(where: { ":/?".contains($0) }), reference[end] == ":" else { return false }
        let name = reference[..<end].utf8
        return name.first?.isLetter == true && name.allSatisfy { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
    }

    /// A path and a query, which begins with its question mark.
    private static func split(_ text: Substring) -> (path: Substring, query: Substring) {
        let end = text.firstIndex(of: "?") ?? text.endIndex
        return (text[..<end], text[end...])
    }

    /// Source: RFC 3986, section 5.2.4.
    private static func removingDotSegments(_ path: Substring) -> String {
        var segments: [Substring] = []
        let all = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for segment in all where segment != "." {
            if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
        }
        // A dot at the end names a directory.
        if let last = all.last, last == "." || last == ".." { segments.append("") }
        return "/" + segments.joined(separator: "/")
    }

    /// The URL with one more query item; those it has stay as they are.
    package func appending(_ name: String, _ value: String) -> HTTPURL {
        let separator =
            if !target.contains("?") { "?" } else if target.hasSuffix("?") || target.hasSuffix("&") { "" } else { "&" }
        let item = "\(name.percentEncoded)=\(value.percentEncoded)"
        return HTTPURL(scheme: scheme, host: host, port: port, target: target + separator + item)
    }

    /// Whether credentials meant for this URL may be sent to the other: same scheme, host and port.
    package func hasSameOrigin(as other: HTTPURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// The same URL over TLS, on the port of `other`.
    func secured(like other: HTTPURL) -> HTTPURL {
        HTTPURL(scheme: .https, host: host, port: other.port, target: target)
    }

    /// Host and, where it is not the scheme's own, port: what a user calls the server.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == .https ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var origin: String { "\(scheme.rawValue)://\(authority)" }
}

extension HTTPURL: CustomStringConvertible {
    package var description: String { origin + target }
}

extension UInt8 {
    fileprivate var isHostByte: Bool {
        isDigit || isLetter || "-._:".utf8.contains(self)
    }

    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }

    fileprivate var isLetter: Bool { (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self) }

    fileprivate var isUnreserved: Bool {
        // Colon and slash are allowed in a query, and registries' logs are readable with them.
        isDigit || isLetter || "-._~:/".utf8.contains(self)
    }
}

extension String {
    /// The text as part of a query.
    var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in utf8 {
            if byte.isUnreserved {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
