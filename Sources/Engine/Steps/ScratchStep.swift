import OCI
import Records
import Solver
import Store
import Trees

/// The empty file system.
struct ScratchStep: SourceStep {
    let kind = RecordedStep.Kind.scratch
    let isCached = false
    let isVisible = false
    let isComputing = true

    func key() -> Digest { KeyHasher("scratch/1").finish() }

    func run(inputs: [StepResult], step: StepReporter) -> StepResult { .files(LayerStack()) }

    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic? { nil }
}
