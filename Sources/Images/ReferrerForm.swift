package import OCI

/// An artifact that names an image as its subject.
package struct Referrer: Hashable, Sendable {
    package let manifest: AttachedManifest
    package let artifactType: String

    package init(manifest: AttachedManifest, artifactType: String) {
        self.manifest = manifest
        self.artifactType = artifactType
    }

    /// The artifact in a list of what refers to the image.
    var entry: IndexDocument.Entry {
        var entry = IndexDocument.Entry(manifest.descriptor)
        entry.artifactType = artifactType
        return entry
    }
}

/// How artifacts about an image are made.
package struct ReferrerForm: Sendable {
    /// Makes them, by the descriptor of the image's manifest and the manifest.
    package let make: @Sendable (Descriptor, Manifest) -> [Referrer]

    package init(make: @escaping @Sendable (Descriptor, Manifest) -> [Referrer]) { self.make = make }
}
