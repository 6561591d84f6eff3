import Diagnostics
import Logins
import OCI

/// Answers the challenges of registries, and remembers what satisfied them.
///
/// Requests that want the same token at the same time share one request to the token server.
actor Authenticator {
    /// The registry, repository and permissions of a request, for which one `Authorization` is good.
    struct Purpose: Hashable, Sendable {
        let registry: String
        let repository: String
        let scopes: [String]
    }

    private struct Grant {
        let authorization: String
        let expiry: ContinuousClock.Instant?
    }

    private let credentials: any CredentialProvider
    private let transport: any HTTPTransport
    private let realms: RealmPolicy
    private let asksForRefreshToken: Bool
    /// The refresh token that a token server granted last.
    private(set) var refreshToken: String?
    private var grants: [Purpose: Grant] = [:]
    private var requests: [TokenRequest: Task<Token, any Error>] = [:]

    init(
        credentials: any CredentialProvider, transport: any HTTPTransport, realms: RealmPolicy = RealmPolicy(),
        asksForRefreshToken: Bool = false
    ) {
        self.credentials = credentials
        self.transport = transport
        self.realms = realms
        self.asksForRefreshToken = asksForRefreshToken
    }

    /// The authorisation that the registry accepted before and that has not expired.
    func authorization(for purpose: Purpose) -> String? {
        guard let grant = grants[purpose] else { return nil }
        if let expiry = grant.expiry, expiry <= .now { return nil }
        return grant.authorization
    }

    /// Forgets an authorization that was refused, unless another has taken its place already.
    func forget(_ authorization: String, for purpose: Purpose) {
        if grants[purpose]?.authorization == authorization { grants[purpose] = nil }
    }

    /// Answers the challenges in a 401 to a request without, or with a refused, authorization.
    ///
    /// - Returns: The value of the `Authorization` field to try; `nil` when there is nothing to answer with.
    func answer(
        _ response: HTTPResponse, from server: HTTPURL, trust: ServerTrust, for purpose: Purpose
    ) async throws -> String? {
        // Another request may have satisfied the registry since this one was sent.
        if let known = authorization(for: purpose) { return known }
        let challenges = Challenge.parse(response.fields.all("www-authenticate"))
        guard let challenge = Challenge.preferred(of: challenges) else {
            guard challenges.isEmpty else {
                let names = challenges.map(\.scheme).joined(separator: ", ").printable(limit: 100)
                throw RegistryError(
                    .unauthorised, "\(server.authority) wants a login of an unsupported kind (\(names))")
            }
            return nil
        }
        let credential = try await credentials.credential(for: purpose.registry, repository: purpose.repository)
        if case .registryToken(let token) = credential { return remember("Bearer \(token)", until: nil, for: purpose) }
        guard challenge.scheme == "bearer" else {
            guard case .password(let user, let password) = credential else { return nil }
            return remember(basicAuthorization(user, password), until: nil, for: purpose)
        }
        var request = try tokenRequest(challenge, from: server, for: purpose, credential: credential)
        if request.realm.host == server.host {
            request.trust = trust
        } else {
            request.trust.authorities = trust.authorities
        }
        request.asksForRefreshToken = asksForRefreshToken
        let token = try await token(request)
        if let refreshToken = token.refreshToken { self.refreshToken = refreshToken }
        return remember("Bearer \(token.value)", until: token.expiry, for: purpose)
    }

    private func remember(
        _ authorization: String, until expiry: ContinuousClock.Instant?, for purpose: Purpose
    ) -> String {
        grants[purpose] = Grant(authorization: authorization, expiry: expiry)
        return authorization
    }

    private func tokenRequest(
        _ challenge: Challenge, from server: HTTPURL, for purpose: Purpose, credential: Credential?
    ) throws -> TokenRequest {
        let realm = try server.resolving(challenge.parameters["realm"] ?? "")
        guard realm.scheme == .https || server.scheme == .http else {
            throw RegistryError(
                .unsafeRedirect, "\(server.authority) wants the login sent in the clear to \(realm.authority)",
                hint: "Ask the administrator of the registry to correct its token realm.")
        }
        if credential != nil { try realms.check(realm, for: server) }
        let demanded = challenge.parameters["scope"]?.split(separator: " ").map(String.init) ?? []
        return TokenRequest(
            realm: realm, service: challenge.parameters["service"],
            scopes: TokenRequest.merged(purpose.scopes + demanded), credential: credential)
    }

    private func token(_ request: TokenRequest) async throws -> Token {
        if let task = requests[request] { return try await task.value }
        let task = Task { [transport] in try await Self.fetch(request, over: transport) }
        requests[request] = task
        defer { requests[request] = nil }
        return try await task.value
    }

    private static func fetch(_ tokenRequest: TokenRequest, over transport: any HTTPTransport) async throws -> Token {
        var (request, body) = tokenRequest.message
        var response = try await transport.send(request, body: body)
        if let other = tokenRequest.fallback, response.status == 404 || response.status == 405 {
            (request, body) = other
            response = try await transport.send(request, body: body)
        }
        guard response.status == 200 else {
            let error = await Refusal(response, to: request).error
            let isLogin = response.status == 401 || response.status == 400
            let hint = isLogin ? "Log in again: user name, password or token were not accepted." : error.hint
            throw RegistryError(
                isLogin ? .unauthorised : error.code, "the login failed: \(error.message)", hint: hint,
                cause: error.cause)
        }
        guard let bytes = try await response.body.collect(limit: 65536) else {
            throw RegistryError(
                .malformedResponse, "\(tokenRequest.realm.authority) granted a token of more than 64 KiB")
        }
        return try Token(parsing: bytes, now: .now, from: tokenRequest.realm)
    }
}
