package import OCI

/// A manifest about an image that stands beside it in an index, with the blobs that it names.
package struct AttachedManifest: Hashable, Sendable {
    package let descriptor: Descriptor
    package let bytes: [UInt8]
    package let blobs: [[UInt8]]

    package init(descriptor: Descriptor, bytes: [UInt8], blobs: [[UInt8]]) {
        self.descriptor = descriptor
        self.bytes = bytes
        self.blobs = blobs
    }
}

/// How the index is made for an image that something is attached to.
package struct IndexForm: Sendable {
    /// Makes the manifest that is attached, about the image's own.
    package let attach: @Sendable (Descriptor, Manifest) -> AttachedManifest
    package let annotations: [String: String]
    /// Annotations of the index's descriptor.
    package let descriptorAnnotations: [String: String]

    package init(
        annotations: [String: String], descriptorAnnotations: [String: String],
        attach: @escaping @Sendable (Descriptor, Manifest) -> AttachedManifest
    ) {
        self.attach = attach
        self.annotations = annotations
        self.descriptorAnnotations = descriptorAnnotations
    }

    /// The index of an image.
    func index(of image: Descriptor, _ manifest: Manifest) -> AttachedIndex {
        AttachedIndex(
            of: [image], [attach(image, manifest)], annotations: annotations,
            descriptorAnnotations: descriptorAnnotations)
    }
}

/// An index, with all documents that it brings besides the image.
struct AttachedIndex: Hashable, Sendable {
    let descriptor: Descriptor
    /// The index is the last.
    let documents: [[UInt8]]

    /// Puts an index together: the images in their order, then what is attached to them, as BuildKit has it.
    init(
        of images: [Descriptor], _ attached: [AttachedManifest], annotations: [String: String],
        descriptorAnnotations: [String: String] = [:], usesOCITypes: Bool = true
    ) {
        let index = Index(of: images + attached.map(\.descriptor), annotations, usesOCITypes: usesOCITypes)
        let bytes = index.encoded(.pretty(2))
        descriptor = Descriptor(
            mediaType: index.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count),
            annotations: descriptorAnnotations)
        documents = attached.flatMap { $0.blobs + [$0.bytes] } + [bytes]
    }
}
