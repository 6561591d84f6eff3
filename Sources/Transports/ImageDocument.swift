import Diagnostics
package import OCI

/// A manifest or an index, and its bytes as they are at their source.
package struct ImageDocument: Hashable, Sendable {
    package let descriptor: Descriptor
    package let bytes: [UInt8]
    /// Whether the document was made when it was read: its source, an archive of Docker's, has none.
    package let isMade: Bool

    package init(_ descriptor: Descriptor, _ bytes: [UInt8], isMade: Bool = false) {
        self.descriptor = descriptor
        self.bytes = bytes
        self.isMade = isMade
    }

    /// Reads what kind of document this is. `declared` is the type said by its source; the document's own counts more.
    ///
    /// Throws ``ManifestError`` when it is neither a manifest nor an index.
    package init(parsing bytes: [UInt8], declared: MediaType? = nil) throws {
        let json = try JSON(parsing: bytes)
        let said = json["mediaType"]?.string.map(MediaType.init(rawValue:)) ?? declared
        let isIndex = said?.isIndex == true || (said?.isManifest != true && json["manifests"] != nil)
        let known = said.flatMap { $0.isIndex || $0.isManifest ? $0 : nil }
        let type = known ?? (isIndex ? .ociIndex : .ociManifest)
        if isIndex {
            _ = try Index(parsing: bytes, declared: type)
        } else {
            _ = try Manifest(parsing: bytes, declared: type)
        }
        self.init(Descriptor(mediaType: type, digest: Digest(of: bytes), size: Int64(bytes.count)), bytes)
    }

    package var isIndex: Bool { descriptor.mediaType.isIndex }

    /// The manifest. Throws ``ManifestError``.
    package func manifest() throws -> Manifest { try Manifest(parsing: bytes, declared: descriptor.mediaType) }

    /// The descriptor without platform and annotations, which belong to the place that names the document.
    package var bare: Descriptor {
        Descriptor(mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size)
    }
}
