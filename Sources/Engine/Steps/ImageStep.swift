import Graph
import Images
import OCI
import Records
import Solver
import Store
import Trees

/// The file system of an image. Its layers are fetched when a step needs their files.
struct ImageStep: SourceStep {
    let source: ImageSource
    let ingredients: KeyIngredientLog
    let layerProgress: LayerProgress

    let kind = RecordedStep.Kind.image
    let isCached = false

    func key() -> Digest {
        var key = KeyHasher.layers(source.diffIDs)
        let reference = source.reference
        key.note(.image, reference.with(tag: reference.tag, digest: nil).familiar)
        key.note(.digest, (reference.digest ?? source.imageID).description)
        return ingredients.finish(key)
    }

    func run(inputs: [StepResult], step: StepReporter) -> StepResult {
        if source.reference.digest != nil { step.status("resolve \(source.reference)", isComplete: true) }
        layerProgress.register(source.diffIDs, for: step)
        return .files(LayerStack(ofImage: source.diffIDs))
    }

    func traffic(of result: StepResult, layer: LayerRecord?) -> StepTraffic? { nil }
}
