import Images
import OCI
import Progress
import Store

extension GlobalOptions {
    /// An image whose layers the command looks at. What is not in the store is fetched first; if all is, the store is
    /// only read.
    func inspectable(
        _ text: String, _ registries: RegistryOptions, platform: Platform? = nil
    ) async throws -> (images: ImageTransfer, image: StoredImage) {
        let images = try images(.readOnly)
        let image = try images.image(text, platform: platform)
        if try images.knowsFiles(of: image) { return (images, image) }
        let transfer = try self.images(registries)
        try await transfer.showing(.fetch) { try await transfer.fetchLists(of: image, report: $0) }
        return (transfer, try transfer.image(text, platform: platform))
    }
}
