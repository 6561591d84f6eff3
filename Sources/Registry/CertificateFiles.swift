import Diagnostics
import Linux
import Logins
import SystemPackage

/// Certificates of one registry in files that the user names, besides those of directories.
package struct CertificateFiles: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// A file with certificates of authorities, in PEM.
        case authority(String)
        case client(ServerTrust.ClientCertificate)
    }

    package let registry: String
    package let content: Content

    /// Parses `REGISTRY=FILE`.
    ///
    /// Throws ``RegistryError`` `.tls`.
    package init(authority text: String) throws {
        let (registry, file) = try Self.pair(text, "REGISTRY=FILE")
        self.registry = registry
        content = .authority(file)
    }

    /// Parses `REGISTRY=CERTIFICATE,KEY`.
    ///
    /// Throws ``RegistryError`` `.tls`.
    package init(client text: String) throws {
        let form = "REGISTRY=CERTIFICATE,KEY"
        let (registry, files) = try Self.pair(text, form)
        let names = files.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.count == 2, !names.contains("") else { throw Self.malformed(text, form) }
        self.registry = registry
        content = .client(.init(certificate: names[0], key: names[1]))
    }

    private static func pair(_ text: String, _ form: String) throws -> (registry: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts.contains("") else { throw malformed(text, form) }
        return (RegistryName.normalised(parts[0]), parts[1])
    }

    private static func malformed(_ text: String, _ form: String) -> RegistryError {
        RegistryError(
            .tls, "'\(text.printable(limit: 200))' does not name the certificate of a registry",
            hint: "Write it as \(form).")
    }

    func add(to trust: inout ServerTrust) throws {
        switch content {
        case .authority(let file): trust.authorities += try Self.read(file) + [0x0a]
        case .client(let certificate):
            for file in [certificate.certificate, certificate.key] { _ = try Self.read(file) }
            trust.clientCertificate = certificate
        }
    }

    private static func read(_ file: String) throws -> [UInt8] {
        do { return try OwnedDescriptor.open(FilePath(file)).readAll(limit: 4 << 20) } catch {
            throw RegistryError(.tls, "the certificate '\(file)' cannot be read", cause: error)
        }
    }
}
