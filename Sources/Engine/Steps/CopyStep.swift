import Contexts
import DockerfileSyntax
import Graph
import Images
import Layers
import Linux
import OCI
import Records
import Solver
import Store
import Trees

/// COPY and ADD: the layer is written straight from the sources, onto a base that need not be unpacked.
struct CopyStep: Step {
    let operation: CopyOperation
    let vertex: VertexID
    let files: InputFiles
    let contexts: ContextTreeCache
    let storage: LayerStorage
    let now: Timestamp
    let keys: CacheKeyTracker
    let ingredients: KeyIngredientLog
    /// Unpacks the layer while it is written, where a later step needs its files.
    let unpacking: NewLayerUnpacking?

    let kind = RecordedStep.Kind.copy
    let isComputing = true

    // MARK: Keys

    func definitionKey(inputs: [Digest]) async throws -> Digest {
        let trees = try await contexts.trees(of: inputs)
        return try await offload { [self] in
            let sources = try operation.sources.map { source -> Digest? in
                guard case .path(let word, let input) = source else { return nil }
                // A stage's files are not looked at before it is known whether they are needed.
                guard let tree = trees[input] else {
                    return KeyHasher.path(word, in: inputs[input], mark: SourceMatcher.keyMark(of: word))
                }
                return try filesKey(of: word, in: tree)
            }
            return key(base: inputs[0], sources: sources)
        }
    }

    func contentKey(inputs: [StepResult]) async throws -> Digest {
        var sources: [Digest?] = []
        for source in operation.sources {
            guard case .path(let word, let input) = source else {
                sources.append(nil)
                continue
            }
            let tree = try await files.tree(of: inputs[input])
            sources.append(try await offload { [self] in try filesKey(of: word, in: tree) })
        }
        return key(base: KeyHasher.layers(inputs[0].state.diffIDs).finish(), sources: sources)
    }

    private func key(base: Digest, sources: [Digest?]) -> Digest {
        var key = KeyHasher("copy/1")
        key.add(base, as: .base)
        key.add(definitionOf: operation)
        for source in sources { key.add(source?.hex) }
        key.note(.files, sources.map { $0?.hex })
        return ingredients.finish(key)
    }

    /// The key of the files that a source takes, by their content.
    private func filesKey(of word: String, in tree: any FileTree) throws -> Digest {
        func compute() throws -> Digest {
            let matches = try SourceMatcher(tree: tree, keepsParents: operation.keepsParents).matches(word)
            let excludes = try IgnoreRules(patterns: operation.excludes)
            var key = KeyHasher("files/1")
            key.files = FileListing()
            try key.add(contentOf: matches, in: tree, excludes: excludes)
            return ingredients.finish(key)
        }
        guard let context = tree as? ContextTree else { return try compute() }
        let selection = ContextSelection(
            word: word, keepsParents: operation.keepsParents, excludes: operation.excludes)
        return try context.key(of: selection, compute: compute)
    }

    // MARK: Execution

    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        var sources: [any FileTree] = []
        for input in inputs.dropFirst() { sources.append(try await files.tree(of: input)) }
        let state = inputs[0].state
        let owner = try await files.owner(operation.owner, in: state, hasAccounts: !state.isEmpty)
        let base = try await files.snapshots.tree(of: state)
        let key = unpacking == nil ? nil : try await contentKey(inputs: inputs)
        let diffID = try await offload { [self, sources] in
            let planner = try CopyPlanner(operation, owner: owner, now: now.fileTime)
            var draft = LayerDraft(on: base)
            // The unpacked archives must stay until their files are in the layer.
            var archives: [UnpackedArchive] = []
            // Hard links are kept within what one match copies, with --parents that is all that a word selects below a
            // directory, but not between matches.
            var number = 0
            for source in operation.sources {
                switch source {
                case .inline(let file): try planner.write(file, into: &draft)
                case .path(let word, let input):
                    let tree = sources[input - 1]
                    let matches = try SourceMatcher(tree: tree, keepsParents: operation.keepsParents).matches(word)
                    for match in matches {
                        number += 1
                        if let context = tree as? ContextTree, match.node.entry.kind == .regular,
                            !context.isAsRead(match.node)
                        {
                            keys.noteChange(under: vertex)
                        }
                        if operation.archives.unpacks(inputs[input]),
                            let archive = try UnpackedArchive(match.node, in: tree, store: storage.store)
                        {
                            try planner.unpack(archive.tree, copy: number, into: &draft)
                            archives.append(archive)
                        } else {
                            try planner.copy(match, from: tree, copy: number, into: &draft)
                        }
                    }
                }
            }
            if draft.hasChangedFiles { keys.noteChange(under: vertex) }
            let reading = try key.flatMap { try unpacking?.reading(on: state, key: $0) }
            return try withExtendedLifetime(archives) { try storage.write(draft, reading: reading) }
        }
        return .files(state.adding(diffID, created: now))
    }

    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic? {
        layer.map { StepTraffic(bytesIn: $0.contentSize, bytesOut: $0.contentSize) }
    }
}

extension LayerDraft {
    /// Whether it has files of a context that are not what they were when the keys of the step were made.
    fileprivate var hasChangedFiles: Bool {
        contains { node, tree in
            guard let context = tree as? ContextTree else { return false }
            return !context.isAsRead(node)
        }
    }
}

extension ArchiveHandling {
    /// Whether an archive among the files of an input is unpacked.
    fileprivate func unpacks(_ input: StepResult) -> Bool {
        switch (self, input) {
        case (.copy, _): false
        case (.unpack, .context), (.unpackAll, .context), (.unpackAll, .remoteFile): true
        case (.unpack, _), (.unpackAll, _): false
        }
    }
}
