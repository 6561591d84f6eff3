import Diagnostics
import Logins

/// The URL of a file as a user writes it: what is no part of the request is taken off, and what the request needs
/// escaped is.
package struct WebAddress: Sendable {
    package let url: HTTPURL
    /// The `Authorization` that the user name and the password in the URL stand for.
    package let authorization: String?

    /// - Throws: `RegistryError` `.malformedURL`.
    package init(parsing text: String) throws {
        guard let start = text.firstRange(of: "://")?.upperBound else { throw Self.malformed() }
        let authority = text[start...].prefix { !"/?#".contains($0) }
        let tail = text[authority.endIndex...].prefix { $0 != "#" }
        let at = authority.lastIndex(of: "@")
        authorization = at.map { "Basic \(Self.login(authority[..<$0]).base64Encoded)" }
        let host = at.map { authority[authority.index(after: $0)...] } ?? authority
        do { url = try HTTPURL(parsing: text[..<start] + host + Self.escaped(tail)) } catch { throw Self.malformed() }
    }

    private static func malformed() -> RegistryError {
        RegistryError(.malformedURL, "the URL is malformed", hint: "Write it as https://host/path.")
    }

    /// `user:password` with its escapes resolved.
    private static func login(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        let login = String(decoding: bytes, as: UTF8.self)
        return login.contains(":") ? login : login + ":"
    }

    /// Bytes that may not stand in a request become `%xx`; escapes that are there stay.
    private static func escaped(_ text: Substring) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte in
            byte > 0x20 && byte < 0x7f
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
