import Contexts
import Diagnostics
import Graph
import Linux
import OCI
import Records
import Requests
import Trees

extension RunStep {
    func definitionKey(inputs: [Digest]) async throws -> Digest {
        let trees = try await contexts.trees(of: inputs)
        let sources = try await offload { [self] in
            try operation.mounts.map { mount -> Digest? in
                switch mount {
                case .bind(let bind):
                    guard let tree = trees[bind.input] else {
                        return KeyHasher.path(bind.source, in: inputs[bind.input])
                    }
                    return try filesKey(of: bind, in: tree)
                case .cache(let cache): return cache.seed.map { KeyHasher.path(cache.source, in: inputs[$0]) }
                case .tmpfs, .secret, .ssh: return nil
                }
            }
        }
        keys.note(
            defined: zip(operation.mounts, sources).map { $0.isBound(from: trees) ? $1 : nil }, of: vertex)
        return key(base: inputs[0], sources: sources)
    }

    func contentKey(inputs: [StepResult]) async throws -> Digest {
        var sources: [Digest?] = []
        for mount in operation.mounts {
            switch mount {
            case .bind(let bind):
                let input = inputs[bind.input]
                if input.isImage {
                    // Its layers name the files well enough, and need not be unpacked for it.
                    sources.append(KeyHasher.path(bind.source, in: Self.chainKey(input)))
                } else {
                    let tree = try await files.tree(of: input)
                    sources.append(try await offload { [self] in try filesKey(of: bind, in: tree) })
                }
            case .cache(let cache):
                sources.append(cache.seed.map { KeyHasher.path(cache.source, in: Self.chainKey(inputs[$0])) })
            case .tmpfs, .secret, .ssh: sources.append(nil)
            }
        }
        keys.compare(found: sources, of: vertex)
        return key(base: Self.chainKey(inputs[0]), sources: sources)
    }

    private static func chainKey(_ input: StepResult) -> Digest { KeyHasher.layers(input.state.diffIDs).finish() }

    private func filesKey(of bind: BindMount, in tree: any FileTree) throws -> Digest {
        var key = KeyHasher("mount/1")
        key.files = FileListing()
        key.add(bind.source)
        let path = PathBytes(String(bind.source.dropFirst()))
        try key.add(contentOf: try bind.node(in: tree), reached: path, in: tree)
        return ingredients.finish(key)
    }

    private func key(base: Digest, sources: [Digest?]) -> Digest {
        let run = operation
        var key = KeyHasher("run/2")
        key.add(base, as: .base)
        key.add(run.arguments, as: .command)
        key.add(run.environment)
        key.note(.environment, run.environment.map(Redaction.variable))
        key.note(.arguments, run.argumentNames)
        key.add(run.user, as: .user)
        key.add(run.workingDirectory, as: .directory)
        key.add(run.network.rawValue, as: .network)
        // Only where there are any: without them the key is what it was before they could be given.
        if !run.hostNames.isEmpty { key.add(run.hostNames) }
        if let hostname = run.hostname { key.add("hostname=\(hostname)", as: .network) }
        for script in run.scripts {
            key.add(script.name)
            key.add(script.content)
        }
        key.note(.scripts, run.scripts.map { String(decoding: $0.content, as: UTF8.self) })
        key.add(run.mounts, sources: sources)
        // Only what is not as usual, so that the keys of all other steps stay what they are.
        let unusual =
            commands.request.keyParts(of: run) + commands.steps.ignoredPaths.map { "without \($0.text)" }
        if !unusual.isEmpty { key.add(unusual, as: .sandbox) }
        return ingredients.finish(key)
    }
}

extension BindMount {
    /// The file that a mount shows. Links are followed inside the tree.
    ///
    /// - Throws: `TreesError` `.sourceNotFound`.
    func node(in tree: any FileTree) throws -> FileNode {
        guard let node = try tree.node(at: tree.resolve(PathBytes(String(source.dropFirst())))) else {
            throw TreesError(
                .sourceNotFound, "failed to calculate checksum of ref: \"\(source)\": not found",
                hint: "Check that the source of the mount exists and is not excluded by the ignore file.")
        }
        return node
    }
}
