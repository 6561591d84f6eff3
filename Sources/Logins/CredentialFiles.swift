import Diagnostics
import Linux
import OCI
import SystemPackage

/// Credentials from the environment and from the files that `lamina login`, `docker login` and `podman login` write.
///
/// Looked at in this order: the variable `DOCKER_AUTH_CONFIG`, the files of ``paths(environment:)``. The first that knows
/// the registry counts.
package struct CredentialFiles: CredentialProvider {
    private let paths: [String]
    private let environment: [String: String]
    private let inline: String?
    private let warn: @Sendable (String) -> Void

    /// Creates the source; `authFile` is the only place to look at, if given, and `warn` gets what is passed over.
    package init(
        environment: [String: String], authFile: String? = nil, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.warn = warn
        let inline = environment["DOCKER_AUTH_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        self.inline = authFile == nil ? inline : nil
        paths = authFile.map { [$0] } ?? Self.paths(environment: environment)
        self.environment = environment
    }

    /// The files in the order in which they count: `$REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json` (or
    /// `~/.docker/config.json`), `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`.
    ///
    /// The first one is where a login is kept.
    static func paths(environment: [String: String]) -> [String] {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let home = variable("HOME")
        let configuration = variable("XDG_CONFIG_HOME") ?? home.map { "\($0)/.config" }
        return [
            variable("REGISTRY_AUTH_FILE"), dockerFile(environment: environment),
            variable("XDG_RUNTIME_DIR").map { "\($0)/containers/auth.json" },
            configuration.map { "\($0)/containers/auth.json" },
        ].compactMap(\.self)
    }

    /// The path of Docker's `config.json`; `nil` without a home directory.
    static func dockerFile(environment: [String: String]) -> String? {
        let directories = [environment["DOCKER_CONFIG"], environment["HOME"].map { $0.isEmpty ? "" : "\($0)/.docker" }]
        return directories.compactMap(\.self).first { !$0.isEmpty }.map { "\($0)/config.json" }
    }

    package func credential(for registry: String, repository: String) async throws -> Credential? {
        if let credential = try inlineCredential(for: registry, repository: repository) { return credential }
        return try await offload {
            for path in paths {
                guard let file = try CredentialFile.read(path) else { continue }
                switch try file.entry(for: registry, repository: repository) {
                case .credential(let credential): return credential
                case .helper(let name, let server):
                    let helper = CredentialHelper(name: name, environment: environment)
                    if let credential = try helper.credential(for: server) { return credential }
                case nil: continue
                }
            }
            return nil
        }
    }

    /// The login in the variable. A broken value is passed over with a notice, as by Docker.
    private func inlineCredential(for registry: String, repository: String) throws -> Credential? {
        guard let inline else { return nil }
        guard let json = try? JSON(parsing: Array(inline.utf8)), json.object != nil else {
            warn("the variable DOCKER_AUTH_CONFIG is not JSON and counts for nothing")
            return nil
        }
        let file = CredentialFile(
            json: .object(("auths", json["auths"])), path: "DOCKER_AUTH_CONFIG")
        guard case .credential(let credential) = try file.entry(for: registry, repository: repository) else {
            return nil
        }
        return credential
    }
}

/// One `config.json` or `auth.json`.
struct CredentialFile: Sendable {
    var json: JSON
    let path: String

    enum Entry: Hashable {
        case credential(Credential)
        /// The helper's short name and the server to ask it about.
        case helper(String, server: String)
    }

    /// Reads a file; `nil` if it does not exist.
    static func read(_ path: String) throws -> CredentialFile? {
        let bytes: [UInt8]
        do {
            bytes = try OwnedDescriptor.open(FilePath(path)).readAll(limit: 4 << 20)
        } catch let error as LinuxError {
            if error.code == .notFound { return nil }
            throw LoginsError(.credentials, "the credentials in '\(path)' cannot be read", cause: error)
        }
        do {
            // Podman makes its file before it has something to write.
            return CredentialFile(json: bytes.isEmpty ? .object() : try JSON(parsing: bytes), path: path)
        } catch {
            throw LoginsError(
                .credentials, "'\(path)' is not JSON", hint: "Repair the file, or remove it and log in again.",
                cause: error)
        }
    }
    /// The file's login for a repository: a helper of the registry's own, then the entry with the longest name that
    /// leads to the repository, then the helper for all.
    func entry(for registry: String, repository: String) throws -> Entry? {
        let server = RegistryName.server(of: registry)
        if let helper = ownHelper(of: registry) { return helper.isEmpty ? nil : .helper(helper, server: server) }
        if let entry = matching(registry, repository), let credential = try credential(entry) {
            return .credential(credential)
        }
        if let store = json["credsStore"]?.string, !store.isEmpty { return .helper(store, server: server) }
        return nil
    }

    /// The helper that is named for this registry; an empty name means none.
    private func ownHelper(of registry: String) -> String? {
        json["credHelpers"]?[registry]?.string ?? json["credHelpers"]?[RegistryName.server(of: registry)]?.string
    }

    /// The helper that keeps the login of a registry; `nil` if the file itself does.
    func helper(for registry: String) -> String? {
        let name = ownHelper(of: registry) ?? json["credsStore"]?.string ?? ""
        return name.isEmpty ? nil : name
    }

    private func matching(_ registry: String, _ repository: String) -> JSON? {
        let members = json["auths"]?.object?.members ?? []
        let wanted = "\(registry)/\(repository)"
        let candidates = members.compactMap { member -> (name: String, value: JSON)? in
            let name = Self.normalised(member.key)
            return name == wanted || wanted.hasPrefix("\(name)/") ? (name, member.value) : nil
        }
        return candidates.max { $0.name.utf8.count < $1.name.utf8.count }?.value
    }

    /// The key without scheme and, where it is a URL of the first registry API, without path; Docker Hub's names as one.
    static func normalised(_ key: String) -> String {
        var name = key[...]
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) { name = name.dropFirst(scheme.count) }
        while name.hasSuffix("/") { name.removeLast() }
        for version in ["/v1", "/v2"] where name.hasSuffix(version) { name = name.dropLast(version.count) }
        let host = name.prefix { $0 != "/" }
        let isHub = ["index.docker.io", "registry-1.docker.io"].contains(host)
        return isHub ? "docker.io" + name.dropFirst(host.count) : String(name)
    }

    private func credential(_ entry: JSON) throws -> Credential? {
        if let token = entry["registrytoken"]?.string, !token.isEmpty { return .registryToken(token) }
        if let token = entry["identitytoken"]?.string, !token.isEmpty { return .identityToken(token) }
        if let user = entry["username"]?.string, let password = entry["password"]?.string, !user.isEmpty {
            return .password(user: user, password: password)
        }
        guard let auth = entry["auth"]?.string, !auth.isEmpty else { return nil }
        guard let text = auth.base64Decoded, let colon = text.firstIndex(of: ":") else {
            throw LoginsError(
                .credentials, "an entry in '\(path)' is not base64 of 'user:password'", hint: "Log in again.")
        }
        let password = text[text.index(after: colon)...].reversed().drop { $0 == "\0" }.reversed()
        return .password(user: String(text[..<colon]), password: String(password))
    }
}
