import Diagnostics
import Linux
package import OCI
import Registry
package import Store
package import Transports

extension ImageTransfer {
    /// Pulls an image with the layers of all its platforms, and all else that its index names. The name is given when all
    /// of it is there.
    ///
    /// - Returns: the image for this machine, or else the first.
    package func pullAll(
        _ reference: ImageReference, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> StoredImage {
        let lease = try store.lease()
        let image = try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            let (root, bytes) = try await registry.client.fetchManifest(reference)
            guard root.mediaType.isIndex else { return try await pull(reference, platform: .host, report: report) }
            var learned: [LearnedImage] = []
            try await walk(ImageDocument(root, bytes), of: reference, depth: 0) { document in
                guard let manifest = try? document.manifest(), manifest.isContainerImage else {
                    return try await fetchBlobs(of: document, of: reference, report)
                }
                let found = ResolvedImage(
                    manifestDescriptor: document.descriptor, manifest: manifest, manifestBytes: document.bytes,
                    rootDescriptor: root, rootBytes: bytes)
                let image = try await learn(found, of: reference) { report(.resolved($0, layers: $1)) }
                try await fetchLayers(of: image.image, report: report)
                learned.append(image)
            }
            let images = learned
            return try await offload { [self] in
                let parts = images.map { RootPart(descriptor: $0.descriptor, manifest: $0.manifest, config: $0.config) }
                guard let location = images.first?.location.encoded else {
                    throw ImagesError(
                        .unsupported, "\(reference.familiar) is an index without an image of a container",
                        hint: "Copy it to a registry or to an OCI layout.")
                }
                return try save(root, at: location, parts, as: [reference])
            }
        }
        _ = consume lease
        return image
    }

    /// Goes through the manifests below an index, of which `body` gets each once. Indexes are kept in the store.
    private func walk(
        _ index: ImageDocument, of reference: ImageReference, depth: Int, _ body: (ImageDocument) async throws -> Void
    ) async throws {
        guard depth <= 4 else {
            throw ImagesError(.unsupported, "the indexes of \(reference.familiar) are nested more than 4 deep")
        }
        var seen: Set<Digest> = []
        for entry in try Index(parsing: index.bytes, declared: index.descriptor.mediaType).manifests
        where seen.insert(entry.digest).inserted {
            let pinned = reference.with(tag: nil, digest: entry.digest)
            let (found, bytes) = try await registry.client.fetchManifest(pinned)
            let descriptor = Descriptor(
                mediaType: found.mediaType, digest: found.digest, size: found.size, platform: entry.platform,
                annotations: entry.annotations)
            let document = ImageDocument(descriptor, bytes)
            _ = try await offload { [store] in try store.content.save(bytes) }
            if found.mediaType.isIndex {
                try await walk(document, of: reference, depth: depth + 1, body)
            } else {
                try await body(document)
            }
        }
    }

    /// Fetches all that a manifest names which is no image of a container, such as an attestation.
    private func fetchBlobs(
        of document: ImageDocument, of reference: ImageReference, _ report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        let blobs = try BlobTree.descriptors(in: document.bytes)
        report(.resolved(document.descriptor, layers: blobs))
        let source = BlobProvider(RegistryImageReader(reference, registry.client))
        try await BlobWriting.copy(blobs, from: source, into: store.content, limit: 4, report: report)
    }
}
