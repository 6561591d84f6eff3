import Diagnostics
import OCI
import Synchronization

/// How a registry is reached.
struct RegistryEndpoint: Sendable {
    /// Scheme, host and port.
    let base: HTTPURL
    let trust: ServerTrust
    /// The beginning of the paths of repositories.
    var root = "/v2"
    /// The registry whose images another server has, which is told to it.
    var namespace: String?
    /// Fields that every request to it gets.
    var fields = HTTPFields()
    /// The registry whose login it gets, if that is not the one of the name.
    var loginName: String?
}

extension RegistryEndpoint {
    /// A server of a `hosts.toml`.
    init(_ host: RegistryHost, for registry: String) {
        base = host.base
        var trust = host.trust
        trust.registry = registry
        self.trust = trust
        root = host.root
        namespace = host.isOrigin ? nil : registry
        fields = host.fields
        loginName = host.isOrigin ? nil : host.base.authority
    }
}

/// Finds out how registries are reached, and remembers it.
///
/// This machine and registries the user calls insecure are tried by TLS without looking at the certificate, then in plain
/// HTTP. All others are reached by TLS.
final class RegistryEndpoints: Sendable {
    private let transport: any HTTPTransport
    private let insecure: [String]
    private let certificates: CertificateDirectories
    private let configuration: RegistryConfigurationFiles
    private let found = Mutex<[String: RegistryEndpoint]>([:])

    init(
        transport: any HTTPTransport, insecure: [String], certificates: CertificateDirectories = .none,
        configuration: RegistryConfigurationFiles = .none
    ) {
        self.transport = transport
        self.insecure = insecure
        self.certificates = certificates
        self.configuration = configuration
    }

    /// The way to a registry; `isInsecure` says that the configuration calls it so.
    func endpoint(for registry: String, isInsecure: Bool = false) async throws -> RegistryEndpoint {
        let name = registry == "docker.io" ? "registry-1.docker.io" : registry
        let secure = try HTTPURL(parsing: "https://\(name)")
        if let known = found.withLock({ $0[registry] }) { return known }
        var trust = try certificates.trust(for: registry, at: secure)
        let named = insecure + (try configuration.load().insecureRegistries)
        let isNamedInsecure = isInsecure || Self.contains(named, registry, secure.host)
        let endpoint: RegistryEndpoint
        if isNamedInsecure || AddressRange.isLoopback(secure.host) {
            // An authority is given to be asked, but where the user says not to.
            trust.verifiesServer = !isNamedInsecure && !trust.authorities.isEmpty
            let plain = try HTTPURL(parsing: "http://\(name)")
            endpoint = RegistryEndpoint(base: try await speaksTLS(secure, trust) ? secure : plain, trust: trust)
        } else {
            endpoint = RegistryEndpoint(base: secure, trust: trust)
        }
        found.withLock { $0[registry] = endpoint }
        return endpoint
    }

    private static func contains(_ registries: [String], _ registry: String, _ host: String) -> Bool {
        registries.contains { $0 == "*" || $0 == registry || $0 == host || AddressRange($0)?.contains(host) == true }
    }

    /// Whether a server answers by TLS. A failure of TLS itself is thrown if the server does not answer in plain HTTP
    /// either.
    private func speaksTLS(_ base: HTTPURL, _ trust: ServerTrust) async throws -> Bool {
        do {
            _ = try await ping(base, trust)
            return true
        } catch let error as RegistryError {
            switch error.code {
            case .plainHTTP, .unreachable, .connectionLost: return false
            case .tls:
                let plain = HTTPURL(scheme: .http, host: base.host, port: base.port)
                // A server that speaks TLS refuses plain HTTP with 400.
                guard let status = try? await ping(plain, trust), status != 400 else { throw error }
                return false
            default: throw error
            }
        }
    }

    private func ping(_ base: HTTPURL, _ trust: ServerTrust) async throws -> Int {
        var request = HTTPRequest(
            .get, HTTPURL(scheme: base.scheme, host: base.host, port: base.port, target: "/v2/"))
        request.trust = trust
        return try await transport.send(request, body: nil).status
    }
}
