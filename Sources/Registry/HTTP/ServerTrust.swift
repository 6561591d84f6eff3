/// The proofs that the two sides of a TLS session ask of each other.
package struct ServerTrust: Hashable, Sendable {
    /// A certificate and its key, as paths of files in PEM.
    package struct ClientCertificate: Hashable, Sendable {
        package let certificate: String
        package let key: String
    }

    /// Whether the server must prove its identity; `false` only for registries the user calls insecure.
    package var verifiesServer = true
    /// Certificates of authorities in PEM, besides the system's.
    package var authorities: [UInt8] = []
    package var clientCertificate: ClientCertificate?
    /// The registry as the user names it, for hints that tell how to change this; `nil` for other servers.
    package var registry: String?

    package init() {}

    /// The same for another server, which gets no client certificate.
    var forOtherServers: ServerTrust {
        var trust = self
        trust.clientCertificate = nil
        trust.registry = nil
        return trust
    }
}
