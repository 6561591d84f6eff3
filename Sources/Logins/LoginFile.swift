import Diagnostics
import Glibc
import Linux
import OCI
import SystemPackage

/// The file in which logins are kept, by itself or through credential helpers.
package struct LoginFile: Sendable {
    /// A login as a user gives it, with the refresh token that took the place of the password if there is one.
    package struct Login: Sendable {
        let user: String
        let credential: Credential

        package init(user: String, _ credential: Credential) {
            self.user = user
            self.credential = credential
        }
    }

    /// The place that keeps a login.
    package enum Place: Hashable, Sendable {
        case file(String)
        case helper(String)
    }

    package let path: String
    private let environment: [String: String]

    /// The file `authFile`, or the first of those that logins are read from.
    ///
    /// Throws ``LoginsError`` `.credentials` when there is none.
    package init(environment: [String: String], authFile: String?) throws {
        guard let path = authFile ?? CredentialFiles.paths(environment: environment).first else {
            throw LoginsError(
                .credentials, "there is no place to keep a login", hint: "Set HOME or DOCKER_CONFIG, or use --authfile."
            )
        }
        self.path = path
        self.environment = environment
    }

    /// Keeps a login in place of any other for the registry.
    package func store(_ login: Login, for registry: String) throws -> Place {
        var file = try CredentialFile.read(path) ?? CredentialFile(json: .object(), path: path)
        let server = RegistryName.server(of: registry)
        file.removeEntries(of: registry)
        guard let name = file.helper(for: registry) else {
            file.set(Self.entry(login), for: server)
            try write(file.json)
            return .file(path)
        }
        try CredentialHelper(name: name, environment: environment).store(login, for: server)
        // A mark that there is a login, as Docker leaves it.
        file.set(.object(), for: server)
        try write(file.json)
        return .helper(name)
    }

    /// Forgets the login of a registry; `false` if there is none.
    package func erase(_ registry: String) throws -> Bool {
        guard var file = try CredentialFile.read(path) else { return false }
        var isFound = file.removeEntries(of: registry)
        if let name = file.helper(for: registry) {
            let helper = CredentialHelper(name: name, environment: environment)
            let server = RegistryName.server(of: registry)
            if try isFound || helper.credential(for: server) != nil {
                try helper.erase(server)
                isFound = true
            }
        }
        if isFound { try write(file.json) }
        return isFound
    }

    /// Forgets the logins of all registries that the file knows, its helpers' included.
    ///
    /// - Returns: the registries that had one, sorted.
    package func eraseAll() throws -> [String] {
        guard let file = try CredentialFile.read(path) else { return [] }
        return try file.registries.sorted().filter { try erase($0) }
    }

    /// The user of the login that the registry has here, by which a prompt begins; `nil` if there is none.
    package func user(of registry: String) throws -> String? {
        guard let file = try CredentialFile.read(path) else { return nil }
        if case .credential(.password(let user, _)) = try file.entry(for: registry, repository: "") { return user }
        guard let name = file.helper(for: registry) else { return nil }
        let helper = CredentialHelper(name: name, environment: environment)
        guard case .password(let user, _) = try helper.credential(for: RegistryName.server(of: registry)) else {
            return nil
        }
        return user
    }

    private static func entry(_ login: Login) -> JSON {
        switch login.credential {
        case .password(let user, let password):
            .object(("auth", .string("\(user):\(password)".base64Encoded)))
        case .identityToken(let token):
            .object(("auth", .string("\(login.user):".base64Encoded)), ("identitytoken", .string(token)))
        case .registryToken(let token): .object(("registrytoken", .string(token)))
        }
    }

    /// Writes the file anew and moves it into place: readers find the old one or the new one. A link is followed, mode and
    /// owner stay; a new file is for its owner only.
    private func write(_ json: JSON) throws {
        do {
            let target = try Self.target(of: path)
            guard let name = target.lastComponent else { throw Errno.isDirectory }
            let parent = target.removingLastComponent()
            try Self.makeDirectories(parent)
            let directory = try Directory(opening: parent.string.isEmpty ? "." : parent)
            let before = try directory.statusIfExists(PathBytes(name.string))
            let temporary = PathBytes("\(name.string)\(getpid())")
            do {
                let file = try directory.create(temporary, permissions: 0o600)
                try file.write(json.encoded(.tabs).span)
                if let before {
                    try directory.setPermissions(temporary, before.permissions)
                    if geteuid() == 0 { try directory.setOwner(temporary, before.owner, before.group) }
                }
                try file.synchronize()
                try directory.rename(temporary, to: PathBytes(name.string), in: directory)
            } catch {
                try? directory.unlink(temporary)
                throw error
            }
        } catch {
            throw LoginsError(
                .credentials, "the login cannot be kept in '\(path)'",
                hint: "Make it writable, or name another file with --authfile.", cause: error)
        }
    }

    /// The file behind links.
    private static func target(of path: String) throws -> FilePath {
        guard let resolved = unsafe realpath(path, nil) else {
            guard Errno.current == .noSuchFileOrDirectory else { throw Errno.current }
            return FilePath(path)
        }
        defer { unsafe free(resolved) }
        return unsafe FilePath(String(cString: resolved))
    }

    private static func makeDirectories(_ path: FilePath) throws {
        guard let name = path.lastComponent else { return }
        do {
            _ = try Directory(opening: path)
        } catch let error as LinuxError where error.code == .notFound {
            let parent = path.removingLastComponent()
            try makeDirectories(parent)
            try Directory(opening: parent.string.isEmpty ? "." : parent)
                .makeDirectory(PathBytes(name.string), permissions: 0o700)
        }
    }
}

extension CredentialFile {
    /// Removes all entries for the whole registry, by whatever names; `false` if there are none.
    @discardableResult
    mutating func removeEntries(of registry: String) -> Bool {
        guard case .object(var object) = json, case .object(var auths)? = object["auths"] else { return false }
        let keys = auths.keys.filter { Self.normalised($0) == registry }
        for key in keys { auths[key] = nil }
        object["auths"] = .object(auths)
        json = .object(object)
        return !keys.isEmpty
    }

    /// The registries with entries or helpers of their own.
    fileprivate var registries: Set<String> {
        let keys = ["auths", "credHelpers"].flatMap { json[$0]?.object.map { Array($0.keys) } ?? [] }
        return Set(keys.map(Self.normalised))
    }

    mutating func set(_ entry: JSON, for server: String) {
        var object = json.object ?? JSONObject()
        var auths = object["auths"]?.object ?? JSONObject()
        auths[server] = entry
        object["auths"] = .object(auths)
        json = .object(object)
    }
}
