import Contexts
import Graph
import OCI
import Records
import Solver
import Trees

/// The files of a commit as a layer on nothing, for ADD.
struct GitStep: SourceStep {
    let source: GitSource
    let remotes: RemoteSources
    /// The time of the files, unless that of the commit is asked for.
    let now: Timestamp
    let ingredients: KeyIngredientLog

    let kind = RecordedStep.Kind.git

    /// The key: the commit, wherever it comes from.
    func key() async throws -> Digest {
        let commit = try await remotes.commit(of: source)
        var key = KeyHasher("git/1")
        key.add(commit.hash, as: .commit)
        key.add(source.subdirectory)
        key.add(source.includesSubmodules)
        key.add(source.times.rawValue)
        // The repository itself remembers what it came from.
        key.add(source.keepsGitDirectory ? source.publicRemote : nil)
        key.add(source.keepsGitDirectory ? source.ref : nil)
        key.note(.url, Redaction.withoutLogins(source.remote))
        return ingredients.finish(key)
    }

    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        .files(try await remotes.layer(of: source, now: now, step: step))
    }
}
