import Diagnostics
package import Frontend
package import Graph
import Layers
import Linux
import OCI
package import Requests
import Solver
import Store
import Trees

/// Finds out which moment stands for the time of a build, where its user names something that has one.
package struct BuildEpoch: Sendable {
    package let remotes: RemoteSources
    package let inputs: BuildInputs
    package let context: BuildContext

    package init(remotes: RemoteSources, inputs: BuildInputs, context: BuildContext) {
        self.remotes = remotes
        self.inputs = inputs
        self.context = context
    }

    /// In seconds since 1970; `nil` where the source is silent.
    package func seconds(of source: EpochSource) async throws -> Int64? {
        switch source {
        case .none: nil
        case .seconds(let seconds): seconds
        case .context: try await timeOfContext()
        case .namedContext(let name): try await time(ofContext: name)
        case .file(let source, let label): try await time(of: source, label: label)
        case .repository(let source, let label): try await time(of: source, label: label)
        }
    }

    /// A directory has no time.
    private func timeOfContext() async throws -> Int64? {
        guard case .git(let source, let label)? = inputs.context else { return context.time }
        return try await time(of: source, label: label)
    }

    private func time(ofContext name: String) async throws -> Int64? {
        switch inputs.contexts.last(where: { $0.name == name })?.content {
        case .git(let source, let label): try await time(of: source, label: label)
        case .file(let source):
            try await time(of: source, label: "[context \(name)] \(RemoteContext.http(source).label)")
        case .directory, .image, .layout, nil: nil
        }
    }

    /// Newest member's mtime for archives, otherwise Last-Modified.
    package func time(of source: HTTPSource, label: String) async throws -> Int64? {
        let file = try await remotes.file(source, label: label)
        let newest = try await offload { [store = remotes.store] () -> Int64? in
            guard let content = try store.content.open(file.digest) else { return nil }
            return try Self.newestFile(of: content)
        }
        return newest ?? file.modified
    }

    /// `nil` for what is no archive, or has no files.
    private static func newestFile(of content: consuming OwnedDescriptor) throws -> Int64? {
        var newest: Int64?
        do {
            var reader = try LayerReader(DescriptorStream(content), readsMarks: false, computesDigest: false)
            while let entry = try reader.next() {
                guard entry.kind == .regular else { continue }
                newest = max(newest ?? entry.modified.seconds, entry.modified.seconds)
            }
        } catch is LayerError {
            return newest
        }
        return newest
    }

    /// The time of the commit, which never changes and so is asked for once.
    private func time(of source: GitSource, label: String) async throws -> Int64 {
        let commit = try await remotes.commit(of: source)
        var hasher = KeyHasher("git-time/1")
        hasher.add(commit.hash)
        let key = hasher.finish()
        let known = try await offload { [store = remotes.store] in try store.cache.record(for: key)?.result }
        if let known = known.flatMap({ Int64($0) }) { return known }
        return try await remotes.progress.step(label) { step in
            let repository = try remotes.repository(source)
            let seconds = try await repository.fetchTime(of: commit, step: step)
            try await offload { [store = remotes.store] in
                try store.cache.save(
                    CacheRecord(key: key, kind: "git", description: label, result: "\(seconds)", createdAt: .now))
            }
            return seconds
        }
    }
}
