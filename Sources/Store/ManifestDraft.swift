import OCI
import SQLite

/// The manifest of an image that was made in this store.
///
/// Nothing is compressed for it: a layer that is not known as a compressed blob stands in it as its plain archive,
/// whose digest is the DiffID. A push or an archive compresses the layers and so has another manifest.
struct ManifestDraft {
    let manifest: Manifest
    let bytes: [UInt8]

    init(_ image: StoredImage, _ transaction: Transaction) throws {
        manifest = Manifest(
            config: Descriptor(
                mediaType: .ociConfig, digest: image.id, size: try transaction.blobSize(image.id) ?? 0),
            layers: try image.diffIDs.map(transaction.layerDescriptor), annotations: image.annotations)
        bytes = manifest.encoded
    }

    var descriptor: Descriptor {
        Descriptor(mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
    }

    /// The image with this manifest.
    func completing(_ image: StoredImage) -> StoredImage {
        StoredImage(
            id: image.id, platform: image.platform, created: image.created, diffIDs: image.diffIDs, size: image.size,
            manifest: descriptor, layers: manifest.layers, annotations: image.annotations)
    }
}

extension Transaction {
    /// The blob that stands for a layer in a manifest made now: a compressed one of this store, gzip before others; else
    /// the plain archive of a layer that was here; else the blob that a source is said to have.
    fileprivate func layerDescriptor(_ diffID: DiffID) throws -> Descriptor {
        let compressed = try row(
            """
            SELECT layer_blobs.digest, media_type, layer_blobs.size FROM layer_blobs JOIN blobs USING (digest)
                WHERE diff_id = ?1 AND layer_blobs.digest <> ?1 ORDER BY media_type NOT LIKE '%gzip', digest
            """, [diffID.description])
        if let compressed { return try Self.layer(compressed) }
        if let size = try row("SELECT tar_size FROM layers WHERE diff_id = ?", [diffID.description])?[0] as Int64? {
            return Descriptor(mediaType: .ociLayer, digest: diffID.digest, size: size)
        }
        let source = try row(
            "SELECT digest, media_type, size FROM layer_sources WHERE diff_id = ? ORDER BY number DESC",
            [diffID.description])
        if let source { return try Self.layer(source) }
        // The archive without members is two blocks of zeros, and nobody records it.
        return Descriptor(mediaType: .ociLayer, digest: diffID.digest, size: diffID == .empty ? 1024 : 0)
    }

    private static func layer(_ row: Row) throws -> Descriptor {
        let type = MediaType(rawValue: try row[1])
        return Descriptor(
            mediaType: type.compression.map(MediaType.ociLayer) ?? type, digest: try Digest(parsing: row[0] as String),
            size: try row[2])
    }
}
