package import OCI

/// A format of layers that clients fetch in parts: to other clients they are usual layers.
package enum LazyFormat: String, Hashable, Sendable, CaseIterable {
    /// Gzip with a member for each file, and a table of contents as the last file of the archive.
    case estargz
    /// zstd with a frame for each piece of a file, and a table of contents behind the archive.
    case chunked = "zstd:chunked"

    /// The compression by which other clients read the layer.
    package var compression: Compression {
        switch self {
        case .estargz: .gzip
        case .chunked: .zstd
        }
    }

    /// Whether a layer's annotations say that it has the format.
    package func isNamed(by annotations: [String: String]) -> Bool {
        switch self {
        case .estargz: annotations[LazyAnnotation.tableDigest] != nil
        case .chunked:
            [LazyAnnotation.tableChecksum, LazyAnnotation.tablePosition, LazyAnnotation.splitPosition]
                .allSatisfy { annotations[$0] != nil }
        }
    }
}

/// The annotations of layers that say where their table of contents is.
package enum LazyAnnotation {
    /// The digest of eStargz's table, as JSON.
    package static let tableDigest = "containerd.io/snapshot/stargz/toc.digest"
    /// The size of an eStargz layer's archive in bytes.
    package static let archiveSize = "io.containers.estargz.uncompressed-size"

    package static let chunkedPrefix = "io.github.containers.zstd-chunked."
    /// The prefix in layers of before 2023.
    package static let oldChunkedPrefix = "io.containers.zstd-chunked."
    /// The digest of zstd:chunked's table, compressed as it is.
    package static let tableChecksum = chunkedPrefix + "manifest-checksum"
    package static let tablePosition = chunkedPrefix + "manifest-position"
    package static let splitPosition = chunkedPrefix + "tarsplit-position"

    /// Whether an annotation says something about the bytes of its layer, so that it is wrong of any other.
    package static func isAboutBytes(_ key: String) -> Bool {
        key == tableDigest || key == archiveSize || key.hasPrefix(chunkedPrefix) || key.hasPrefix(oldChunkedPrefix)
    }
}
