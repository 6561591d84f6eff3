import Diagnostics
package import OCI
package import Registry

/// Writes an image to a registry.
package struct RegistryImageWriter: ImageWriter {
    private let client: RegistryClient
    private let reference: ImageReference

    package init(_ reference: ImageReference, _ client: RegistryClient) {
        self.reference = reference
        self.client = client
    }

    package var capacity: WriterCapacity {
        var capacity = WriterCapacity()
        capacity.compressesNewLayers = true
        capacity.takesReferrers = true
        return capacity
    }

    package func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let target = isRoot ? reference : reference.with(tag: nil, digest: document.descriptor.digest)
        if isRoot, let wanted = reference.digest, wanted != document.descriptor.digest {
            throw TransportsError(
                .digestChanged, "the image is \(document.descriptor.digest), and cannot be written as \(wanted)",
                hint: "Name a tag in place of the digest.")
        }
        let type = document.descriptor.mediaType
        guard !blobs.isEmpty else { return try await client.pushManifest(document.bytes, type: type, as: target) }
        var origins: [Digest: String] = [:]
        var streams: [Digest: BlobOrigin] = [:]
        for blob in blobs {
            streams[blob.digest] = try await source.origin(of: blob)
            origins[blob.digest] = try await source.repository(with: blob, on: reference.registry)
        }
        return try await client.push(
            manifest: document.bytes, type: type, blobs: blobs, from: NoBlobs(), as: target, mounting: origins,
            streaming: streams
        ) { blob, event in
            switch event {
            case .exists: report(.layerExists(blob))
            case .mounted(let origin): report(.layerMounted(blob, from: origin))
            case .sent(let count): report(.layerProgress(blob, count))
            case .accepted: report(.layerDone(blob))
            }
        }
    }

    package func note(_ referrer: IndexDocument.Entry, on subject: Digest) async throws {
        try await client.note(referrer, on: subject, in: reference)
    }

    package func finish() async throws {}
}

/// A source without blobs: all of them are streamed.
private struct NoBlobs: BlobSource {
    func reader(for descriptor: Descriptor, from offset: Int64) throws -> any BlobReader {
        throw TransportsError(.imageNotFound, "the blob \(descriptor.digest) has no source")
    }
}
