import Diagnostics
package import Images
import Linux
package import OCI
package import Requests
package import Store
import SystemPackage
import Transports

/// Images in directories that are OCI layouts.
extension ImageTransfer {
    /// Takes an image of a layout into the store, without a name. Every digest is checked.
    ///
    /// - Throws: ``ContextsError`` `.badContext` when there is no such image or the layout is damaged.
    package func take(_ reference: LayoutReference, platform: Platform) async throws -> StoredImage {
        do {
            let reader = try await offload {
                let images = try FileImages(try DirectoryFiles(reference.directory))
                guard let digest = reference.digest else {
                    return try images.reader(try images.item(.name(reference.tag)))
                }
                return try images.reader(digest)
            }
            var copy = ImageCopy()
            // An image that is no index is taken for any platform, as from a registry.
            if try await reader.root().isIndex { copy.platforms = [platform] }
            let writer = try StoreImageWriter(self, names: [])
            _ = try await copy.run(from: reader, to: writer)
            guard let image = writer.image else {
                throw ContextsError(.badContext, "it has no image of a container")
            }
            return image
        } catch let error as any AnyFailure {
            throw ContextsError(
                .badContext, "oci-layout reference \"\(reference)\" could not be resolved: \(error.message)",
                hint: error.hint, cause: error)
        }
    }
}

extension LayoutReference: CustomStringConvertible {
    package var description: String {
        "oci-layout://\(directory)" + (digest.map { "@\($0)" } ?? ":\(tag)")
    }
}
