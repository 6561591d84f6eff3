import Diagnostics
import OCI
import Registry
import Synchronization

/// An index whose images are at several places.
final class AssembledIndex: ImageReader {
    private let top: ImageDocument
    /// The readers of entries, and of what the documents below them name as far as these were read.
    private let readers: Mutex<[Digest: any ImageReader]>

    init(_ index: IndexDocument, _ readers: [Digest: any ImageReader]) {
        let bytes = index.encoded()
        top = ImageDocument(
            Descriptor(mediaType: index.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count)), bytes)
        self.readers = Mutex(readers)
    }

    private func reader(of blob: Descriptor) throws -> any ImageReader {
        guard let reader = readers.withLock({ $0[blob.digest] }) else {
            throw TransportsError(.imageNotFound, "it is not known where the blob \(blob.digest) is")
        }
        return reader
    }

    func root() async throws -> ImageDocument { top }

    func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        let reader = try reader(of: descriptor)
        let document = try await reader.document(descriptor)
        let below = try BlobTree.descriptors(in: document.bytes)
        readers.withLock { readers in
            for blob in below where readers[blob.digest] == nil { readers[blob.digest] = reader }
        }
        return document
    }

    func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        try await reader(of: blob).copy(blob, into: sink, progress: progress)
    }

    func origin(of blob: Descriptor) async throws -> BlobOrigin { try await reader(of: blob).origin(of: blob) }

    func origin(ofLater blob: Descriptor) async throws -> ImageReference? {
        try await reader(of: blob).origin(ofLater: blob)
    }

    func repository(with blob: Descriptor, on registry: String) async throws -> String? {
        try await reader(of: blob).repository(with: blob, on: registry)
    }
}
