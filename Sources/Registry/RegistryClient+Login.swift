import Diagnostics
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
            let endpoint = try await endpoints.endpoint(for: registry)
            let connection = RepositoryConnection(
                transport: transport, authenticator: authenticator, retry: options.retry,
                userAgent: options.userAgent,
                reference: ImageReference(registry: registry, repository: "", tag: nil), endpoint: endpoint)
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

/// The name of a registry as users write it for a login.
package enum RegistryName {
    /// The server of Docker Hub in files and helpers.
    package static let hubServer = "https://index.docker.io/v1/"

    /// The registry that a user means: host and port without scheme and path; Docker Hub by any of its names.
    package static func normalised(_ text: String) -> String {
        var name = text[...]
        for scheme in ["https://", "http://"] where name.lowercased().hasPrefix(scheme) {
            name = name.dropFirst(scheme.count)
        }
        let host = name.prefix { $0 != "/" }
        return ["docker.io", "index.docker.io", "registry-1.docker.io", ""].contains(host) ? "docker.io" : String(host)
    }

    /// The registry that a user means; throws ``RegistryError`` `.malformedURL` for what is no name of a server.
    package static func parsed(_ text: String) throws -> String {
        let name = normalised(text)
        guard (try? HTTPURL(parsing: "https://\(name)")) != nil else {
            throw RegistryError(
                .malformedURL, "'\(text.printable(limit: 200))' is no name of a registry",
                hint: "Write it as host or host:port.")
        }
        return name
    }

    /// The name that files and helpers keep a login under.
    package static func server(of registry: String) -> String { registry == "docker.io" ? hubServer : registry }
}
