import Frontend
import Graph
import Linux
import OCI
import Solver
import Store

/// Finds the images that stages start from: in the store, else in their registry, else among what Lamina brings along.
/// Of an image in a registry no more than manifest and config are fetched.
struct BaseImages: BaseImageResolver {
    let images: ImageTransfer
    let progress: ProgressReporter

    func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedBase {
        try await progress.step("[internal] load metadata for \(reference)") { _ in
            let image = try await find(reference, platform: platform)
            let config = try await offload { [images] in try images.config(of: image) }
            return ResolvedBase(
                source: ImageSource(
                    reference: reference.with(tag: reference.tag, digest: image.manifest?.digest ?? reference.digest),
                    platform: config.platform, diffIDs: config.diffIDs, imageID: image.id),
                config: config)
        }
    }

    private func find(_ reference: ImageReference, platform: Platform) async throws -> StoredImage {
        let known = try await offload { [images] () -> StoredImage? in
            guard let image = try images.store.images.image(named: reference),
                try images.store.layers.areWithinReach(image.diffIDs)
            else { return nil }
            return image
        }
        if let known, known.platform.distance(from: platform) != nil { return known }
        if reference == EmbeddedBase.reference {
            return try await offload { [images] in try EmbeddedBase(images: images).install() }
        }
        return try await images.resolve(reference, platform: platform)
    }
}
