import Contexts
import Graph
import OCI
import Records
import Solver
import Store
import Trees

/// A file of the web, for ADD.
struct HTTPStep: SourceStep {
    let source: HTTPSource
    /// The label of the vertex.
    let label: String
    let remotes: RemoteSources
    let ingredients: KeyIngredientLog

    let kind = RecordedStep.Kind.http

    /// Shown once, although it may be fetched for its key already.
    var isVisible: Bool { !remotes.hasShown(source) }

    /// The key: the checksum if one is given, otherwise the file that the server has now.
    func key() async throws -> Digest {
        var key = KeyHasher("http/1")
        key.add(source.fileName)
        key.add(source.permissions)
        key.add(source.owner)
        key.add(source.group)
        if let checksum = source.checksum {
            key.add(checksum, as: .content)
        } else {
            let file = try await remotes.current(source, label: label)
            key.add(file.digest, as: .content)
            key.add(file.modified.map { "\($0)" })
        }
        key.note(.url, Redaction.withoutLogins(source.url))
        return ingredients.finish(key)
    }

    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        let file =
            if let checksum = source.checksum {
                try await remotes.proven(source, by: checksum, step: step)
            } else {
                try await remotes.current(source, label: label)
            }
        return .remoteFile(RemoteFileTree(source: source, file: file, store: remotes.store))
    }

    func result(of record: CacheRecord) -> StepResult? {
        RemoteFile(decoding: record.result).map {
            .remoteFile(RemoteFileTree(source: source, file: $0, store: remotes.store))
        }
    }

    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic? {
        guard case .remoteFile(let tree) = result else { return nil }
        return StepTraffic(bytesIn: tree.file.size, bytesOut: tree.file.size)
    }
}
