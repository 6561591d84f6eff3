package import Frontend
package import Inspector
package import OCI
import Store

/// The result of a build.
package struct BuildResult: Sendable {
    /// The digest of the image's config, or of the index of several platforms, as it was written or pushed if it was;
    /// `nil` when no image was asked for.
    package var imageID: Digest? { index == nil ? image?.id : (manifest ?? index)?.digest }
    /// The image in the store; of an index the one for this machine, else its first.
    let image: StoredImage?
    /// The index of the images for several platforms in the store.
    let index: Descriptor?
    /// The manifest that the build has written or pushed.
    package let manifest: Descriptor?
    /// The predicates of the provenance of each image, without the layers.
    package let provenances: [(platform: Platform, predicate: JSON)]
    /// The lines of the Dockerfile that made each layer of the image; none for those of the base image.
    package let origins: [LayerOrigin?]
    package let warnings: [Warning]
}
