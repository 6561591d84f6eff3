import Diagnostics
import Layers
import Linux
import OCI
import Registry
import SystemPackage

@testable import Transports

/// An image in memory, made for a test.
struct MemoryImage: ImageReader {
    private(set) var blobs: [Digest: [UInt8]] = [:]
    private var top: ImageDocument?

    /// An image of one layer for a platform.
    init(_ platform: Platform, _ compression: Compression = .gzip, text: String = "hello") throws {
        top = try addImage(platform, compression, text)
    }

    /// An index of an image for each platform, each with an attestation, and with members that nothing here knows.
    init(index platforms: [Platform], _ compression: Compression = .gzip) throws {
        var index = IndexDocument()
        for platform in platforms {
            let image = try addImage(platform, compression, "for \(platform)")
            let entry = Descriptor(
                mediaType: image.descriptor.mediaType, digest: image.descriptor.digest, size: image.descriptor.size,
                platform: platform, annotations: ["org.example.of": "\(platform)"])
            index.entries.append(IndexDocument.Entry(entry))
            let statement = add(Array("{\"about\":\"\(image.descriptor.digest)\"}".utf8))
            let config = add(Array("{}".utf8))
            let manifest = Manifest(
                config: Descriptor(mediaType: .ociConfig, digest: config, size: 2),
                layers: [
                    Descriptor(
                        mediaType: MediaType(rawValue: "application/vnd.in-toto+json"), digest: statement,
                        size: Int64(blobs[statement]?.count ?? 0))
                ]
            ).encoded
            index.entries.append(
                IndexDocument.Entry(
                    Descriptor(
                        mediaType: .ociManifest, digest: add(manifest), size: Int64(manifest.count),
                        platform: Platform(os: "unknown", architecture: "unknown"),
                        annotations: [
                            "vnd.docker.reference.type": "attestation-manifest",
                            "vnd.docker.reference.digest": image.descriptor.digest.description,
                        ])))
        }
        let bytes = index.encoded()
        top = ImageDocument(
            Descriptor(mediaType: .ociIndex, digest: add(bytes), size: Int64(bytes.count)), bytes)
    }

    private mutating func add(_ bytes: [UInt8]) -> Digest {
        let digest = Digest(of: bytes)
        blobs[digest] = bytes
        return digest
    }

    private mutating func addImage(
        _ platform: Platform, _ compression: Compression, _ text: String
    ) throws -> ImageDocument {
        let layer = SpooledBytes()
        var writer = try LayerWriter(CompressionOptions(compression), to: { layer.append($0) })
        let entry = LayerEntry(path: "file", kind: .regular, permissions: 0o644, size: Int64(text.utf8.count))
        try writer.add(entry, content: Array(text.utf8).span)
        let written = try writer.finish()
        var config = ImageConfig(platform: platform)
        config.diffIDs = [written.diffID]
        let blob = add(layer.bytes)
        let configBytes = config.encoded
        let manifest = Manifest(
            config: Descriptor(mediaType: .ociConfig, digest: add(configBytes), size: Int64(configBytes.count)),
            layers: [
                Descriptor(mediaType: .ociLayer(compression), digest: blob, size: Int64(layer.bytes.count))
            ],
            annotations: ["org.example.made": "by a test"])
        let bytes = manifest.encoded
        return ImageDocument(
            Descriptor(mediaType: .ociManifest, digest: add(bytes), size: Int64(bytes.count), platform: platform), bytes
        )
    }

    /// The same image without a blob.
    func without(_ digest: Digest) -> MemoryImage {
        var copy = self
        copy.blobs[digest] = nil
        return copy
    }

    /// The same image with other bytes in the place of a blob.
    func damaging(_ digest: Digest) -> MemoryImage {
        var copy = self
        if let bytes = blobs[digest] { copy.blobs[digest] = bytes.dropLast() + [bytes.last.map { $0 ^ 1 } ?? 0] }
        return copy
    }

    // MARK: ImageReader

    func root() async throws -> ImageDocument {
        guard let top else { throw TransportsError(.imageNotFound, "there is no image") }
        return top
    }

    func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        ImageDocument(descriptor, try require(descriptor))
    }

    private func require(_ blob: Descriptor) throws -> [UInt8] {
        guard let bytes = blobs[blob.digest] else {
            throw TransportsError(.imageNotFound, "there is no blob \(blob.digest)")
        }
        return bytes
    }

    func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let bytes = try require(blob)
        try await BlobCopy.run(blob, from: { _, _ in SpooledBytes(bytes) }, into: sink, progress: progress)
    }

    func origin(of blob: Descriptor) async throws -> BlobOrigin {
        let bytes = try require(blob)
        return { range in Registry.ByteStream([Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])]) }
    }

    func repository(with blob: Descriptor, on registry: String) async throws -> String? { nil }
}
