import Diagnostics
package import Logins
import OCI

extension RegistryClient {
    /// Verifies a login with its registry and gives the credential to keep: a refresh token if the token server grants one,
    /// otherwise the login itself.
    ///
    /// Throws ``RegistryError``, e.g. `.unauthorised`.
    package func login(to registry: String, with credential: Credential) async throws -> Credential {
        try await describing("cannot log in to \(registry)") {
            let authenticator = Authenticator(
                credentials: FixedCredential(credential, for: registry), transport: transport,
                realms: RealmPolicy(allowed: options.allowedRealms), asksForRefreshToken: true)
            let reference = ImageReference(registry: registry, repository: "", tag: nil)
            let endpoint = try await endpoint(of: configuration.load().target(for: reference))
            let connection = RepositoryConnection(
                transport: transport, authenticator: authenticator, retry: options.retry,
                userAgent: options.userAgent,
                reference: reference, endpoint: endpoint)
            let base = endpoint.base
            let url = HTTPURL(scheme: base.scheme, host: base.host, port: base.port, target: "/v2/")
            do {
                _ = try await connection.send(HTTPRequest(.get, url), for: .login, expecting: [200])
            } catch let error as RegistryError where error.code == .unauthorised {
                throw RegistryError(
                    error.code, error.message, hint: "Check the user name and the password or token.",
                    cause: error.cause)
            }
            return await authenticator.refreshToken.map { .identityToken($0) } ?? credential
        }
    }
}
