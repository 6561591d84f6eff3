import Diagnostics
import OCI

extension RegistryClient {
    /// Runs `body` with a connection to the first mirror of an image's registry, then, as long as it fails, to the next,
    /// and at last to the registry itself.
    ///
    /// A mirror that cannot be reached is not tried again.
    func reading<Value>(
        _ reference: ImageReference, _ body: (RepositoryConnection) async throws -> Value
    ) async throws -> Value {
        var sources = try configuration.sources(for: reference)[...]
        var failures: [String] = []
        while sources.count > 1, let source = sources.popFirst() {
            let name = source.host?.base.authority ?? source.reference.registry
            if deadMirrors.withLock({ $0.contains(name) }) { continue }
            do { return try await body(connection(to: source)) } catch let error as RegistryError {
                // A mirror need not have everything.
                if error.code == .notFound { continue }
                if [.unreachable, .connectionLost, .tls, .plainHTTP].contains(error.code) {
                    _ = deadMirrors.withLock { $0.insert(name) }
                }
                failures.append("the mirror \(name): \(error.message)")
                let next = sources.first.map { $0.host?.base.authority ?? $0.reference.registry } ?? ""
                NetworkNotice.report("the mirror \(name) failed (\(error.message)); trying \(next)")
            }
        }
        guard let origin = sources.first else { throw RegistryError(.notFound, "there is no place to read from") }
        do { return try await body(connection(to: origin)) } catch let error as RegistryError where !failures.isEmpty {
            throw RegistryError(
                error.code, ([error.message] + failures).joined(separator: "; "), hint: error.hint, at: error.location,
                cause: error.cause)
        }
    }

    /// A connection to the repository itself, for writing.
    func connection(to reference: ImageReference) async throws -> RepositoryConnection {
        try await connection(to: try configuration.target(for: reference))
    }

    private func connection(to source: RegistryConfiguration.Source) async throws -> RepositoryConnection {
        RepositoryConnection(
            transport: transport, authenticator: authenticator,
            retry: source.isMirror ? options.retry.limited(to: 2) : options.retry, userAgent: options.userAgent,
            reference: source.reference, endpoint: try await endpoint(of: source), pieces: pieces)
    }

    /// How a place to read from or to write to is reached.
    func endpoint(of source: RegistryConfiguration.Source) async throws -> RegistryEndpoint {
        if let host = source.host { return RegistryEndpoint(host, for: source.reference.registry) }
        return try await endpoints.endpoint(for: source.reference.registry, isInsecure: source.isInsecure)
    }
}
