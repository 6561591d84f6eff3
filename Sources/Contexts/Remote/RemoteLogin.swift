import Diagnostics
package import Registry

/// The login for a server: a secret of the build that is named after it.
package struct RemoteLogin: Sendable {
    /// The id of the secret.
    package let secret: String
    /// The value of `Authorization`. It goes to the one server and nowhere else: into no key, file, argument or message.
    package let authorization: String

    /// The secret with which files of a host are fetched; the hint on a refusal names it.
    package static func fileSecret(_ url: HTTPURL) -> String { "HTTP_AUTH_TOKEN_\(url.host)" }

    /// The secret with which repositories of a host are fetched.
    package static func repositorySecret(_ url: HTTPURL) -> String { "GIT_AUTH_TOKEN.\(url.authority)" }
}

extension BuildCredentials {
    /// The login for a file of the web. As in BuildKit the port makes no difference, and a token goes before a header.
    ///
    /// Throws ``ContextsError`` `.badSecret` for a value that no header can have.
    package func fileLogin(_ url: HTTPURL) throws -> RemoteLogin? {
        if let token = try login(RemoteLogin.fileSecret(url), { "Bearer \($0)" }) { return token }
        return try login("HTTP_AUTH_HEADER_\(url.host)") { $0 }
    }

    /// The login for a repository: a secret for its server goes before one for all, and then a header before a token.
    /// As in BuildKit the port is part of the server's name.
    ///
    /// Throws ``ContextsError`` `.badSecret` for a value that no header can have.
    package func repositoryLogin(_ url: HTTPURL) throws -> RemoteLogin? {
        for suffix in [".\(url.authority)", ""] {
            if let header = try login("GIT_AUTH_HEADER\(suffix)", { $0 }) { return header }
            let token = try login("GIT_AUTH_TOKEN\(suffix)") { basicAuthorization("x-access-token", $0) }
            if let token { return token }
        }
        return nil
    }

    /// An empty secret is none: so a variable looks that is not set.
    private func login(_ id: String, _ authorization: (String) -> String) throws -> RemoteLogin? {
        guard let bytes = try value(of: id) else { return nil }
        // Files end with a line break that is no part of the token.
        let text = String(decoding: bytes, as: UTF8.self).trimmingWhitespace
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
            throw ContextsError(
                .badSecret, "the secret \(id) cannot be sent to a server, as it is not one line of ASCII text",
                hint: "Give the token, or the value of the header, and nothing else.")
        }
        return text.isEmpty ? nil : RemoteLogin(secret: id, authorization: authorization(text))
    }
}

extension String {
    fileprivate var trimmingWhitespace: String {
        let start = drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
