import Diagnostics
import Linux
import OCI
import Store
import Transports

extension ImageTransfer {
    /// Pushes an index unchanged: every manifest below it with its blobs, nested indexes, then the index itself.
    ///
    /// Manifests and blobs that the store does not have come from where the index came from. Throws ``ImagesError``
    /// `.imageNotFound` before anything is sent when there is no such place.
    func push(
        index root: ImageRoot, as reference: ImageReference, report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        try await offload { [self] in
            if root.location == nil { try requireAll(of: root.descriptor) }
        }
        let reader = try StoreImageReader(reference.description, in: self)
        return try await ImageCopy().run(
            from: reader, to: RegistryImageWriter(reference, registry.client), report: report)
    }

    /// Throws ``ImagesError`` `.imageNotFound` when a blob of an index is not in the store.
    private func requireAll(of root: Descriptor) throws {
        let read: (Descriptor) throws -> [UInt8]? = { [store] in
            try store.content.bytes(of: $0.digest, limit: Self.documentLimit)
        }
        guard let bytes = try read(root) else {
            throw ImagesError(.corrupt, "the store has lost the index \(root.digest)")
        }
        for entry in try BlobTree.descriptors(in: bytes) {
            for blob in [entry] + (try BlobTree(entry, read: read).blobs)
            where try !store.content.contains(blob.digest) { throw Self.lost(entry, blob) }
        }
    }

    private static func lost(_ manifest: Descriptor, _ blob: Descriptor) -> ImagesError {
        let platform = manifest.platform.map { " for \($0)" } ?? ""
        return ImagesError(
            .imageNotFound, "the index has an image\(platform) of which the blob \(blob.digest) is not here",
            hint: "Push one platform with --platform, or pull the index again.")
    }
}
