import OCI
import Transports

/// The layers of an image that a SOCI index has the places of.
///
/// Source: soci-snapshotter, `docs/soci-index-manifest-v2.md` and `soci/soci_index.go`.
struct SOCIIndex {
    /// The second version is bound to the image; the first refers to it, and is read only where that is switched on.
    let version: Int
    let layers: Set<Digest>

    private static let digestKey = "com.amazon.soci.index-digest"
    private static let layerKey = "com.amazon.soci.image-layer-digest"
    private static let firstType = "application/vnd.amazon.soci.index.v1+json"

    /// Finds the index of an image: in the index that has the image, else among what refers to it.
    static func find(_ image: ImageDocument, below root: ImageDocument, _ reader: any ImageReader) async throws
        -> SOCIIndex?
    {
        let annotations = try JSON(parsing: image.bytes)["annotations"]?.stringMap ?? []
        if let digest = annotations.first(where: { $0.0 == digestKey })?.1, root.isIndex,
            let entry = try IndexDocument(parsing: root.bytes).entries.first(where: {
                $0.descriptor.digest.description == digest
            })
        {
            return SOCIIndex(version: 2, layers: try await layers(of: entry.descriptor, reader))
        }
        // Not every place keeps what refers to an image.
        let referrers = (try? await reader.referrers(of: image.descriptor)) ?? []
        guard let entry = referrers.first(where: { $0.artifactType == firstType }) else { return nil }
        return SOCIIndex(version: 1, layers: try await layers(of: entry.descriptor, reader))
    }

    private static func layers(of descriptor: Descriptor, _ reader: any ImageReader) async throws -> Set<Digest> {
        let manifest = try await reader.document(descriptor).manifest()
        return Set(manifest.layers.compactMap { $0.annotations[layerKey].flatMap { try? Digest(parsing: $0) } })
    }

    /// The way in which soci-snapshotter gets a layer.
    static func verdict(_ layer: Descriptor, _ index: SOCIIndex?) -> LazyVerdict {
        if layer.mediaType.compression == .zstd {
            return LazyVerdict(.soci, .whole, "SOCI has no index of layers that are compressed with zstd")
        }
        guard let index else { return LazyVerdict(.soci, .whole, "the image has no SOCI index") }
        guard index.layers.contains(layer.digest) else {
            return LazyVerdict(
                .soci, .whole, "the SOCI index has nothing about it: layers under 10 MiB are usually left out")
        }
        return index.version == 2
            ? LazyVerdict(.soci, .parts, "the image has a SOCI index")
            : LazyVerdict(.soci, .parts, "with soci_v1.enable: the SOCI index is of the first version")
    }
}
