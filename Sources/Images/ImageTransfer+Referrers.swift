import Diagnostics
import Linux
package import OCI
import Registry
import Store

extension ImageTransfer {
    /// Makes artifacts about an image of the store and sends them to the repository of a name, which has the image.
    ///
    /// The store does not keep them: the next collection takes their blobs.
    package func push(_ form: ReferrerForm, of image: Descriptor, to name: ImageReference) async throws {
        let lease = try store.lease()
        let referrers = try await offload { [store] in
            guard let bytes = try store.content.bytes(of: image.digest) else {
                throw ImagesError(.corrupt, "the manifest \(image.digest) is missing from the store")
            }
            let made = form.make(image, try Manifest(parsing: bytes, declared: image.mediaType))
            for blob in made.flatMap(\.manifest.blobs) { _ = try store.content.save(blob) }
            return made
        }
        for referrer in referrers {
            let manifest = try Manifest(parsing: referrer.manifest.bytes)
            _ = try await push(
                referrer.manifest.bytes, type: .ociManifest, blobs: manifest.layers + [manifest.config], layers: [],
                as: name.with(tag: nil, digest: referrer.manifest.descriptor.digest))
            try await registry.client.note(referrer.entry, on: image.digest, in: name)
        }
        _ = consume lease
    }
}
