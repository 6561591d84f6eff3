import Diagnostics
import OCI

/// The grant of a token server.
///
/// Source: the distribution project's token authentication specification.
struct Token: Sendable {
    let value: String
    let expiry: ContinuousClock.Instant

    /// Reads the answer of a token server. A token without a life span lives for 60 seconds, as does a shorter one; the
    /// last tenth of its life is not used, as a request takes time.
    init(parsing bytes: [UInt8], now: ContinuousClock.Instant, from server: HTTPURL) throws {
        let json = try? JSON(parsing: bytes)
        // Harbor sends an empty access_token beside the real one.
        let values = [json?["token"]?.string, json?["access_token"]?.string].compactMap(\.self).filter { !$0.isEmpty }
        guard let value = values.first, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw RegistryError(.malformedResponse, "\(server.authority) granted no token")
        }
        self.value = value
        let seconds = min(max(json?["expires_in"]?.integer ?? 60, 60), 86400)
        expiry = now + .seconds(seconds) * 0.9
    }
}

/// A request to a token server. Equal requests have equal answers, for a while.
struct TokenRequest: Hashable, Sendable {
    let realm: HTTPURL
    let service: String?
    /// Sorted, so that order makes no difference.
    let scopes: [String]
    let credential: Credential?
    /// `false` only for the token server of an insecure registry that is on the same host.
    var verifiesServer = true

    /// The request to send, and the form that goes with a refresh token.
    var message: (request: HTTPRequest, body: HTTPBody?) {
        var (request, body) = form
        request.verifiesServer = verifiesServer
        return (request, body)
    }

    private var form: (HTTPRequest, HTTPBody?) {
        if case .identityToken(let token) = credential {
            let items = [
                ("grant_type", "refresh_token"), ("service", service ?? ""), ("client_id", "lamina"),
                ("scope", scopes.joined(separator: " ")), ("refresh_token", token),
            ]
            let form = items.map { "\($0)=\($1.percentEncoded)" }.joined(separator: "&")
            let request = HTTPRequest(.post, realm, ["Content-Type": "application/x-www-form-urlencoded"])
            return (request, HTTPBody(Array(form.utf8)))
        }
        var url = realm
        if let service { url = url.appending("service", service) }
        for scope in scopes { url = url.appending("scope", scope) }
        guard case .password(let user, let password) = credential else { return (HTTPRequest(.get, url), nil) }
        url = url.appending("account", user)
        return (HTTPRequest(.get, url, ["Authorization": basicAuthorization(user, password)]), nil)
    }
}

/// The value of an `Authorization` field with a password. Source: RFC 7617.
package func basicAuthorization(_ user: String, _ password: String) -> String {
    "Basic \("\(user):\(password)".base64Encoded)"
}
