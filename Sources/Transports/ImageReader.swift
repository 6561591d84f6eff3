import Diagnostics
package import OCI
package import Registry

/// Reads one image, whatever its transport: the document that its name stands for, and all that is below it.
package protocol ImageReader: Sendable {
    /// The document that the name stands for.
    func root() async throws -> ImageDocument

    /// A manifest or an index that another document names.
    ///
    /// Throws when it is not there, or when it is not the one that the descriptor names.
    func document(_ descriptor: Descriptor) async throws -> ImageDocument

    /// Brings a blob into a sink, unless it is there. What is not of its size and digest is not committed.
    ///
    /// `progress` is called with the number of bytes that have arrived.
    func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws

    /// The bytes of a blob as they arrive. Nothing proves that they are the right ones.
    func origin(of blob: Descriptor) async throws -> BlobOrigin

    /// A repository of `registry` that has the blob, so that the registry can take it from there.
    func repository(with blob: Descriptor, on registry: String) async throws -> String?

    /// A blob in a file of this machine; `nil` where blobs come over a network. Nothing proves that its bytes are the
    /// right ones.
    func file(of blob: Descriptor) throws -> (any BlobReader)?

    /// A repository that has the blob, from which it can be had later.
    func origin(ofLater blob: Descriptor) async throws -> ImageReference?

    /// The manifests that name a document as their subject, such as signatures and SBOMs.
    ///
    /// Throws ``TransportsError`` `.unsupported` where the transport has no place for them.
    func referrers(of document: Descriptor) async throws -> [IndexDocument.Entry]
}

extension ImageReader {
    package func file(of blob: Descriptor) throws -> (any BlobReader)? { nil }

    package func origin(ofLater blob: Descriptor) async throws -> ImageReference? { nil }

    package func referrers(of document: Descriptor) async throws -> [IndexDocument.Entry] {
        throw TransportsError(
            .unsupported, "the source keeps nothing that refers to an image",
            hint: "Leave --referrers out, or copy from a registry or an OCI layout.")
    }
}

/// Writes one image, whatever its transport: documents with their blobs, each before what names it, the root at last.
///
/// Nothing of it is visible under the image's name before ``finish()``.
package protocol ImageWriter: Sendable {
    /// Kinds of images and layers that the place can hold.
    var capacity: WriterCapacity { get }

    /// Writes a document after its blobs, of which those that are not there yet come from `source`. Documents that it
    /// names are there already.
    ///
    /// - Returns: the document as the place has it, whose digest may be another one.
    func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor

    /// Notes that a manifest that was written refers to another one, where ``WriterCapacity/takesReferrers`` says that
    /// there is a place for it.
    func note(_ referrer: IndexDocument.Entry, on subject: Digest) async throws

    /// Completes the image and gives it its name.
    func finish() async throws
}

extension ImageWriter {
    package func note(_ referrer: IndexDocument.Entry, on subject: Digest) async throws {
        throw TransportsError(.unsupported, "the destination has no place for what refers to an image")
    }
}

/// Kinds of images and layers that the destination of a copy can hold.
package struct WriterCapacity: Sendable {
    /// Whether an index can be written, or one manifest only.
    package var takesIndexes = true
    /// Whether layers may be compressed with zstd.
    package var takesZstd = true
    /// Whether layers of images that have no manifest yet are compressed.
    package var compressesNewLayers = false
    /// Whether there is a place for what refers to an image.
    package var takesReferrers = false

    package init() {}
}

/// The progress of a transfer, layer by layer.
package enum TransferEvent: Sendable {
    /// The manifest is known; these layers follow.
    case resolved(Descriptor, layers: [Descriptor])
    case layerExists(Descriptor)
    /// The registry took the layer from another of its repositories.
    case layerMounted(Descriptor, from: String)
    /// So many bytes of the layer have arrived or left.
    case layerProgress(Descriptor, Int64)
    case layerDone(Descriptor)
    /// Notices of requests that take a while.
    case waiting(String)
}
