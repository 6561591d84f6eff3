import Diagnostics
import OCI
import Synchronization

/// How a registry is reached.
struct RegistryEndpoint: Sendable {
    /// Scheme, host and port.
    let base: HTTPURL
    /// `false` for a registry the user calls insecure.
    let verifiesServer: Bool
}

/// Finds out how registries are reached, and remembers it.
///
/// This machine is spoken to in plain HTTP. A registry the user calls insecure is tried by TLS without looking at the
/// certificate, then in plain HTTP. All others are reached by TLS.
final class RegistryEndpoints: Sendable {
    private let transport: any HTTPTransport
    private let insecure: [String]
    private let found = Mutex<[String: RegistryEndpoint]>([:])

    init(transport: any HTTPTransport, insecure: [String]) {
        self.transport = transport
        self.insecure = insecure
    }

    func endpoint(for registry: String) async throws -> RegistryEndpoint {
        let name = registry == "docker.io" ? "registry-1.docker.io" : registry
        let secure = try HTTPURL(parsing: "https://\(name)")
        let plain = try HTTPURL(parsing: "http://\(name)")
        if AddressRange.isLoopback(secure.host) { return RegistryEndpoint(base: plain, verifiesServer: false) }
        guard isInsecure(registry, secure.host) else { return RegistryEndpoint(base: secure, verifiesServer: true) }
        if let known = found.withLock({ $0[registry] }) { return known }
        let speaksTLS = try await speaksTLS(secure)
        let endpoint = RegistryEndpoint(base: speaksTLS ? secure : plain, verifiesServer: false)
        found.withLock { $0[registry] = endpoint }
        return endpoint
    }

    private func isInsecure(_ registry: String, _ host: String) -> Bool {
        insecure.contains { $0 == "*" || $0 == registry || $0 == host || AddressRange($0)?.contains(host) == true }
    }

    private func speaksTLS(_ base: HTTPURL) async throws -> Bool {
        let url = HTTPURL(scheme: base.scheme, host: base.host, port: base.port, target: "/v2/")
        var request = HTTPRequest(.get, url)
        request.verifiesServer = false
        do {
            _ = try await transport.send(request, body: nil)
            return true
        } catch let error as RegistryError {
            switch error.code {
            case .plainHTTP, .tls, .unreachable, .connectionLost: return false
            default: throw error
            }
        }
    }
}
