import Diagnostics
import OCI

/// A server for the images of a registry, as a `hosts.toml` of containerd's names it.
///
/// Source: containerd, `docs/hosts.md`.
struct RegistryHost: Hashable, Sendable {
    /// A kind of work that a server may be asked for.
    enum Capability: String, Hashable, Sendable, CaseIterable {
        /// Reading what a digest names.
        case pull
        /// Telling what a tag stands for.
        case resolve
        case push
    }

    /// Scheme, host and port.
    let base: HTTPURL
    /// The beginning of all paths: `/v2`, or the path of the server in its place.
    let root: String
    var capabilities = Set(Capability.allCases)
    var trust = ServerTrust()
    /// Fields that every request to this server gets.
    var fields = HTTPFields()
    /// Whether this is the registry itself, or a server in its place.
    let isOrigin: Bool
}

extension RegistryHost {
    /// Reads the servers of a registry from its file, in order; the registry itself is the last.
    ///
    /// - Throws: ``RegistryError`` `.configuration`.
    static func hosts(
        in json: JSON, of registry: String, directory: String, read: @escaping (String) throws -> [UInt8]
    ) throws -> [RegistryHost] {
        let file = HostFile(directory: directory, read: read)
        let tables = (json["host"]?.object?.members ?? []).map { (url: $0.key, table: $0.value, isOrigin: false) }
        let usual = "https://\(registry == "docker.io" ? "registry-1.docker.io" : registry)"
        let server = json["server"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? usual
        return try tables.map { try file.host($0.url, $0.table, isOrigin: false) }
            + [try file.host(server, json, isOrigin: true)]
    }
}

/// The tables of one `hosts.toml`.
private struct HostFile {
    let directory: String
    let read: (String) throws -> [UInt8]

    private func malformed(_ what: String) -> RegistryError {
        RegistryError(
            .configuration, "'\(directory)/hosts.toml' \(what)", hint: "See containerd's documentation of it.")
    }

    func host(_ text: String, _ table: JSON, isOrigin: Bool) throws -> RegistryHost {
        let address = text.contains("://") ? text : "https://\(text)"
        guard let url = try? HTTPURL(parsing: address), !url.target.contains("?") else {
            throw malformed("has '\(text.printable(limit: 200))', which is no address of a server")
        }
        var root = url.target[...]
        while root.hasSuffix("/") { root.removeLast() }
        // The server of Docker Hub's web pages stands for its registry.
        let isHub = isOrigin && ["docker.io", "index.docker.io"].contains(url.host) && root.isEmpty
        let isWhole = table["override_path"]?.bool == true || root.hasSuffix("/v2")
        var host = RegistryHost(
            base: HTTPURL(scheme: url.scheme, host: isHub ? "registry-1.docker.io" : url.host, port: url.port),
            root: isWhole ? String(root) : "\(root)/v2", isOrigin: isOrigin)
        if let names = table["capabilities"] { host.capabilities = try capabilities(names) }
        host.trust.verifiesServer = table["skip_verify"]?.bool != true
        for file in try files(table["ca"], "ca") { host.trust.authorities += try read(path(of: file)) + [0x0a] }
        host.trust.clientCertificate = try client(table["client"])
        host.fields = try fields(table["header"])
        return host
    }

    private func capabilities(_ json: JSON) throws -> Set<RegistryHost.Capability> {
        guard let names = json.strings else { throw malformed("has capabilities that are no list of texts") }
        return Set(
            try names.map { name in
                guard let capability = RegistryHost.Capability(rawValue: name) else {
                    throw malformed(
                        "has the capability '\(name.printable(limit: 50))': there are pull, resolve and push")
                }
                return capability
            })
    }

    private func path(of file: String) -> String { file.hasPrefix("/") ? file : "\(directory)/\(file)" }

    /// One text, or a list of them.
    private func files(_ json: JSON?, _ key: String) throws -> [String] {
        guard let json else { return [] }
        if let one = json.string { return [one] }
        guard let all = json.strings else {
            throw malformed("has a '\(key)' that is neither a text nor a list of texts")
        }
        return all
    }

    /// The first certificate of this client: a file with its key, or a pair of files.
    private func client(_ json: JSON?) throws -> ServerTrust.ClientCertificate? {
        guard let json else { return nil }
        if let pairs = json.array, let pair = pairs.first?.array {
            guard let names = JSON.array(pair).strings, (1...2).contains(names.count) else {
                throw malformed("has a 'client' that is no pair of a certificate and a key")
            }
            return try certificate(names[0], names.last ?? names[0])
        }
        return try files(json, "client").first.map { try certificate($0, $0) }
    }

    private func certificate(_ certificate: String, _ key: String) throws -> ServerTrust.ClientCertificate {
        for file in [certificate, key] { _ = try read(path(of: file)) }
        return .init(certificate: path(of: certificate), key: path(of: key))
    }

    private func fields(_ json: JSON?) throws -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in json?.object?.members ?? [] {
            let values = try files(value, "header")
            guard (values + [name]).allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }), !name.isEmpty,
                !name.contains(":")
            else { throw malformed("has the header '\(name.printable(limit: 50))', which cannot be sent") }
            for value in values { fields.append(name, value) }
        }
        return fields
    }
}
