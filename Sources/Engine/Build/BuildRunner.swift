import DockerfileSyntax
import Graph
import Images
import Layers
import Linux
import OCI
import Records
import Registry
import Solver
import Store
import SystemPackage
import Trees

/// Knows what each operation of a build does: the other half of the solver.
struct BuildRunner: OperationRunner {
    let store: StoreRoot
    let storage: LayerStorage
    let trees: LayerTreeCache
    let snapshots: SnapshotUnpacker
    let workingTrees: WorkingTreePool
    let supply: LayerFetcher
    let layerProgress: LayerProgress
    let imports: CacheImports
    /// The definition keys of the steps.
    let keys = CacheKeyTracker()
    let contexts: ContextTreeCache
    /// The time of files and history entries made now: `SOURCE_DATE_EPOCH`, else the start of the build.
    let now: Timestamp
    let sandbox: SandboxSettings
    let credentials: BuildCredentials
    let copies: ContextCopyPool
    let remotes: RemoteSources
    let journal: KeyIngredientLog
    let uses = UsedRecords()
    /// Steps that were run before count for nothing; `nil` takes a result of any age.
    let oldest: Timestamp?

    func isVisible(_ vertex: Vertex) -> Bool {
        switch vertex.operation {
        case .scratch, .context: false
        case .http(let source): !remotes.hasShown(source)
        case .image, .git, .run, .copy, .makeDirectory: true
        }
    }

    // MARK: Keys

    func definitionKey(of vertex: Vertex, inputs: [Digest]) async throws -> Digest {
        let key = try await key(of: vertex, inputs: inputs)
        uses.add(key)
        keys.note(key, of: vertex.id)
        return key
    }

    private func key(of vertex: Vertex, inputs: [Digest]) async throws -> Digest {
        switch vertex.operation {
        case .scratch: return KeyHasher("scratch/1").finish()
        case .image(let image): return imageKey(image)
        case .context(let context): return ContextTreeCache.key(context)
        case .http(let source): return try await key(of: source, label: vertex.label)
        case .git(let source): return try await key(of: source)
        case .run(let run):
            let sources = try await mountSources(of: run, inputs: inputs)
            let trees = try await contexts.trees(of: inputs)
            keys.note(defined: zip(run.mounts, sources).map { $0.isBound(from: trees) ? $1 : nil }, of: vertex.id)
            return runKey(run, base: inputs[0], sources: sources)
        case .makeDirectory(let directory): return directoryKey(directory, base: inputs[0])
        case .copy(let copy):
            let trees = try await contexts.trees(of: inputs)
            let sources = try await offload { [journal] in
                try copy.sources.map { source -> Digest? in
                    guard case .path(let word, let input) = source, let tree = trees[input] else { return nil }
                    return try Self.contentKey(of: word, copy, in: tree, journal)
                }
            }
            return copyKey(
                copy, base: inputs[0],
                sources: zip(copy.sources, sources).map { source, content in
                    guard case .path(let word, let input) = source else { return nil }
                    if let content { return content }
                    // A stage's files are not looked at before it is known whether they are needed.
                    var key = KeyHasher("stage-path/1")
                    key.add(inputs[input])
                    key.add(word)
                    if SourceMatcher.dependsOnOrder(word) { key.add("walk") }
                    return key.finish()
                })
        }
    }

    func contentKey(of vertex: Vertex, inputs: [StepResult]) async throws -> Digest {
        let base = chainKey(inputs.first?.state.diffIDs ?? [])
        switch vertex.operation {
        case .scratch, .image, .context, .http, .git: return try await key(of: vertex, inputs: [])
        case .run(let run):
            let sources = try await mountSources(of: run, inputs: inputs)
            keys.compare(found: sources, of: vertex.id)
            return runKey(run, base: base, sources: sources)
        case .makeDirectory(let directory): return directoryKey(directory, base: base)
        case .copy(let copy):
            var sources: [Digest?] = []
            for source in copy.sources {
                guard case .path(let word, let input) = source else {
                    sources.append(nil)
                    continue
                }
                let tree = try await sourceTree(inputs[input])
                sources.append(
                    try await offload { [journal] in try Self.contentKey(of: word, copy, in: tree, journal) })
            }
            return copyKey(copy, base: base, sources: sources)
        }
    }

    func chainKey(_ diffIDs: [DiffID]) -> Digest {
        var key = KeyHasher("layers/1")
        key.add(diffIDs.map(\.description))
        return key.finish()
    }

    private func imageKey(_ image: ImageSource) -> Digest {
        var key = KeyHasher("layers/1")
        key.add(image.diffIDs.map(\.description))
        key.note(.image, image.reference.with(tag: image.reference.tag, digest: nil).familiar)
        key.note(.digest, (image.reference.digest ?? image.imageID).description)
        return journal.finish(key)
    }

    private func runKey(_ run: RunOperation, base: Digest, sources: [Digest?]) -> Digest {
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
        let unusual = sandbox.request.keyParts(of: run)
        if !unusual.isEmpty { key.add(unusual, as: .sandbox) }
        return journal.finish(key)
    }

    private func directoryKey(_ directory: MakeDirectoryOperation, base: Digest) -> Digest {
        var key = KeyHasher("directory/1")
        key.add(base, as: .base)
        key.add(directory.path, as: .destination)
        key.add(directory.owner, as: .owner)
        return journal.finish(key)
    }

    private func copyKey(_ copy: CopyOperation, base: Digest, sources: [Digest?]) -> Digest {
        var key = KeyHasher("copy/1")
        key.add(base, as: .base)
        key.add(definitionOf: copy)
        for source in sources { key.add(source?.hex) }
        key.note(.files, sources.map { $0?.hex })
        return journal.finish(key)
    }

    private static func contentKey(
        of word: String, _ copy: CopyOperation, in tree: any FileTree, _ journal: KeyIngredientLog
    ) throws -> Digest {
        func compute() throws -> Digest {
            let matches = try SourceMatcher(tree: tree, keepsParents: copy.keepsParents).matches(word)
            let excludes = try IgnoreRules(patterns: copy.excludes)
            var key = KeyHasher("files/1")
            key.files = FileListing()
            try key.add(contentOf: matches, in: tree, excludes: excludes)
            return journal.finish(key)
        }
        guard let context = tree as? ContextTree else { return try compute() }
        let selection = ContextSelection(word: word, keepsParents: copy.keepsParents, excludes: copy.excludes)
        return try context.key(of: selection, compute: compute)
    }

    // MARK: Records

    func cached(_ key: Digest, for vertex: Vertex) async throws -> StepResult? {
        switch vertex.operation {
        case .scratch, .image, .context: return nil
        case .http, .git, .run, .copy, .makeDirectory: break
        }
        guard let record = try await offload({ [self] in try record(for: key) }) else { return nil }
        if let oldest, record.createdAt < oldest { return nil }
        uses.add(record)
        if case .http(let source) = vertex.operation {
            return RemoteFile(decoding: record.result).map {
                .remoteFile(RemoteFileTree(source: source, file: $0, store: store))
            }
        }
        return LayerStack(decoding: record.result).map { .files($0) }
    }

    /// The result known under a key, here or in a cache that the build may read.
    func record(for key: Digest) throws -> CacheRecord? {
        try store.cache.record(for: key) ?? imports.adopt(key, into: store, without: supply.gone)
    }

    func save(_ result: StepResult, under keys: [Digest], for vertex: Vertex) async throws {
        let kind: String
        switch vertex.operation {
        case .scratch, .image, .context: return
        case .http: kind = "http"
        case .git: kind = "git"
        case .run: kind = "run"
        case .copy: kind = "copy"
        case .makeDirectory: kind = "directory"
        }
        uses.noteGrowth()
        let state = result.state
        let time = Timestamp.now
        let valid = self.keys.valid(keys, of: vertex.id)
        try await offload { [store] in
            for key in valid {
                try store.cache.save(
                    CacheRecord(
                        key: key, kind: kind, description: vertex.label, result: result.encoded,
                        diffIDs: state.diffIDs, blobs: result.blobs, createdAt: time, lastUsed: time))
            }
        }
    }

    func claim(_ content: Digest, for vertex: Vertex) async throws -> StepClaim {
        switch vertex.operation {
        case .scratch, .image, .context: .granted(nil)
        case .http, .git, .run, .copy, .makeDirectory:
            try await offload { [store] in
                try store.claims.attempt(content).map { .granted($0) } ?? .busy
            }
        }
    }

    func isComputing(_ vertex: Vertex) -> Bool {
        switch vertex.operation {
        case .scratch, .context, .copy, .makeDirectory: true
        case .image, .http, .git, .run: false
        }
    }

    // MARK: Operations

    func run(_ vertex: Vertex, inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        let result = try await NetworkNotice.heard(by: step.notice) {
            try await perform(vertex, inputs: inputs, step: step)
        }
        try await offload { [self] in try noteSize(of: result, vertex, step: step.id) }
        return result
    }

    /// Notes how much went through a step. What a command reads is not counted.
    private func noteSize(of result: StepResult, _ vertex: Vertex, step: StepID) throws {
        switch (vertex.operation, result) {
        case (.scratch, _), (.image, _), (.context, _), (_, .context): return
        case (.http, .remoteFile(let tree)):
            journal.note(bytesIn: tree.file.size, bytesOut: tree.file.size, of: step)
        case (.run, _), (.copy, _), (.makeDirectory, _), (.git, _), (.http, _):
            guard let layer = result.state.diffIDs.last, let record = try store.layers.layer(layer) else { return }
            var bytesIn: Int64?
            if case .copy = vertex.operation { bytesIn = record.contentSize }
            journal.note(bytesIn: bytesIn, bytesOut: record.contentSize, of: step)
        }
    }

    private func perform(_ vertex: Vertex, inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        switch vertex.operation {
        case .scratch: return .files(LayerStack())
        case .context(let context): return .context(try await contexts.tree(context))
        case .image(let image):
            if image.reference.digest != nil { step.status("resolve \(image.reference)", isComplete: true) }
            layerProgress.register(image.diffIDs, for: step)
            return .files(
                LayerStack(layers: image.diffIDs.map { LayerStack.Layer(diffID: $0, created: nil) }))
        case .http(let source):
            return .remoteFile(try await fetch(source, label: vertex.label, step: step))
        case .git(let source):
            return .files(try await fetch(source, step: step))
        case .makeDirectory(let directory):
            return .files(try await makeDirectory(directory, on: inputs[0].state))
        case .copy(let copy):
            return .files(try await self.copy(copy, inputs: inputs, of: vertex.id))
        case .run(let run):
            return .files(try await execute(run, inputs: inputs, step: step))
        }
    }

    /// The files of an input, with directories to read them from.
    func sourceTree(_ input: StepResult) async throws -> any FileTree {
        switch input {
        case .context(let tree): return tree
        case .remoteFile(let tree): return tree
        case .files(let state):
            let unpacked = try await snapshots.all(of: state.diffIDs)
            let tree = try await snapshots.tree(of: state)
            return LayerFileTree(tree: tree, directories: unpacked.map(\.directory))
        }
    }
}
