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

/// Prepares the mounts of a command.
struct StepMounts: Sendable {
    let commands: CommandEnvironment
    let files: InputFiles
    let store: StoreRoot

    /// Prepares all mounts of a command.
    ///
    /// Caches come last, in one order for all commands: so none holds one cache that another waits for while it waits
    /// for one that the other holds.
    func prepare(_ run: RunOperation, inputs: [StepResult]) async throws -> PreparedMounts {
        let isolation = commands.isolation
        let isMounted = try await offload { try isolation.mode() } != .chroot
        let copies = try await offload {
            try inputs.map { try isolation.copiesMounts(ofLayers: $0.state.count) }
        }
        var prepared = PreparedMounts()
        var caches: [CacheRequest] = []
        for mount in run.mounts {
            switch mount {
            case .bind(let bind)
            where copies[bind.input] && !(isMounted && bind.isReadOnly && inputs[bind.input].isContext):
                try await addCopy(of: bind, inputs[bind.input], isMounted: isMounted, to: &prepared)
            case .bind(let bind): try await add(bind, of: inputs[bind.input], to: &prepared)
            case .cache(let cache):
                caches.append(
                    CacheRequest(cache, seed: cache.seed.map { inputs[$0].state }, isInTree: !isMounted))
            case .tmpfs(let tmpfs):
                prepared.mounts.append(
                    SandboxMount(
                        target: FilePath(tmpfs.target), source: .temporary(size: tmpfs.size),
                        isReadOnly: tmpfs.isReadOnly))
            case .secret(let secret): try await add(secret, to: &prepared)
            case .ssh(let ssh): try await add(ssh, to: &prepared)
            }
        }
        try await add(commands.steps.volumes.volumes, to: &prepared)
        try await add(caches, to: &prepared)
        // After the caches: a command that has its turn waits for nothing.
        if try await offload({ try isolation.needsTurns() }) {
            prepared.held.append(try await ChrootTurn.wait(in: store))
        }
        return prepared
    }

    // MARK: Secrets and agents

    private func add(_ secret: SecretMount, to prepared: inout PreparedMounts) async throws {
        let value = try await offload { [commands] in try commands.credentials.value(of: secret) }
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
        guard let socket = try await offload({ [commands] in try commands.credentials.socket(of: ssh) }) else { return }
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
            let tree = try await files.tree(of: state)
            _ = try await offload { try bind.node(in: tree) }
            let directories = tree.directories
            if !directories.isEmpty { return (directories.reversed(), FilePath(bind.source)) }
            let empty = try await offload { [store] in try store.temporaryDirectory() }
            prepared.held.append(empty)
            return ([empty.path], "/")
        case .context(let tree):
            let (node, isPlain) = try await offload {
                let node = try bind.node(in: tree)
                return (node, try tree.isPlain(node.path))
            }
            if isPlain { return ([FileSystem.absolute(tree.path)], FilePath(bind.source)) }
            let copy = try await commands.copies.copy(of: node, in: tree)
            prepared.held.append(copy)
            return ([copy.path], node.isDirectory ? "/" : "/file")
        case .remoteFile:
            throw EngineError(
                .unsupported, "a file of the web cannot be mounted", hint: "ADD it in a stage of its own.")
        }
    }

    /// Adds a bind mount as a copy, which is the command's own: what it writes there is lost either way.
    private func addCopy(
        of bind: BindMount, _ input: StepResult, isMounted: Bool, to prepared: inout PreparedMounts
    ) async throws {
        let tree = try await files.tree(of: input)
        let directory = try await offload { [store] in
            let node = try bind.node(in: tree)
            let directory = try store.temporaryDirectory()
            var copy = try TreeCopy(of: tree, into: directory.path)
            copy.makesDevices = false
            try copy.copy(node, to: "copy")
            return directory
        }
        prepared.held.append(directory)
        let (target, copy) = (FilePath(bind.target), directory.path.appending("copy"))
        if isMounted {
            prepared.mounts.append(SandboxMount(target: target, source: .bind(copy), isReadOnly: bind.isReadOnly))
        } else {
            prepared.substitutes.append(
                ChrootSubstitute(target: target, content: .moved(copy), isReadOnly: bind.isReadOnly))
        }
    }
}
