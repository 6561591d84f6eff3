import Attestations
import Contexts
import Frontend
import Images
import Requests
import Store

extension Build {
    /// Puts together the provenance of each platform's image, if it or the metadata file is to have one. They are of one
    /// invocation.
    func addProvenance(
        to builds: inout [PlatformBuild], _ source: Definition, _ options: BuildOptions, _ tools: BuildTools
    ) async throws {
        guard request.attestations.provenance != nil || request.metadata.hasProvenance, request.makesImage else {
            return
        }
        var settings = request.attestations.provenance ?? ProvenanceSettings()
        if request.attestations.provenance == nil { settings.mode = .min }
        let invocation = ProvenanceGathering.Invocation(started: tools.started, finished: .now)
        for position in builds.indices {
            builds[position].provenance = try await ProvenanceGathering(
                request: request, settings: settings, options: options, file: source.source,
                plan: builds[position].plan, remotes: tools.remotes, environment: images.registry.environment,
                invocation: invocation
            ).provenance()
        }
    }
}
