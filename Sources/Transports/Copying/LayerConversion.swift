import Diagnostics
import Layers
import LazyLayers
import Linux
import OCI
import Synchronization

/// Changes of manifests on their way: the compression of layers, and the family of media types.
final class LayerConversion: Sendable {
    /// A manifest as it is to be written, with the blobs that it names.
    struct Result: Sendable {
        let document: ImageDocument
        let blobs: [Descriptor]
        let source: BlobProvider
    }

    private struct Made: Sendable {
        let blob: Descriptor
        let file: SpooledFile
        let diffID: DiffID
    }

    let form: MediaForm?
    private let compression: CompressionOptions?
    /// The format of layers that get the compression, if it is one that clients fetch in parts.
    private let lazyFormat: LazyFormat?
    private let capacity: WriterCapacity
    /// Layers that were compressed anew, by the digest of what they were made of.
    private let made = Mutex<[Digest: Made]>([:])

    init(form: MediaForm?, compression: CompressionOptions?, format: LazyFormat?, capacity: WriterCapacity) {
        self.form = form
        self.compression = compression
        lazyFormat = format
        self.capacity = capacity
    }

    func convert(_ document: ImageDocument, from reader: any ImageReader) async throws -> Result {
        var provider = BlobProvider(reader)
        let below = try BlobTree.descriptors(in: document.bytes)
        guard document.descriptor.mediaType.isManifest, let manifest = try? document.manifest() else {
            return Result(document: document, blobs: below, source: provider)
        }
        let target = form ?? (document.descriptor.mediaType == .dockerManifest ? .docker : .oci)
        var replaced: [Digest: Descriptor] = [:]
        var diffIDs: [Int: DiffID] = [:]
        for (index, layer) in manifest.layers.enumerated() {
            guard let options = newCompression(of: layer, isMade: document.isMade) else { continue }
            guard target.type(for: .ociLayer(options.compression)) != nil else {
                throw TransportsError(
                    .unsupported, "Docker's format, which the image has, has no zstd layers",
                    hint: "Add --format oci.")
            }
            guard target == .oci || lazyFormat == nil else {
                throw TransportsError(
                    .unsupported, "Docker's format, which the image has, has no annotations, which such layers need",
                    hint: "Add --format oci.")
            }
            let new = try await compress(layer, options, from: reader)
            provider.made[new.blob.digest] = new.file
            replaced[layer.digest] = new.blob.replacing(layer)
            if lazyFormat == .estargz { diffIDs[index] = new.diffID }
        }
        if !diffIDs.isEmpty {
            let config = try await Self.config(manifest.config, with: diffIDs, from: reader)
            provider.made[config.blob.digest] = config.file
            replaced[manifest.config.digest] = config.blob
        }
        let types = form
        func changed(_ descriptor: Descriptor) throws -> Descriptor {
            let new = replaced[descriptor.digest] ?? descriptor
            let family = types ?? (new == descriptor ? nil : target)
            guard let family else { return new }
            guard let type = family.type(for: new.mediaType) else {
                throw TransportsError(
                    .unsupported, "Docker's format has no type for '\(new.mediaType.rawValue)'",
                    hint: "Leave --format docker out.")
            }
            return Descriptor(mediaType: type, digest: new.digest, size: new.size, annotations: new.annotations)
        }
        let type = form?.type(for: document.descriptor.mediaType) ?? document.descriptor.mediaType
        let hasOtherTypes = try ([manifest.config] + manifest.layers).contains {
            try changed($0).mediaType != $0.mediaType
        }
        guard !replaced.isEmpty || type != document.descriptor.mediaType || hasOtherTypes else {
            return Result(document: document, blobs: below.filter { !$0.isForeignLayer }, source: provider)
        }
        var bytes = try ManifestEditing.replacing(in: document.bytes, type: type, changed)
        if form == .docker { bytes = try Self.withoutAnnotations(bytes) }
        let descriptor = Descriptor(
            mediaType: type, digest: Digest(of: bytes), size: Int64(bytes.count),
            platform: document.descriptor.platform)
        let blobs = try BlobTree.descriptors(in: bytes).filter { !$0.isForeignLayer }
        return Result(
            document: ImageDocument(descriptor, bytes, isMade: document.isMade), blobs: blobs, source: provider)
    }

    /// Docker's manifests have none.
    private static func withoutAnnotations(_ bytes: [UInt8]) throws -> [UInt8] {
        guard var object = try JSON(parsing: bytes).object else { return bytes }
        object["annotations"] = nil
        return JSON.object(object).encoded(.pretty(2))
    }

    /// The compression that a layer must get; `nil` if it stays as it is.
    private func newCompression(of layer: Descriptor, isMade: Bool) -> CompressionOptions? {
        guard let present = layer.mediaType.compression else { return nil }
        if let compression {
            let isRight =
                lazyFormat?.isNamed(by: layer.annotations) ?? (compression.compression == present)
            return isRight ? nil : compression
        }
        if present == .zstd, !capacity.takesZstd || form == .docker { return CompressionOptions(.gzip) }
        if present == .none, isMade, capacity.compressesNewLayers { return CompressionOptions(.gzip) }
        return nil
    }

    /// Compresses a layer anew. It passes through a file, as its digest must be known before it is written.
    private func compress(
        _ layer: Descriptor, _ options: CompressionOptions, from reader: any ImageReader
    ) async throws -> Made {
        if let known = made.withLock({ $0[layer.digest] }) { return known }
        let original = SpoolSink()
        try await reader.copy(layer, into: original) { _ in }
        let new = try await offload { [lazyFormat] in
            guard let source = original.file else {
                throw TransportsError(.imageNotFound, "the blob \(layer.digest) did not arrive")
            }
            return try Self.compress(source, options, lazyFormat)
        }
        made.withLock { $0[layer.digest] = new }
        return new
    }

    private static func compress(
        _ source: SpooledFile, _ options: CompressionOptions, _ format: LazyFormat?
    ) throws -> Made {
        let file = try SpooledFile()
        let stream = BlobStream(source.reader(from: 0))
        guard let format else {
            let (blob, diffID) = try CompressedBlobWriter.recompress(stream, options, to: { try file.write($0) })
            return Made(blob: blob, file: file, diffID: diffID)
        }
        let plain = try SpooledFile()
        _ = try CompressedBlobWriter.recompress(stream, CompressionOptions(.none), to: { try plain.write($0) })
        let (blob, diffID) =
            switch format {
            case .estargz:
                try EStargzLayer.write(plain.descriptor, level: options.level, to: { try file.write($0) })
            case .chunked:
                try ChunkedLayer.write(plain.descriptor, level: options.level, to: { try file.write($0) })
            }
        return Made(blob: blob, file: file, diffID: diffID)
    }

    /// The config of an image in which some layers are other ones.
    private static func config(
        _ old: Descriptor, with diffIDs: [Int: DiffID], from reader: any ImageReader
    ) async throws -> (blob: Descriptor, file: SpooledFile) {
        let sink = MemorySink(limit: BlobTree.documentLimit)
        try await reader.copy(old, into: sink) { _ in }
        guard var object = try JSON(parsing: sink.bytes).object, var rootfs = object["rootfs"]?.object,
            var all = rootfs["diff_ids"]?.array
        else { throw ManifestError(.malformed, "the image's config does not name its layers") }
        for (index, diffID) in diffIDs {
            guard all.indices.contains(index) else {
                throw ManifestError(.malformed, "the image's config names fewer layers than its manifest")
            }
            all[index] = .string(diffID.description)
        }
        rootfs["diff_ids"] = .array(all)
        object["rootfs"] = .object(rootfs)
        let bytes = JSON.object(object).encoded()
        let file = try SpooledFile()
        try file.write(bytes.span)
        let blob = Descriptor(mediaType: old.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
        return (blob, file)
    }
}

extension Descriptor {
    /// The blob in place of another with the same files: the annotations of that stay, but for those about its bytes.
    fileprivate func replacing(_ old: Descriptor) -> Descriptor {
        let kept = old.annotations.filter { !LazyAnnotation.isAboutBytes($0.key) }
        return Descriptor(
            mediaType: mediaType, digest: digest, size: size,
            annotations: kept.merging(annotations, uniquingKeysWith: { $1 }))
    }

    /// Whether it is a layer that may not be handed on and has a place of its own.
    fileprivate var isForeignLayer: Bool {
        !urls.isEmpty && ["foreign", "nondistributable"].contains { mediaType.rawValue.contains($0) }
    }
}

/// Takes one blob into a file without a name.
private final class SpoolSink: BlobSink {
    private let state = Mutex<SpooledFile?>(nil)

    var file: SpooledFile? { state.withLock { $0 } }

    func contains(_ digest: Digest) throws -> Bool { false }

    func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        let file = try SpooledFile()
        state.withLock { $0 = file }
        return Writer(file: file)
    }

    private struct Writer: BlobWriter {
        let file: SpooledFile

        func write(_ bytes: Span<UInt8>) throws { try file.write(bytes) }

        func commit(as digest: Digest) throws {}

        func discard() {}
    }
}
