/// The type of a blob. Unknown types are kept as they are.
///
/// Source: OCI image-spec, media-types.md, and Docker's image manifest version 2, schema 2.
package struct MediaType: Hashable, Sendable, RawRepresentable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let ociIndex = MediaType(rawValue: "application/vnd.oci.image.index.v1+json")
    package static let ociManifest = MediaType(rawValue: "application/vnd.oci.image.manifest.v1+json")
    package static let ociConfig = MediaType(rawValue: "application/vnd.oci.image.config.v1+json")
    package static let ociLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar")
    package static let ociLayerGzip = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
    package static let ociLayerZstd = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")
    package static let dockerIndex = MediaType(
        rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
    package static let dockerManifest = MediaType(rawValue: "application/vnd.docker.distribution.manifest.v2+json")
    package static let dockerConfig = MediaType(rawValue: "application/vnd.docker.container.image.v1+json")
    package static let dockerLayer = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar")
    package static let dockerLayerGzip = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")
    package static let dockerLayerZstd = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.zstd")

    package var isIndex: Bool { self == .ociIndex || self == .dockerIndex }
    package var isManifest: Bool { self == .ociManifest || self == .dockerManifest }

    /// Whether a blob of this type is a file system layer; foreign and encrypted layers are not, as they cannot be read.
    package var isLayer: Bool { compression != nil }

    /// How the layer is compressed; `nil` when this is not the type of a layer.
    package var compression: Compression? {
        switch self {
        case .ociLayer, .dockerLayer: Compression.none
        case .ociLayerGzip, .dockerLayerGzip: .gzip
        case .ociLayerZstd, .dockerLayerZstd: .zstd
        default: nil
        }
    }

    /// The type of an OCI layer compressed in the given way.
    package static func ociLayer(_ compression: Compression) -> MediaType {
        switch compression {
        case .none: ociLayer
        case .gzip: ociLayerGzip
        case .zstd: ociLayerZstd
        }
    }

    /// The type of a layer of a Docker manifest compressed in the given way.
    package static func dockerLayer(_ compression: Compression) -> MediaType {
        switch compression {
        case .none: dockerLayer
        case .gzip: dockerLayerGzip
        case .zstd: dockerLayerZstd
        }
    }
}

/// How the bytes of a layer blob are compressed.
package enum Compression: String, Hashable, Sendable, CaseIterable {
    case none
    case gzip
    case zstd
}
