package import OCI
package import Registry

/// The blobs of an image that is copied: those of its source, and those that were made of them.
package struct BlobProvider: Sendable {
    package let reader: any ImageReader
    /// Blobs that are in files of this process.
    package var made: [Digest: SpooledFile] = [:]

    package init(_ reader: any ImageReader) { self.reader = reader }

    /// Brings a blob into a sink, unless it is there; see ``ImageReader/copy(_:into:progress:)``.
    package func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        guard let file = made[blob.digest] else { return try await reader.copy(blob, into: sink, progress: progress) }
        try await BlobCopy.run(blob, from: { _, offset in file.reader(from: offset) }, into: sink, progress: progress)
    }

    /// The bytes of a blob as they arrive.
    package func origin(of blob: Descriptor) async throws -> BlobOrigin {
        guard let file = made[blob.digest] else { return try await reader.origin(of: blob) }
        return BlobCopy.origin { file.reader(from: $0) }
    }

    /// A repository of `registry` that has the blob.
    package func repository(with blob: Descriptor, on registry: String) async throws -> String? {
        made[blob.digest] == nil ? try await reader.repository(with: blob, on: registry) : nil
    }
}
