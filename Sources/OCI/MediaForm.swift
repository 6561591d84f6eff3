/// The two families of media types that images have: OCI's and Docker's.
///
/// Source: OCI image-spec, media-types.md, "Compatibility Matrix".
package enum MediaForm: String, Hashable, Sendable, CaseIterable {
    case oci
    case docker

    /// The type of this family for the same kind of content; `nil` where the family has none, as Docker's for zstd
    /// layers. OCI takes any other type as it is.
    package func type(for type: MediaType) -> MediaType? {
        guard let pair = Self.pairs.first(where: { $0.oci == type || $0.docker == type }) else {
            switch (self, type) {
            case (.oci, .dockerLayerZstd): return .ociLayerZstd
            case (.oci, _): return type
            case (.docker, _): return nil
            }
        }
        return self == .oci ? pair.oci : pair.docker
    }

    private static let pairs: [(oci: MediaType, docker: MediaType)] = [
        (.ociIndex, .dockerIndex), (.ociManifest, .dockerManifest), (.ociConfig, .dockerConfig),
        (.ociLayer, .dockerLayer), (.ociLayerGzip, .dockerLayerGzip),
    ]
}
