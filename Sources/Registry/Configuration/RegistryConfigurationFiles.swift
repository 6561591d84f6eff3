import Diagnostics
import Glibc
import Linux
package import OCI
import Synchronization
import SystemPackage

/// The registry configuration of the command line and of the machine's files, read when it is first needed.
package final class RegistryConfigurationFiles: Sendable {
    private let containers: [(file: String, directory: String)]
    private let choices: String?
    private let daemon: [String]
    private let mirrors: [String]
    private let readsMirrorsOnly: Bool
    private let hostFiles: RegistryHostFiles
    private let loaded = Mutex<RegistryConfiguration?>(nil)

    /// No configuration at all.
    package static let none = RegistryConfigurationFiles(containers: [], daemon: [], mirrors: [])

    /// - Parameters:
    ///   - containers: Files in the form of `registries.conf` with their directories of additions. The first file that
    ///     exists counts, and the additions of all in reverse order, so that those of the user come last.
    ///   - choices: The file in the form of `short-name-aliases.conf`, in which Podman notes what users chose.
    ///   - daemon: Files in the form of dockerd's `daemon.json`.
    ///   - mirrors: Mirrors of the command line.
    ///   - readsMirrorsOnly: Whether a registry with such a mirror is read from there only.
    ///   - hostFiles: Files in the form of containerd's `hosts.toml`.
    init(
        containers: [(file: String, directory: String)], choices: String? = nil, daemon: [String], mirrors: [String],
        readsMirrorsOnly: Bool = false, hostFiles: RegistryHostFiles = .none
    ) {
        self.readsMirrorsOnly = readsMirrorsOnly
        self.hostFiles = hostFiles
        self.containers = containers
        self.choices = choices
        self.daemon = daemon
        self.mirrors = mirrors
    }

    /// The files of the user, then those of the machine.
    ///
    /// `isRoot` says whether the user is root of the machine, for whom Podman notes choices in a directory of the machine.
    package convenience init(
        environment: [String: String], mirrors: [String], readsMirrorsOnly: Bool = false,
        isRoot: Bool = geteuid() == 0 && !UserNamespace.isEntered
    ) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let own = variable("XDG_CONFIG_HOME") ?? variable("HOME").map { "\($0)/.config" }
        var containers = (own.map { ["\($0)/containers"] } ?? [])
            .map { (file: "\($0)/registries.conf", directory: "\($0)/registries.conf.d") }
        containers.append((file: "/etc/containers/registries.conf", directory: "/etc/containers/registries.conf.d"))
        let cache = isRoot ? "/var/cache" : variable("XDG_CACHE_HOME") ?? variable("HOME").map { "\($0)/.cache" }
        var choices = cache.map { "\($0)/containers/short-name-aliases.conf" }
        if let named = variable("CONTAINERS_REGISTRIES_CONF") {
            containers = [(named, "\(named).d")]
            // Without any configuration a short name is Docker's.
            if named == "/dev/null" { choices = nil }
        }
        self.init(
            containers: containers, choices: choices,
            daemon: (own.map { ["\($0)/docker/daemon.json"] } ?? []) + ["/etc/docker/daemon.json"],
            mirrors: mirrors, readsMirrorsOnly: readsMirrorsOnly,
            hostFiles: RegistryHostFiles(environment: environment))
    }

    /// The places to read an image from, in order. The servers of a `hosts.toml` stand in the place of the registry.
    ///
    /// Throws ``RegistryError`` `.configuration` and `.blocked`.
    func sources(for reference: ImageReference) throws -> [RegistryConfiguration.Source] {
        let sources = try load().sources(for: reference)
        guard let origin = sources.last, !origin.isMirror else { return sources }
        let wanted: RegistryHost.Capability = reference.digest == nil ? .resolve : .pull
        let hosts = try hostFiles.hosts(of: origin.reference.registry).filter { $0.capabilities.contains(wanted) }
        return hosts.isEmpty ? sources : sources.dropLast() + hosts.map { origin.at($0) }
    }

    /// The place to write an image to: of a `hosts.toml` the first server that takes images.
    ///
    /// Throws ``RegistryError`` `.configuration` and `.blocked`.
    func target(for reference: ImageReference) throws -> RegistryConfiguration.Source {
        let target = try load().target(for: reference)
        let hosts = try hostFiles.hosts(of: target.reference.registry)
        guard !hosts.isEmpty else { return target }
        guard let host = hosts.first(where: { $0.capabilities.contains(.push) }) else {
            throw RegistryError(
                .blocked, "no server of '\(target.reference.registry)' in its hosts.toml has the capability push",
                hint: "Add it there, or push to another registry.")
        }
        return target.at(host)
    }

    /// The images that a name may stand for, in the order in which they are looked for; one unless registries are
    /// searched for it.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    package func candidates(for name: ImageName) throws -> [ImageReference] {
        guard name.shortName != nil else { return [name.reference] }
        return try load().shortNames.candidates(for: name)
    }

    /// Throws ``RegistryError`` `.configuration`.
    func load() throws -> RegistryConfiguration {
        if let loaded = loaded.withLock({ $0 }) { return loaded }
        var configuration = RegistryConfiguration()
        for mirror in mirrors { try configuration.add(option: mirror) }
        configuration.readsMirrorsOnly = readsMirrorsOnly
        var files = containers.lazy.map(\.file).first { (try? FileStatus(of: FilePath($0))) != nil }.map { [$0] } ?? []
        for place in containers.reversed() { files += try Self.additions(in: place.directory) }
        for file in files {
            if let table = try Self.table(file) { try configuration.add(registriesFile: table, path: file) }
        }
        if let choices, let table = try Self.table(choices) {
            try configuration.shortNames.add(choices: table, path: choices)
        }
        for file in daemon {
            guard let bytes = try Self.read(file) else { continue }
            guard let json = try? JSON(parsing: bytes) else {
                throw RegistryError(.configuration, "'\(file)' is not JSON")
            }
            try configuration.add(daemonFile: json)
            break
        }
        loaded.withLock { $0 = configuration }
        return configuration
    }

    private static func additions(in directory: String) throws -> [String] {
        do {
            let names = try Directory(opening: FilePath(directory)).names().map(\.text)
            return names.filter { $0.hasSuffix(".conf") }.sorted().map { "\(directory)/\($0)" }
        } catch let error as LinuxError where error.code == .notFound {
            return []
        } catch {
            throw RegistryError(.configuration, "'\(directory)' cannot be read", cause: error)
        }
    }

    /// The tables of a file of TOML; `nil` if it does not exist.
    private static func table(_ path: String) throws -> JSON? {
        guard let bytes = try read(path) else { return nil }
        do { return try TOML.parse(bytes) } catch let error as TOML.Malformed {
            throw RegistryError(.configuration, "'\(path)' cannot be read: \(error)", cause: error)
        }
    }

    /// The bytes of a file; `nil` if it does not exist.
    private static func read(_ path: String) throws -> [UInt8]? {
        do { return try OwnedDescriptor.open(FilePath(path)).readAll(limit: 4 << 20) } catch let error as LinuxError
            where error.code == .notFound
        {
            return nil
        } catch {
            throw RegistryError(.configuration, "'\(path)' cannot be read", cause: error)
        }
    }
}

extension RegistryConfiguration.Source {
    /// The same image at a server of a `hosts.toml`.
    fileprivate func at(_ host: RegistryHost) -> Self {
        Self(reference: reference, isInsecure: isInsecure, isMirror: !host.isOrigin, host: host)
    }
}
