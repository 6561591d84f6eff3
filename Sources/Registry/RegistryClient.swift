package import Logins
import OCI

/// Talks to registries.
///
/// Source: OCI distribution-spec. All operations throw `RegistryError`, whose message names operation and image;
/// errors of the caller's own sinks pass unchanged, and so does `CancellationError`.
package struct RegistryClient: Sendable {
    package struct Options: Sendable {
        /// Registries to trust without proof: host, host and port, a range of IPv4 addresses, or `*` for all.
        package var insecureRegistries: [String] = []
        /// Token servers of other domains that may get the logins of registries: hosts, or hosts with ports.
        package var allowedRealms: [String] = []
        /// Mirrors and other rules.
        package var configuration = RegistryConfigurationFiles.none
        /// Certificates of registries.
        package var certificates = CertificateDirectories.none
        /// How many blobs are uploaded at once.
        package var concurrentUploads = 5
        /// Uploads blobs in requests of at most so many bytes, for proxies that limit their size; `nil`: each in one.
        package var uploadChunk: Int64?
        /// When a large blob is fetched in several ranges at once.
        package var pieces = PiecePolicy()
        package var retry = RetryPolicy()
        package var userAgent = "lamina"

        package init() {}
    }

    let transport: any HTTPTransport
    let options: Options
    let authenticator: Authenticator
    let configuration: RegistryConfigurationFiles
    /// Mirrors that could not be reached.
    let deadMirrors = SharedSet()
    let endpoints: RegistryEndpoints
    let pieces: PieceTurn

    /// Creates a client. The transport stays the caller's to shut down.
    package init(
        transport: any HTTPTransport, credentials: any CredentialProvider, options: Options = Options()
    ) {
        self.transport = transport
        self.options = options
        configuration = options.configuration
        pieces = PieceTurn(options.pieces)
        authenticator = Authenticator(
            credentials: credentials, transport: transport, realms: RealmPolicy(allowed: options.allowedRealms))
        endpoints = RegistryEndpoints(
            transport: transport, insecure: options.insecureRegistries, certificates: options.certificates,
            configuration: options.configuration)
    }
}
