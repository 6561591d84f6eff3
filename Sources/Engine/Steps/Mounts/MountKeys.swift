import Diagnostics
import Graph
import OCI
import Records
import Trees

extension RunMount {
    /// Whether the mount shows files of one of the inputs that are contexts.
    func isBound(from trees: [ContextTree?]) -> Bool {
        if case .bind(let bind) = self { trees[bind.input] != nil } else { false }
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
