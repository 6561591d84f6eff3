import Attestations
import Contexts
import Frontend
import Images
import Requests

extension Build {
    /// The provenance of the build's image; `nil` when it is not asked for.
    func provenance(
        of plan: BuildPlan, _ source: Definition, _ options: BuildOptions, _ tools: BuildTools
    ) async throws -> Provenance? {
        guard let settings = request.attestations.provenance, request.makesImage else { return nil }
        return try await ProvenanceGathering(
            request: request, settings: settings, options: options, file: source.source, plan: plan,
            remotes: tools.remotes, environment: images.registry.environment, started: tools.started
        ).provenance()
    }
}
