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
        index images: [IndexedImage], annotations: [String: String] = [:], usesOCITypes: Bool = true,
        isWhole: Bool = false, as names: [ImageReference]
    ) throws -> ImageRoot {
        let drafts = try images.flatMap { try store.images.root(for: $0.image).images }
        var entries: [Descriptor] = []
        var attached: [AttachedManifest] = []
        for (draft, image) in zip(drafts, images) {
            guard let manifest = draft.manifest else { continue }
            let entry = manifest.entry(for: draft.platform, annotations: image.annotations)
            entries.append(entry)
            guard let form = image.attachments else { continue }
            guard let bytes = try store.content.bytes(of: manifest.digest) else {
                throw ImagesError(.corrupt, "the manifest \(manifest.digest) is missing from the store")
            }
            attached.append(form.attach(entry, try Manifest(parsing: bytes, declared: manifest.mediaType)))
        }
        let index = AttachedIndex(of: entries, attached, annotations: annotations, usesOCITypes: usesOCITypes)
        for document in index.documents { _ = try store.content.save(document) }
        let others = attached.flatMap { $0.blobs.map { Digest(of: $0) } + [$0.descriptor.digest] }
        let root = ImageRoot(
            index.descriptor, origin: isWhole ? .whole : .made, images: drafts, blobs: Set(others))
        try store.images.save(root, as: names)
        return try store.images.root(index.descriptor.digest) ?? root
    }
}

/// An image on its way into an index.
package struct IndexedImage: Sendable {
    package let image: StoredImage
    /// Annotations of its entry.
    package let annotations: [String: String]
    /// The manifest that is attached to the image, if one is.
    package let attachments: IndexForm?

    package init(_ image: StoredImage, annotations: [String: String], attachments: IndexForm? = nil) {
        self.image = image
        self.annotations = annotations
        self.attachments = attachments
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
