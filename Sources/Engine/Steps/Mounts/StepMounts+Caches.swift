import Asynchrony
import Caching
import Contexts
import Diagnostics
import Execution
import Graph
import Images
import Layers
import Linux
import OCI
import Requests
import Sandbox
import Store
import SystemPackage
import Trees

/// A cache mount, with the name that its directory has in the store.
struct CacheRequest: Sendable {
    let mount: CacheMount
    let seed: LayerStack?
    /// Whether the directory itself goes into the file system of the command, so that no other command can use it.
    let isInTree: Bool
    let key: Digest

    init(_ mount: CacheMount, seed: LayerStack?, isInTree: Bool) {
        self.mount = mount
        self.seed = seed
        self.isInTree = isInTree
        var key = KeyHasher("cache-mount/1")
        key.add(mount.id)
        // A directory that started with something else is another one.
        key.add(seed.map { $0.diffIDs.map(\.description) } ?? [])
        key.add(seed == nil ? "" : mount.source)
        for number in mount.attributes.map({ [$0.mode, $0.uid, $0.gid] }) ?? [] { key.add(number) }
        self.key = key.finish()
    }

    var name: String { mount.id.hasPrefix("/") ? String(mount.id.dropFirst()) : mount.id }

    var access: CacheMountStore.Access {
        switch mount.sharing {
        case .shared: isInTree ? .locked : .shared
        case .private: .private
        case .locked: .locked
        }
    }
}

extension StepMounts {
    /// Mounts of one cache in one command show one directory.
    func add(_ requests: [CacheRequest], to prepared: inout PreparedMounts) async throws {
        var leases: [Digest: CacheMountLease] = [:]
        for key in Set(requests.map(\.key)).sorted(by: { $0.hex < $1.hex }) {
            let same = requests.filter { $0.key == key }
            // The most that is asked for holds for all of them.
            guard
                let request = same.first(where: { $0.access == .locked })
                    ?? same.first(where: { $0.access == .private }) ?? same.first
            else { continue }
            let lease = try await acquire(request)
            leases[key] = lease
            prepared.held.append(lease)
        }
        for request in requests {
            guard let lease = leases[request.key] else { continue }
            let mount = request.mount
            // What a seeded directory has is the source already.
            let path = mount.seed == nil ? FilePath(mount.source) : "/"
            try Self.requireSource(path, in: lease.path)
            if request.isInTree {
                try prepared.add(mount, from: lease.path, path)
                continue
            }
            prepared.mounts.append(
                SandboxMount(
                    target: FilePath(mount.target), source: .tree(.directory(lease.path), path: path),
                    isReadOnly: mount.isReadOnly))
        }
    }

    private static func requireSource(_ path: FilePath, in directory: FilePath) throws {
        do {
            _ = try Directory(opening: directory).open(PathBytes(path.string), resolving: .inRoot)
        } catch let error as LinuxError where error.code == .notFound {
            throw EngineError(
                .mountFailed, "the cache has no \"\(path)\"",
                hint: "Mount the whole cache first and make it, or leave the source out.", cause: error)
        }
    }

    /// Waits for a cache that is locked by another command, of this build or any other.
    private func acquire(_ request: CacheRequest) async throws -> CacheMountLease {
        let seed: (any FileTree)? =
            if let state = request.seed { try await files.tree(of: state) } else { nil }
        return try await LockWaiter.wait {
            try await offload { [store] in
                try store.cacheMounts.acquire(request.key, named: request.name, request.access) { path in
                    try Self.prepare(path, request.mount, seed: seed)
                }
            }
        }
    }

    /// The contents of a new cache before the first command sees it.
    private static func prepare(_ path: FilePath, _ mount: CacheMount, seed: (any FileTree)?) throws {
        if let seed {
            guard let node = try seed.node(at: seed.resolve(PathBytes(String(mount.source.dropFirst())))),
                node.isDirectory
            else {
                throw TreesError(
                    .sourceNotFound, "failed to calculate checksum of ref: \"\(mount.source)\": not found",
                    hint: "Check that the source of the cache is a directory there.")
            }
            var copy = try TreeCopy(of: seed, into: path)
            try copy.fill(from: node)
        }
        guard let attributes = mount.attributes else { return }
        let directory = try Directory(opening: path)
        try directory.setOwner(".", attributes.uid, attributes.gid)
        try directory.setPermissions(".", attributes.mode)
    }
}
