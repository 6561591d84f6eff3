import Caching
import Execution
import Contexts
import Requests
import Diagnostics
import Graph
import Images
import Layers
import Linux
import OCI
import Sandbox
import Store
import SystemPackage
import Trees

extension BuildRunner {
    /// Prepares all mounts of a command.
    ///
    /// Caches come last, in one order for all commands: so none holds one cache that another waits for while it waits
    /// for one that the other holds.
    func mounts(of run: RunOperation, inputs: [StepResult]) async throws -> PreparedMounts {
        let isolation = sandbox.isolation
        let (mode, copies) = try await offload { (try isolation.mode(), try isolation.copiesMounts()) }
        let isMounted = mode != .chroot
        var prepared = PreparedMounts()
        var caches: [CacheRequest] = []
        for mount in run.mounts {
            switch mount {
            case .bind(let bind) where copies && !(isMounted && bind.isReadOnly && inputs[bind.input].isContext):
                try await addCopy(of: bind, inputs[bind.input], isMounted: isMounted, to: &prepared)
            case .bind(let bind): try await add(bind, of: inputs[bind.input], to: &prepared)
            case .cache(let cache):
                caches.append(
                    CacheRequest(cache, seed: cache.seed.map { inputs[$0].state }, isLent: !isMounted))
            case .tmpfs(let tmpfs):
                prepared.mounts.append(
                    SandboxMount(
                        target: FilePath(tmpfs.target), source: .temporary(size: tmpfs.size),
                        isReadOnly: tmpfs.isReadOnly))
            case .secret(let secret): try await add(secret, to: &prepared)
            case .ssh(let ssh): try await add(ssh, to: &prepared)
            }
        }
        try await add(sandbox.steps.volumes.volumes, to: &prepared)
        try await add(caches, to: &prepared)
        // After the caches: a command that has its turn waits for nothing.
        if try await offload({ try isolation.needsTurns() }) {
            prepared.held.append(try await ChrootTurn.wait(in: store))
        }
        return prepared
    }

    // MARK: Secrets and agents

    private func add(_ secret: SecretMount, to prepared: inout PreparedMounts) async throws {
        let value = try await offload { [credentials] in try credentials.value(of: secret) }
        if let variable = secret.variable {
            guard let text = String(validating: value ?? [], as: UTF8.self) else {
                throw EngineError(
                    .badSecret,
                    "the secret '\(secret.id)' is not valid UTF-8, so it cannot be the variable \(variable)",
                    hint: "Mount it as a file.")
            }
            prepared.variables.append((variable, text))
        }
        guard let value, let target = secret.target else { return }
        let isProgram = secret.mode & 0o111 != 0
        prepared.mounts.append(
            SandboxMount(
                target: FilePath(target),
                source: .file(content: value, permissions: secret.mode, owner: secret.uid, group: secret.gid),
                isReadOnly: true, flags: isProgram ? [.noSetuid, .noDevices] : [.noSetuid, .noDevices, .noExecute]))
    }

    private func add(_ ssh: SSHMount, to prepared: inout PreparedMounts) async throws {
        guard let socket = try await offload({ [credentials] in try credentials.socket(of: ssh) }) else { return }
        let (directory, relay) = try await offload { [store] in
            let directory = try store.temporaryDirectory()
            let opened = try Directory(opening: directory.path)
            let relay = try SocketRelay("agent", in: opened, to: socket)
            try opened.setOwner("agent", ssh.uid, ssh.gid)
            try opened.setPermissions("agent", ssh.mode)
            return (directory, relay)
        }
        prepared.held += [directory, relay]
        prepared.mounts.append(
            SandboxMount(
                target: FilePath(ssh.target), source: .bind(directory.path.appending("agent")), isReadOnly: true,
                flags: [.noSetuid, .noDevices, .noExecute]))
    }

    // MARK: Files

    private func add(_ volumes: [HostVolume], to prepared: inout PreparedMounts) async throws {
        for volume in volumes {
            let (mount, directory) = try await offload { [store] in try volume.mount(in: store) }
            prepared.mounts.append(mount)
            if let directory { prepared.held.append(directory) }
        }
    }

    private func add(_ bind: BindMount, of input: StepResult, to prepared: inout PreparedMounts) async throws {
        let (layers, path) = try await layers(of: bind, input, &prepared)
        let tree: SandboxTree
        if bind.isReadOnly {
            tree = layers.count == 1 ? .directory(layers[0]) : .layers(layers)
        } else {
            let (directory, writable) = try await offload { [store] in
                let directory = try store.temporaryDirectory()
                return (directory, try SandboxTree.discarding(over: layers, in: directory.path))
            }
            prepared.held.append(directory)
            tree = writable
        }
        prepared.mounts.append(
            SandboxMount(
                target: FilePath(bind.target), source: .tree(tree, path: path), isReadOnly: bind.isReadOnly))
    }

    /// The directories that show the source of a mount, top first and never none, and the path of the source in them.
    private func layers(
        of bind: BindMount, _ input: StepResult, _ prepared: inout PreparedMounts
    ) async throws -> ([FilePath], FilePath) {
        switch input {
        case .files(let state):
            let directories = try await snapshots.all(of: state.diffIDs).map(\.directory)
            try await offload { [trees] in
                let tree = try trees.tree(of: state.diffIDs)
                _ = try Self.bindSource(bind, in: LayerFileTree(tree: tree, directories: directories))
            }
            if !directories.isEmpty { return (directories.reversed(), FilePath(bind.source)) }
            let empty = try await offload { [store] in try store.temporaryDirectory() }
            prepared.held.append(empty)
            return ([empty.path], "/")
        case .context(let tree):
            let (node, isPlain) = try await offload {
                let node = try Self.bindSource(bind, in: tree)
                return (node, try tree.isPlain(node.path))
            }
            if isPlain { return ([FileSystem.absolute(tree.path)], FilePath(bind.source)) }
            let copy = try await copies.copy(of: node, in: tree)
            prepared.held.append(copy)
            return ([copy.path], node.isDirectory ? "/" : "/file")
        case .remoteFile:
            throw EngineError(
                .unsupported, "a file of the web cannot be mounted", hint: "ADD it in a stage of its own.")
        }
    }
}

// MARK: - Caches

/// A cache mount, with the name that its directory has in the store.
private struct CacheRequest: Sendable {
    let mount: CacheMount
    let seed: LayerStack?
    /// Whether the directory itself goes into the file system of the command, so that nobody else can use it.
    let isLent: Bool
    let key: Digest

    init(_ mount: CacheMount, seed: LayerStack?, isLent: Bool) {
        self.mount = mount
        self.seed = seed
        self.isLent = isLent
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
        case .shared: isLent ? .locked : .shared
        case .private: .private
        case .locked: .locked
        }
    }
}

extension BuildRunner {
    /// Mounts of one cache in one command show one directory.
    private func add(_ requests: [CacheRequest], to prepared: inout PreparedMounts) async throws {
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
            if request.isLent {
                try prepared.add(mount, lentFrom: lease.path, path)
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
            if let state = request.seed { try await sourceTree(.files(state)) } else { nil }
        while true {
            let lease = try await offload { [store] in
                try store.cacheMounts.acquire(request.key, named: request.name, request.access) { path in
                    try Self.prepare(path, request.mount, seed: seed)
                }
            }
            if let lease { return lease }
            try await Task.sleep(for: .milliseconds(100))
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
