package import OCI

/// An image in an archive or a layout, for the documents that say what is in there.
package struct ListedImage: Sendable {
    /// The root: a manifest, or an index.
    package let root: Descriptor
    /// The names as they are to stand there: whole names for readers of both kinds, or a label for readers of layouts.
    package let names: [ImageReference]
    package let label: String?
    /// Config and layers, where the image is one for Docker.
    package let manifest: Manifest?
    /// For the `created` annotation.
    package let created: Timestamp?
    /// The kind of what is no image, such as an attestation.
    package let artifactType: String?

    package init(
        root: Descriptor, names: [ImageReference], label: String? = nil, manifest: Manifest?, created: Timestamp? = nil,
        artifactType: String? = nil
    ) {
        self.artifactType = artifactType
        self.root = root
        self.names = names
        self.label = label
        self.manifest = manifest
        self.created = created
    }
}

/// The documents of an archive or a layout: what makes it a layout, and what makes an archive one of Docker's as well.
package enum LayoutDocuments {
    /// The files, in order of their names.
    package static func files(
        for images: [ListedImage], isForDocker: Bool
    ) -> [(name: String, bytes: [UInt8])] {
        var documents = [("index.json", index(images).encoded(.compact))]
        if isForDocker { documents.append(("manifest.json", dockerManifest(images).encoded())) }
        documents.append(("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)))
        return documents
    }

    private static func index(_ images: [ListedImage]) -> IndexDocument {
        var document = IndexDocument()
        document.entries = images.flatMap { image in
            names(of: image).map { names in
                var entry = IndexDocument.Entry(entry(image, names))
                entry.artifactType = image.artifactType
                return entry
            }
        }
        return document
    }

    private static func names(of image: ListedImage) -> [[String: String]] {
        if let label = image.label {
            var annotations = [LayoutDirectory.tagAnnotation: label]
            annotations[LayoutDirectory.nameAnnotation] = image.names.first?.description
            return [annotations]
        }
        guard !image.names.isEmpty else { return [[:]] }
        return image.names.map { name in
            var annotations = [LayoutDirectory.nameAnnotation: name.description]
            annotations[LayoutDirectory.tagAnnotation] = name.tag
            return annotations
        }
    }

    private static func entry(_ image: ListedImage, _ names: [String: String]) -> Descriptor {
        var annotations = image.root.annotations.merging(names) { $1 }
        annotations["org.opencontainers.image.created"] = image.created?.description
        return Descriptor(
            mediaType: image.root.mediaType, digest: image.root.digest, size: image.root.size,
            platform: image.root.platform, annotations: annotations)
    }

    private static func dockerManifest(_ images: [ListedImage]) -> JSON {
        .array(
            images.compactMap { image in
                guard let manifest = image.manifest else { return nil }
                return .object(
                    ("Config", .string(ArchiveOutput.path(of: manifest.config.digest))),
                    ("RepoTags", image.names.isEmpty ? .null : .array(image.names.map { .string($0.familiar) })),
                    ("Layers", .array(manifest.layers.map { .string(ArchiveOutput.path(of: $0.digest)) })))
            })
    }
}
