/// A login for a registry.
package enum Credential: Hashable, Sendable {
    case password(user: String, password: String)
    /// A refresh token, as a login leaves it: exchanged for access tokens.
    case identityToken(String)
    /// An access token, used as it is.
    case registryToken(String)
}

extension Credential: CustomStringConvertible {
    /// Names the kind only, so that no secret gets into a log.
    package var description: String {
        switch self {
        case .password(let user, _): "password of '\(user)'"
        case .identityToken: "identity token"
        case .registryToken: "registry token"
        }
    }
}

/// A source of credentials.
package protocol CredentialProvider: Sendable {
    /// The credential for a repository; `nil` where there is none, which means to ask anonymously.
    ///
    /// The registry is named as in `ImageReference`, e.g. `docker.io` or `localhost:5000`. Throws `LoginsError`
    /// `.credentials` when there is one that cannot be read.
    func credential(for registry: String, repository: String) async throws -> Credential?
}

/// Asks every registry anonymously.
package struct AnonymousCredentials: CredentialProvider {
    package init() {}

    package func credential(for registry: String, repository: String) async throws -> Credential? { nil }
}

/// The same credential for one registry, e.g. from flags of a command, and those of another provider elsewhere.
package struct FixedCredential: CredentialProvider {
    private let registry: String
    private let credential: Credential
    private let others: any CredentialProvider

    package init(
        _ credential: Credential, for registry: String,
        otherwise others: any CredentialProvider = AnonymousCredentials()
    ) {
        self.registry = registry
        self.credential = credential
        self.others = others
    }

    package func credential(for registry: String, repository: String) async throws -> Credential? {
        if registry == self.registry { return credential }
        return try await others.credential(for: registry, repository: repository)
    }
}
