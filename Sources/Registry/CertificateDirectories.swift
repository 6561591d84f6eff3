import Diagnostics
import Linux
import Synchronization
import SystemPackage

/// Certificates of registries in directories named by them: Docker's and containers' `certs.d`.
///
/// In the directory of a registry, each `*.crt` is an authority besides the system's, and `NAME.cert` with `NAME.key` is
/// a client certificate.
package final class CertificateDirectories: Sendable {
    /// Directories that have one for each registry, the first that has it counts.
    private let parents: [String]
    /// A directory for every registry, in place of all others.
    private let override: String?
    private let named: [CertificateFiles]
    private let known = Mutex<[String: ServerTrust]>([:])

    /// No directory at all.
    package static let none = CertificateDirectories(parents: [])

    package init(parents: [String], override: String? = nil, named: [CertificateFiles] = []) {
        self.parents = parents
        self.override = override
        self.named = named
    }

    /// The directories of the user, then those of the machine.
    package convenience init(
        environment: [String: String], override: String? = nil, named: [CertificateFiles] = []
    ) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let configuration = variable("XDG_CONFIG_HOME") ?? variable("HOME").map { "\($0)/.config" }
        let own = configuration.map { ["\($0)/containers/certs.d", "\($0)/docker/certs.d"] } ?? []
        self.init(
            parents: own + ["/etc/containers/certs.d", "/etc/docker/certs.d"], override: override, named: named)
    }

    /// The certificates for a registry that is reached at a URL.
    ///
    /// Throws ``RegistryError`` `.tls` for a directory that cannot be read or holds half a client certificate.
    func trust(for registry: String, at base: HTTPURL) throws -> ServerTrust {
        if let known = known.withLock({ $0[registry] }) { return known }
        var trust = try read(registry, base)
        for files in named where files.registry == registry { try files.add(to: &trust) }
        trust.registry = registry
        known.withLock { $0[registry] = trust }
        return trust
    }

    private func read(_ registry: String, _ base: HTTPURL) throws -> ServerTrust {
        if let override {
            guard let names = try Self.names(in: override) else {
                throw RegistryError(
                    .tls, "the directory of certificates '\(override)' does not exist", hint: "Correct --cert-dir.")
            }
            return try Self.trust(names, in: override)
        }
        var candidates = [registry]
        for name in [base.authority, "\(base.host):\(base.port)"] where !candidates.contains(name) {
            candidates.append(name)
        }
        for parent in parents {
            for candidate in candidates {
                let directory = "\(parent)/\(candidate)"
                if let names = try Self.names(in: directory) { return try Self.trust(names, in: directory) }
            }
        }
        return ServerTrust()
    }

    /// The names in a directory, sorted; `nil` if it does not exist.
    private static func names(in directory: String) throws -> [String]? {
        do {
            return try Directory(opening: FilePath(directory)).names().map(\.text).sorted()
        } catch let error as LinuxError where error.code == .notFound {
            return nil
        } catch {
            throw RegistryError(.tls, "the certificates in '\(directory)' cannot be read", cause: error)
        }
    }

    private static func trust(_ names: [String], in directory: String) throws -> ServerTrust {
        var trust = ServerTrust()
        for name in names where name.hasSuffix(".crt") {
            let path = "\(directory)/\(name)"
            do {
                trust.authorities += try OwnedDescriptor.open(FilePath(path)).readAll(limit: 4 << 20) + [0x0a]
            } catch {
                throw RegistryError(.tls, "the certificate '\(path)' cannot be read", cause: error)
            }
        }
        for name in names where name.hasSuffix(".key") && !names.contains(name.dropLast(4) + ".cert") {
            throw RegistryError(
                .tls, "missing the client certificate \(name.dropLast(4)).cert for the key '\(directory)/\(name)'",
                hint: "Authorities' certificates end in .crt, client certificates in .cert.")
        }
        for name in names where name.hasSuffix(".cert") {
            let key = "\(name.dropLast(5)).key"
            guard names.contains(key) else {
                throw RegistryError(
                    .tls, "missing the key \(key) for the client certificate '\(directory)/\(name)'",
                    hint: "Authorities' certificates end in .crt, client certificates in .cert.")
            }
            // libcurl presents one certificate.
            trust.clientCertificate =
                trust.clientCertificate
                ?? .init(certificate: "\(directory)/\(name)", key: "\(directory)/\(key)")
        }
        return trust
    }
}
