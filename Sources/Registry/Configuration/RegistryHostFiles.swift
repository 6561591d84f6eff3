import Diagnostics
import Linux
import OCI
import Synchronization
import SystemPackage

/// The `hosts.toml` files of registries, in directories named by them.
package final class RegistryHostFiles: Sendable {
    private let parents: [String]
    private let known = Mutex<[String: [RegistryHost]]>([:])

    /// No file at all.
    package static let none = RegistryHostFiles(parents: [])

    /// - Parameter parents: Directories that have one for each registry; the first that has a file for it counts.
    init(parents: [String]) { self.parents = parents }

    /// The directories of the user, then those of the machine.
    package convenience init(environment: [String: String]) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let configuration = variable("XDG_CONFIG_HOME") ?? variable("HOME").map { "\($0)/.config" }
        let own = configuration.map { ["\($0)/containerd/certs.d", "\($0)/docker/certs.d"] } ?? []
        self.init(parents: own + ["/etc/containerd/certs.d", "/etc/docker/certs.d"])
    }

    /// The servers for a registry in the order of its file, itself at last; none where there is no file.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    func hosts(of registry: String) throws -> [RegistryHost] {
        if let known = known.withLock({ $0[registry] }) { return known }
        let hosts = try find(registry)
        known.withLock { $0[registry] = hosts }
        return hosts
    }

    private func find(_ registry: String) throws -> [RegistryHost] {
        let parts = registry.split(separator: ":", maxSplits: 1).map(String.init)
        let named = parts.count == 2 ? ["\(parts[0])_\(parts[1])_", registry, parts[0]] : [registry]
        for parent in parents {
            for name in named + ["_default"] {
                let directory = "\(parent)/\(name)"
                guard let bytes = try Self.read("\(directory)/hosts.toml") else { continue }
                do {
                    return try RegistryHost.hosts(in: TOML.parse(bytes), of: registry, directory: directory) { path in
                        guard let bytes = try Self.read(path) else {
                            throw RegistryError(
                                .configuration, "'\(path)', which '\(directory)/hosts.toml' names, is missing")
                        }
                        return bytes
                    }
                } catch let error as TOML.Malformed {
                    throw RegistryError(
                        .configuration, "'\(directory)/hosts.toml' cannot be read: \(error)", cause: error)
                }
            }
        }
        return []
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
