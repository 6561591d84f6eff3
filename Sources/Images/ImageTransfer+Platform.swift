import Diagnostics
package import OCI
package import Store

/// Images of the store by a name and a platform.
extension ImageTransfer {
    /// The image that a user means by a name or an ID, on a platform; on this machine's, or else the first, for `nil`.
    ///
    /// Throws ``ImagesError`` `.imageNotFound` when there is none, with the platforms that there are.
    package func image(_ text: String, platform: Platform?) throws -> StoredImage {
        let text = try fullName(text)
        let image = try image(text)
        guard let platform else { return image }
        if let found = try variant(of: image, named: text, for: platform) { return found }
        let others = try root(of: image)?.images.map(\.platform.description) ?? [image.platform.description]
        throw ImagesError(
            .imageNotFound,
            "the store has no image of \(text) for \(platform), only for \(others.joined(separator: ", "))",
            hint: "Pull it with --platform \(platform).")
    }

    /// The best image for a platform below the root of another image.
    private func variant(of image: StoredImage, named text: String, for platform: Platform) throws -> StoredImage? {
        if let name = (try? ImageReference(parsing: text)).flatMap({ image.names.contains($0) ? $0 : nil }) {
            return try stored(name, for: platform)
        }
        // An ID is that of one image; what is asked for besides can only be true or false.
        if image.id.description.hasPrefix(text) || image.id.hex.hasPrefix(text) {
            return image.platform.distance(from: platform) == nil ? nil : image
        }
        return try root(of: image)?.image(for: platform)
    }

    private func root(of image: StoredImage) throws -> ImageRoot? {
        try image.root.flatMap { try store.images.root($0.digest) }
    }
}
