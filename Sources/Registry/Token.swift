import Diagnostics
import Logins
import OCI

/// The grant of a token server.
///
/// Source: the distribution project's token authentication specification.
struct Token: Sendable {
    let value: String
    let expiry: ContinuousClock.Instant
    /// A token that stands for the password from now on, if the server grants one.
    let refreshToken: String?

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
        refreshToken = json?["refresh_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
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
    /// The certificates of the registry, for a token server on the same host.
    var trust = ServerTrust()
    /// Whether a refresh token is wanted as well, for a login that is kept.
    var asksForRefreshToken = false

    /// Scopes with all actions of a resource in one, sorted: a registry names the actions in any order, and equal
    /// requests share an answer.
    ///
    /// Source: the distribution project's token scope documentation, "Resource Scope Grammar".
    static func merged(_ scopes: [String]) -> [String] {
        var actions: [Substring: Set<Substring>] = [:]
        for scope in scopes {
            let end = scope.lastIndex(of: ":") ?? scope.endIndex
            actions[scope[..<end], default: []].formUnion(scope[end...].dropFirst().split(separator: ","))
        }
        return actions.map { resource, actions in
            actions.isEmpty ? String(resource) : "\(resource):\(actions.sorted().joined(separator: ","))"
        }.sorted()
    }

    /// The request to send: a form with a refresh token, a GET with everything else.
    var message: (request: HTTPRequest, body: HTTPBody?) {
        if case .identityToken(let token) = credential {
            return form([("grant_type", "refresh_token"), ("refresh_token", token)])
        }
        return (query, nil)
    }

    /// The request to send if the server does not know the first one: a password in a form.
    var fallback: (request: HTTPRequest, body: HTTPBody?)? {
        guard case .password(let user, let password) = credential else { return nil }
        let offline = asksForRefreshToken ? [("access_type", "offline")] : []
        return form([("grant_type", "password")] + offline + [("username", user), ("password", password)])
    }

    /// Source: RFC 6749, sections 4.3 and 6.
    private func form(_ grant: [(String, String)]) -> (HTTPRequest, HTTPBody?) {
        var items = [("service", service ?? ""), ("client_id", "lamina")]
        if !scopes.isEmpty { items.append(("scope", scopes.joined(separator: " "))) }
        items = Array(grant.prefix(1)) + items + grant.dropFirst()
        let form = items.map { "\($0)=\($1.percentEncoded)" }.joined(separator: "&")
        var request = HTTPRequest(.post, realm, ["Content-Type": "application/x-www-form-urlencoded"])
        request.trust = trust
        return (request, HTTPBody(Array(form.utf8)))
    }

    private var query: HTTPRequest {
        var url = realm
        if let service { url = url.appending("service", service) }
        for scope in scopes { url = url.appending("scope", scope) }
        var fields: HTTPFields = [:]
        if case .password(let user, let password) = credential {
            url = url.appending("account", user)
            fields["Authorization"] = basicAuthorization(user, password)
            if asksForRefreshToken {
                url = url.appending("client_id", "lamina").appending("offline_token", "true")
            }
        }
        var request = HTTPRequest(.get, url, fields)
        request.trust = trust
        return request
    }
}

/// The value of an `Authorization` field with a password. Source: RFC 7617.
package func basicAuthorization(_ user: String, _ password: String) -> String {
    "Basic \("\(user):\(password)".base64Encoded)"
}
