package import Registry
import Synchronization

/// The registry client, made when it is first needed: most commands never speak to a registry, and TLS costs time.
package final class RegistryAccess: Sendable {
    private struct State {
        var client: RegistryClient?
        var transport: NetworkTransport?
    }

    private let environment: [String: String]
    private let options: RegistryClient.Options
    private let state = Mutex(State())

    /// `environment` says where credentials and proxies are.
    package init(environment: [String: String], options: RegistryClient.Options = RegistryClient.Options()) {
        self.environment = environment
        self.options = options
    }

    var client: RegistryClient {
        state.withLock { state in
            if let client = state.client { return client }
            let transport = NetworkTransport(environment: environment)
            let client = RegistryClient(
                transport: transport, credentials: CredentialFiles(environment: environment), options: options)
            state.transport = transport
            state.client = client
            return client
        }
    }

    /// Ends all connections. The last call.
    package func shutdown() async throws {
        let transport = state.withLock { $0.transport }
        try await transport?.shutdown()
    }
}
