import Contexts
import Graph
import Images
import OCI
import Records
import Registry
import Solver
import Store
import Trees

/// Makes the step of each vertex, and answers the solver with it.
struct BuildRunner: OperationRunner {
    let cache: StepCache
    let files: InputFiles
    let contexts: ContextTreeCache
    let remotes: RemoteSources
    let storage: LayerStorage
    let layerProgress: LayerProgress
    let commands: CommandEnvironment
    let ingredients: KeyIngredientLog
    /// The time of files and history entries made now: `SOURCE_DATE_EPOCH`, else the start of the build.
    let now: Timestamp
    /// The vertices whose layers are needed as directories.
    let unpacked: Set<VertexID>

    func step(_ vertex: Vertex) -> any Step {
        switch vertex.operation {
        case .scratch: ScratchStep()
        case .context(let source): ContextStep(source: source, contexts: contexts)
        case .image(let source): ImageStep(source: source, ingredients: ingredients, layerProgress: layerProgress)
        case .http(let source):
            HTTPStep(source: source, label: vertex.label, remotes: remotes, ingredients: ingredients)
        case .git(let source): GitStep(source: source, remotes: remotes, now: now, ingredients: ingredients)
        case .makeDirectory(let operation):
            MakeDirectoryStep(operation: operation, files: files, storage: storage, now: now, ingredients: ingredients)
        case .copy(let operation):
            CopyStep(
                operation: operation, vertex: vertex.id, files: files, contexts: contexts, storage: storage, now: now,
                keys: cache.keys, ingredients: ingredients,
                unpacking: unpacked.contains(vertex.id)
                    ? NewLayerUnpacking(store: storage.store, snapshots: files.snapshots, isolation: commands.isolation)
                    : nil)
        case .run(let operation):
            RunStep(
                operation: operation, vertex: vertex.id, platform: vertex.platform, files: files, contexts: contexts,
                storage: storage, now: now,
                keys: cache.keys, ingredients: ingredients, commands: commands)
        }
    }

    func isVisible(_ vertex: Vertex) -> Bool { step(vertex).isVisible }
    func isComputing(_ vertex: Vertex) -> Bool { step(vertex).isComputing }

    func definitionKey(of vertex: Vertex, inputs: [Digest]) async throws -> Digest {
        let key = try await step(vertex).definitionKey(inputs: inputs)
        cache.uses.add(key)
        cache.keys.note(key, of: vertex.id)
        return key
    }

    func contentKey(of vertex: Vertex, inputs: [StepResult]) async throws -> Digest {
        try await step(vertex).contentKey(inputs: inputs)
    }
    func cached(_ key: Digest, for vertex: Vertex) async throws -> StepResult? {
        try await cache.result(of: key, for: step(vertex))
    }
    func save(_ result: StepResult, under keys: [Digest], for vertex: Vertex) async throws {
        try await cache.save(result, under: keys, of: vertex, as: step(vertex))
    }

    func claim(_ content: Digest, for vertex: Vertex) async throws -> StepClaim {
        try await cache.claim(content, for: step(vertex))
    }

    func run(_ vertex: Vertex, inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        let operation = self.step(vertex)
        let result = try await NetworkNotice.heard(by: step.notice) {
            try await operation.run(inputs: inputs, step: step)
        }
        if let traffic = try await cache.traffic(of: operation, result) {
            ingredients.note(bytesIn: traffic.bytesIn, bytesOut: traffic.bytesOut, of: step.id)
        }
        return result
    }
}
