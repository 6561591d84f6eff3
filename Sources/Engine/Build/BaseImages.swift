import Frontend
import Graph
import Linux
import OCI
import Solver
import Store

/// Finds the images that stages start from: in the store, else in their registry, else among what Lamina brings along.
struct BaseImages: BaseImageResolver {
    let images: ImageTransfer
    let progress: ProgressReporter

    func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedBase {
        try await progress.step("[internal] load metadata for \(reference)") { step in
            let image = try await find(reference, platform: platform, step: step)
            let config = try await offload { [images] in try images.config(of: image) }
            return ResolvedBase(
                source: ImageSource(
                    reference: reference.with(tag: reference.tag, digest: image.manifest?.digest ?? reference.digest),
                    platform: config.platform, diffIDs: config.diffIDs, imageID: image.id),
                config: config)
        }
    }

    private func find(
        _ reference: ImageReference, platform: Platform, step: StepReporter
    ) async throws -> StoredImage {
        let known = try await offload { [images] in try images.store.images.image(named: reference) }
        if let known, known.platform.distance(from: platform) != nil { return known }
        if reference == EmbeddedBase.reference {
            return try await offload { [images] in try EmbeddedBase(images: images).install() }
        }
        return try await images.pull(reference, platform: platform) { event in
            switch event {
            case .resolved(let descriptor, _):
                step.status("resolve \(reference)@\(descriptor.digest)", isComplete: true)
            case .layerExists, .layerDone: break
            case .layerProgress(let layer, let count):
                step.status("\(layer.digest)", current: count, total: layer.size, isComplete: count == layer.size)
            }
        }
    }
}
