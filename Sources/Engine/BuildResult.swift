package import Frontend
package import OCI
import Store

/// The result of a build.
package struct BuildResult: Sendable {
    /// The digest of the image's config; `nil` when no image was asked for.
    package var imageID: Digest? { image?.id }
    /// The image in the store.
    let image: StoredImage?
    /// The manifest that the build has written or pushed.
    package let manifest: Descriptor?
    package let warnings: [Warning]
}
