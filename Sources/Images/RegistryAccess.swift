import CurlTransport
import Diagnostics
import Logins
package import OCI
package import Registry
import Store
import Synchronization

/// The registry client, made when it is first needed: most commands never speak to a registry, and TLS costs time.
package final class RegistryAccess: Sendable {
    private struct State {
        var client: RegistryClient?
        var transport: NetworkTransport?
        var credentials: [S3Bucket: S3Credentials] = [:]
    }

    /// The environment, which tells where credentials and proxies are.
    package let environment: [String: String]
    /// Whether nothing is asked of the network.
    package let isOffline: Bool
    private let options: RegistryClient.Options
    private let credentials: any CredentialProvider
    private let state = Mutex(State())

    package init(environment: [String: String], options: RegistryClient.Options = RegistryClient.Options()) {
        self.environment = environment
        self.options = options
        isOffline = false
        credentials = CredentialFiles(environment: environment)
    }

    package init(_ settings: RegistrySettings) {
        environment = settings.environment
        options = settings.clientOptions
        isOffline = settings.isOffline
        credentials = settings.credentials
    }

    /// The images that a name may stand for, in the order in which they are looked for.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    package func candidates(for name: ImageName) throws -> [ImageReference] {
        try options.configuration.candidates(for: name)
    }

    package var client: RegistryClient {
        state.withLock { state in
            if let client = state.client { return client }
            let client = RegistryClient(
                transport: transport(&state), credentials: credentials, options: options)
            state.client = client
            return client
        }
    }

    /// Notes who speaks to a bucket, for as long as this process runs.
    package func remember(_ credentials: S3Credentials, for bucket: S3Bucket) {
        state.withLock { $0.credentials[bucket] = credentials }
    }

    /// The client of a bucket, with the credentials given for it or those of the environment.
    ///
    /// Throws ``ImagesError`` `.noCredentials`.
    package func client(for bucket: S3Bucket) throws -> S3Client {
        try state.withLock { state in
            guard let credentials = state.credentials[bucket] ?? S3Credentials(environment: environment) else {
                throw ImagesError(
                    .noCredentials, "there are no credentials for \(bucket)",
                    hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
            }
            return S3Client(
                transport: transport(&state), bucket: bucket, credentials: credentials, retry: options.retry,
                userAgent: options.userAgent, now: { .now })
        }
    }

    /// Files of servers that are no registries.
    package var web: WebFiles {
        state.withLock { state in
            WebFiles(transport: transport(&state), retry: options.retry, userAgent: options.userAgent)
        }
    }

    private func transport(_ state: inout State) -> any HTTPTransport {
        if isOffline { return OfflineTransport() }
        if let transport = state.transport { return transport }
        let transport = NetworkTransport(environment: environment)
        state.transport = transport
        return transport
    }

    /// Ends all connections. The last call.
    package func shutdown() async throws {
        let transport = state.withLock { $0.transport }
        try await transport?.shutdown()
    }
}
