import Linux
import OCI
import Records
import Solver
import Store
import Trees

/// One operation of a build: its keys, its execution and its traits.
///
/// A step is made for a vertex when something is asked of it, and holds only what it needs. Results are ``StepResult``,
/// in the order of the vertex's inputs.
protocol Step: Sendable {
    /// The kind as records and explanations name it.
    var kind: RecordedStep.Kind { get }
    /// Whether results are recorded and looked up. A result that is not is as cheap to make as to find.
    var isCached: Bool { get }
    /// Whether progress shows the step.
    var isVisible: Bool { get }
    /// Whether the step computes in this process, rather than waiting for a command or for the network.
    var isComputing: Bool { get }

    /// The key by the definition and the keys of the inputs, none of which needs to be run for it.
    func definitionKey(inputs: [Digest]) async throws -> Digest

    /// The key by the content of the inputs.
    func contentKey(inputs: [StepResult]) async throws -> Digest

    /// Executes the operation. Cancellation of the task ends it soon.
    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult

    /// The result that a cache record stands for; `nil` for a record of another form.
    func result(of record: CacheRecord) -> StepResult?

    /// The bytes of files that went in and came out, as far as they are counted. `layer` is the top layer of the result.
    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic?
}

/// The bytes of files that a step read and wrote.
struct StepTraffic {
    /// `nil` where it is not counted, such as for what a command reads.
    var bytesIn: Int64?
    var bytesOut: Int64
}

extension Step {
    var isCached: Bool { true }
    var isVisible: Bool { true }
    var isComputing: Bool { false }

    func result(of record: CacheRecord) -> StepResult? { .files(record.stack) }

    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic? {
        layer.map { StepTraffic(bytesIn: nil, bytesOut: $0.contentSize) }
    }
}

/// A step without inputs, which has one key.
protocol SourceStep: Step {
    func key() async throws -> Digest
}

extension SourceStep {
    func definitionKey(inputs: [Digest]) async throws -> Digest { try await key() }
    func contentKey(inputs: [StepResult]) async throws -> Digest { try await key() }
}

extension KeyHasher {
    /// The key of the file system that layers make, bottom first.
    static func layers(_ diffIDs: [DiffID]) -> KeyHasher {
        var key = KeyHasher("layers/1")
        key.add(diffIDs.map(\.description))
        return key
    }

    /// The key of a path in the files that `input` is the key of.
    ///
    /// `mark` tells apart what one path meant in several versions.
    static func path(_ path: String, in input: Digest, mark: String? = nil) -> Digest {
        var key = KeyHasher("stage-path/1")
        key.add(input)
        key.add(path)
        if let mark { key.add(mark) }
        return key.finish()
    }
}
