package import Logins

/// The settings of registries that a user gives on the command line and in the environment.
package struct RegistrySettings: Sendable {
    /// Tells where credentials, certificates and proxies are.
    package var environment: [String: String]
    /// Registries to be reached without proof of their identity, or in plain HTTP: host, host and port, or a range of IPv4
    /// addresses.
    package var insecureRegistries: [String] = []
    /// `false` makes every registry an insecure one.
    package var verifiesTLS = true
    /// Token servers of other domains that may get the logins of registries.
    package var allowedRealms: [String] = []
    /// How often a request that failed for a reason that may pass is repeated; `nil` leaves it to the client.
    package var retries: Int?
    /// The pause before the first repetition; each later one is twice as long.
    package var retryDelay: Duration?

    /// Whether nothing is asked of the network.
    package var isOffline = false
    /// A directory of certificates for every registry, in place of the `certs.d` directories.
    package var certificateDirectory: String?
    /// Certificates of single registries.
    package var certificates: [CertificateFiles] = []
    /// Mirrors, `[REGISTRY=]URL`; without a registry they are Docker Hub's.
    package var mirrors: [String] = []
    /// Whether registries that have one of ``mirrors`` are read from there only.
    package var readsMirrorsOnly = false
    /// The file of logins to be used in place of all others.
    package var authFile: String?
    /// A login for one registry, before those of files.
    package var login: (registry: String, credential: Credential)?
    /// Whether registries are asked without a login, whatever files have.
    package var isAnonymous = false

    package init(environment: [String: String]) { self.environment = environment }

    /// The options of a client with these settings.
    package var clientOptions: RegistryClient.Options {
        var options = RegistryClient.Options()
        options.insecureRegistries = verifiesTLS ? insecureRegistries : ["*"]
        options.allowedRealms = allowedRealms
        options.certificates = CertificateDirectories(
            environment: environment, override: certificateDirectory, named: certificates)
        let usual = options.retry
        options.retry = RetryPolicy(
            attempts: retries.map { $0 + 1 } ?? usual.attempts, delay: retryDelay ?? usual.delay,
            longestDelay: max(usual.longestDelay, retryDelay ?? .zero))
        options.configuration = RegistryConfigurationFiles(
            environment: environment, mirrors: mirrors, readsMirrorsOnly: readsMirrorsOnly)
        return options
    }

    /// The logins: that of the command line, then those of the environment and the files.
    package var credentials: any CredentialProvider {
        if isAnonymous { return AnonymousCredentials() }
        let files = CredentialFiles(environment: environment, authFile: authFile) {
            NetworkNotice.report($0)
        }
        guard let login else { return files }
        return FixedCredential(login.credential, for: login.registry, otherwise: files)
    }
}
