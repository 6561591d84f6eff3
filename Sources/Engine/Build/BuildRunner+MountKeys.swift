import Diagnostics
import Graph
import Linux
import OCI
import Records
import Trees

extension BuildRunner {
    /// For each mount of a command what it reads, as far as the key depends on it: known before the inputs are run for
    /// files of the context only.
    func mountSources(of run: RunOperation, inputs: [Digest]) async throws -> [Digest?] {
        let trees = try await contexts.trees(of: inputs)
        return try await offload { [journal] in
            try run.mounts.map { mount in
                switch mount {
                case .bind(let bind):
                    if let tree = trees[bind.input] { return try Self.contentKey(of: bind, in: tree, journal) }
                    return Self.pathKey(bind.source, input: inputs[bind.input])
                case .cache(let cache): return cache.seed.map { Self.pathKey(cache.source, input: inputs[$0]) }
                case .tmpfs, .secret, .ssh: return nil
                }
            }
        }
    }

    /// The same by the content of the inputs.
    func mountSources(of run: RunOperation, inputs: [StepResult]) async throws -> [Digest?] {
        var sources: [Digest?] = []
        for mount in run.mounts {
            switch mount {
            case .bind(let bind):
                let input = inputs[bind.input]
                if input.isImage {
                    // Its layers name the files well enough, and need not be unpacked for it.
                    sources.append(Self.pathKey(bind.source, input: chainKey(input.state.diffIDs)))
                } else {
                    let tree = try await sourceTree(input)
                    sources.append(try await offload { [journal] in try Self.contentKey(of: bind, in: tree, journal) })
                }
            case .cache(let cache):
                sources.append(
                    cache.seed.map { Self.pathKey(cache.source, input: chainKey(inputs[$0].state.diffIDs)) })
            case .tmpfs, .secret, .ssh: sources.append(nil)
            }
        }
        return sources
    }

    private static func pathKey(_ path: String, input: Digest) -> Digest {
        var key = KeyHasher("stage-path/1")
        key.add(input)
        key.add(path)
        return key.finish()
    }

    private static func contentKey(of bind: BindMount, in tree: any FileTree, _ journal: KeyIngredientLog) throws
        -> Digest
    {
        var key = KeyHasher("mount/1")
        key.files = FileListing()
        key.add(bind.source)
        let path = PathBytes(String(bind.source.dropFirst()))
        try key.add(contentOf: try bindSource(bind, in: tree), reached: path, in: tree)
        return journal.finish(key)
    }

    /// The file that a mount shows. Links are followed inside the tree.
    static func bindSource(_ bind: BindMount, in tree: any FileTree) throws -> FileNode {
        guard let node = try tree.node(at: tree.resolve(PathBytes(String(bind.source.dropFirst())))) else {
            throw TreesError(
                .sourceNotFound, "failed to calculate checksum of ref: \"\(bind.source)\": not found",
                hint: "Check that the source of the mount exists and is not excluded by the ignore file.")
        }
        return node
    }
}

extension RunMount {
    /// Whether the mount shows files of one of the inputs that are contexts.
    func isBound(from trees: [ContextTree?]) -> Bool {
        if case .bind(let bind) = self { trees[bind.input] != nil } else { false }
    }
}

extension StepResult {
    /// Whether no step of this or a former build made any of it.
    fileprivate var isImage: Bool {
        guard case .files(let state) = self else { return false }
        return state.layers.allSatisfy { $0.created == nil }
    }
}

extension KeyHasher {
    /// How files are mounted, with what they are. The values of secrets, and the contents of caches, count for nothing.
    mutating func add(_ mounts: [RunMount], sources: [Digest?]) {
        add(mounts.count)
        for (mount, source) in zip(mounts, sources) {
            add(definitionOf: mount)
            add(source?.hex)
        }
        note(.mounts, mounts.map(\.summary))
        note(.files, sources.map { $0?.hex })
    }

    private mutating func add(definitionOf mount: RunMount) {
        switch mount {
        case .bind(let bind):
            add("bind")
            add(bind.target)
            add(bind.source)
            add(bind.isReadOnly)
        case .cache(let cache):
            add("cache")
            add(cache.target)
            add(cache.source)
            add(cache.isReadOnly)
            add(cache.keyedID)
            for number in cache.attributes.map({ [$0.mode, $0.uid, $0.gid] }) ?? [] { add(number) }
        case .tmpfs(let tmpfs):
            add("tmpfs")
            add(tmpfs.target)
            add(tmpfs.size ?? 0)
            add(tmpfs.isReadOnly)
        case .secret(let secret):
            add("secret")
            add(secret.id)
            add(secret.target)
            add(secret.variable)
            add(secret.isRequired)
            for number in [secret.mode, secret.uid, secret.gid] { add(number) }
        case .ssh(let ssh):
            add("ssh")
            add(ssh.id)
            add(ssh.target)
            add(ssh.isRequired)
            for number in [ssh.mode, ssh.uid, ssh.gid] { add(number) }
        }
    }
}

extension RunMount {
    /// The mount in the words of the instruction, as far as it counts.
    fileprivate var summary: String {
        func flag(_ text: String, _ isSet: Bool) -> String { isSet ? ",\(text)" : "" }
        func owned(_ mode: UInt32, _ uid: UInt32, _ gid: UInt32) -> String {
            ",mode=\(String(mode, radix: 8)),uid=\(uid),gid=\(gid)"
        }
        switch self {
        case .bind(let bind):
            return "type=bind,target=\(bind.target),source=\(bind.source)" + flag("rw", !bind.isReadOnly)
        case .cache(let cache):
            let id = cache.keyedID
            return "type=cache,target=\(cache.target)" + (cache.source == "/" ? "" : ",source=\(cache.source)")
                + (id.isEmpty ? "" : ",id=\(id)") + flag("ro", cache.isReadOnly)
                + (cache.attributes.map { owned($0.mode, $0.uid, $0.gid) } ?? "")
        case .tmpfs(let tmpfs):
            return "type=tmpfs,target=\(tmpfs.target)" + (tmpfs.size.map { ",size=\($0)" } ?? "")
                + flag("ro", tmpfs.isReadOnly)
        case .secret(let secret):
            return "type=secret,id=\(secret.id)" + (secret.target.map { ",target=\($0)" } ?? "")
                + (secret.variable.map { ",env=\($0)" } ?? "") + flag("required", secret.isRequired)
                + owned(secret.mode, secret.uid, secret.gid)
        case .ssh(let ssh):
            return "type=ssh,id=\(ssh.id),target=\(ssh.target)" + flag("required", ssh.isRequired)
                + owned(ssh.mode, ssh.uid, ssh.gid)
        }
    }
}

extension CacheMount {
    /// The part of a cache's name that counts, by BuildKit's rule: a cache under a name of the user's own may be
    /// renamed, one that is named by its place may not.
    fileprivate var keyedID: String {
        let name = id.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first ?? ""
        let isDefault = name == target || (id == target && sharing == .shared)
        return isDefault ? "\(id) \(sharing.rawValue)" : ""
    }
}
