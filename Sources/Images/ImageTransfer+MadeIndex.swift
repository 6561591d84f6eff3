import Diagnostics
package import OCI
package import Store

/// Indexes of images that were made here.
extension ImageTransfer {
    /// Records the images of one build, each for another platform, as an index of that order, and gives it names.
    ///
    /// Like the manifest of one image that was made here, the index is the store's own: a push or an archive has
    /// compressed layers, and so another index. It is whole where the images have manifests that a push may send.
    package func record(
        index images: [(StoredImage, annotations: [String: String])], annotations: [String: String] = [:],
        usesOCITypes: Bool = true, isWhole: Bool = false, as names: [ImageReference]
    ) throws -> ImageRoot {
        let drafts = try images.flatMap { try store.images.root(for: $0.0).images }
        let entries = zip(drafts, images).compactMap { draft, image in
            draft.manifest.map { $0.entry(for: draft.platform, annotations: image.annotations) }
        }
        let index = Index(of: entries, annotations, usesOCITypes: usesOCITypes)
        let bytes = index.encoded(.pretty(2))
        _ = try store.content.save(bytes)
        let descriptor = Descriptor(mediaType: index.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
        let root = ImageRoot(descriptor, origin: isWhole ? .whole : .made, images: drafts)
        try store.images.save(root, as: names)
        return try store.images.root(descriptor.digest) ?? root
    }
}

extension Index {
    /// An index with OCI's or Docker's media type; Docker's lists have no annotations.
    init(of manifests: [Descriptor], _ annotations: [String: String], usesOCITypes: Bool) {
        self.init(
            mediaType: usesOCITypes ? .ociIndex : .dockerIndex, manifests: manifests,
            annotations: usesOCITypes ? annotations : [:])
    }
}

extension Descriptor {
    /// The same document as an entry of an index.
    package func entry(for platform: Platform, annotations: [String: String] = [:]) -> Descriptor {
        Descriptor(mediaType: mediaType, digest: digest, size: size, platform: platform, annotations: annotations)
    }
}
