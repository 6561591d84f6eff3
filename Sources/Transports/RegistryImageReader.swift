import Diagnostics
package import OCI
package import Registry

/// Reads an image from a registry. Nothing is stored.
package struct RegistryImageReader: ImageReader {
    private let client: RegistryClient
    private let reference: ImageReference

    package init(_ reference: ImageReference, _ client: RegistryClient) {
        self.reference = reference
        self.client = client
    }

    private func pinned(_ digest: Digest) -> ImageReference { reference.with(tag: nil, digest: digest) }

    package func root() async throws -> ImageDocument {
        let (descriptor, bytes) = try await client.fetchManifest(reference)
        return ImageDocument(descriptor, bytes)
    }

    package func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        ImageDocument(descriptor, try await client.fetchManifest(pinned(descriptor.digest)).bytes)
    }

    package func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        try await client.fetchBlob(blob, of: pinned(blob.digest), into: sink, progress: progress)
    }

    package func origin(of blob: Descriptor) async throws -> BlobOrigin {
        let (client, reference) = (client, pinned(blob.digest))
        return { range in
            Registry.ByteStream {
                var next: Registry.ByteStream.Next?
                return {
                    if let next { return try await next() }
                    let iterator = try await client.blobStream(blob, of: reference, range).makeAsyncIterator()
                    next = { try await iterator.next() }
                    return try await iterator.next()
                }
            }
        }
    }

    package func origin(ofLater blob: Descriptor) async throws -> ImageReference? { reference }

    package func referrers(of document: Descriptor) async throws -> [IndexDocument.Entry] {
        try await client.referrers(of: document.digest, in: reference)
    }

    package func repository(with blob: Descriptor, on registry: String) async throws -> String? {
        registry == reference.registry ? reference.repository : nil
    }
}
