import Contexts
import Graph
import OCI
import Records
import Solver
import Store

/// The files of a context.
struct ContextStep: SourceStep {
    let source: ContextSource
    let contexts: ContextTreeCache

    let kind = RecordedStep.Kind.context
    let isCached = false
    let isVisible = false
    let isComputing = true

    func key() -> Digest { ContextTreeCache.key(source) }

    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        .context(try await contexts.tree(source))
    }

    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic? { nil }
}
