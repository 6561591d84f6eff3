import Diagnostics
import Graph
import Images
import Layers
import Linux
import OCI
import Records
import Solver
import Store
import Trees

/// WORKDIR: what is missing of the path is made, owned by the stage's user.
struct MakeDirectoryStep: Step {
    let operation: MakeDirectoryOperation
    let files: InputFiles
    let storage: LayerStorage
    let now: Timestamp
    let ingredients: KeyIngredientLog

    let kind = RecordedStep.Kind.directory
    let isComputing = true

    func definitionKey(inputs: [Digest]) -> Digest { key(base: inputs[0]) }

    func contentKey(inputs: [StepResult]) -> Digest {
        key(base: KeyHasher.layers(inputs[0].state.diffIDs).finish())
    }

    private func key(base: Digest) -> Digest {
        var key = KeyHasher("directory/1")
        key.add(base, as: .base)
        key.add(operation.path, as: .destination)
        key.add(operation.owner, as: .owner)
        return ingredients.finish(key)
    }

    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        let state = inputs[0].state
        // Unlike a command, WORKDIR takes a user it does not find for root.
        let owner = try await files.owner(operation.owner, in: state, hasAccounts: true)
        let tree = try await files.snapshots.tree(of: state)
        let diffID = try await offload { [self] in
            var draft = LayerDraft(on: tree)
            let path = try draft.resolve(PathBytes(operation.path))
            let existing = draft.entry(at: path)
            if let existing, existing.kind != .directory {
                throw TreesError(.copyConflict, "mkdir /\(path): not a directory")
            }
            if existing == nil {
                try draft.makeDirectory(
                    path, NewDirectory(owner: owner ?? FileOwner(uid: 0, gid: 0), modified: now.fileTime))
            }
            return try storage.write(draft)
        }
        return .files(state.adding(diffID, created: now))
    }
}
