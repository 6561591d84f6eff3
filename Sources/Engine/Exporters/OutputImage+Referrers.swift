import Images
import OCI
import Solver
import Store

extension OutputImage {
    /// Sends the artifacts about the image to the repository of a name, to which the image was pushed.
    func pushReferrers(to name: ImageReference, _ step: StepReporter, with tools: ExportTools) async throws {
        guard let referrers, let manifest = image.manifest else { return }
        let label = "pushing attestations of \(manifest.digest)"
        step.status(label)
        try await tools.images.push(referrers, of: manifest, to: name)
        step.status(label, isComplete: true)
    }
}
