import Diagnostics
import Linux
package import OCI
import Registry
package import Store
package import Transports

extension ImageTransfer {
    /// Pushes an index unchanged: every manifest below it with its blobs, nested indexes, then the index itself.
    ///
    /// Of an index that was made here, the manifests are made now, with compressed layers. Untagged, the index is pushed
    /// by its digest alone. Manifests and blobs that the store does not have come from where the index came from. Throws
    /// ``ImagesError`` `.imageNotFound` before anything is sent when there is no such place.
    package func push(
        index root: ImageRoot, as reference: ImageReference, isTagged: Bool = true,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        try await offload { [self] in
            if root.location == nil, root.origin != .made { try requireAll(of: root) }
        }
        let reader = try await offload { [self] in try StoreImageReader(root, in: self) }
        let target = isTagged ? reference : reference.with(tag: nil, digest: try await reader.root().descriptor.digest)
        let pushed = try await NetworkNotice.heard(by: { report(.waiting($0)) }) {
            try await ImageCopy().run(from: reader, to: RegistryImageWriter(target, registry.client), report: report)
        }
        if pushed.digest != root.descriptor.digest {
            try await offload { [store] in
                try store.images.notePush(
                    of: root.descriptor.digest, as: reference.with(tag: nil, digest: pushed.digest))
            }
        }
        return pushed
    }

    /// Throws ``ImagesError`` `.imageNotFound` when a blob of an index is not in the store, and is no layer that can be had
    /// elsewhere.
    private func requireAll(of index: ImageRoot) throws {
        let root = index.descriptor
        let layers = index.images.flatMap { zip($0.layers.map(\.digest), $0.diffIDs) }
        let elsewhere = Set(
            try layers.filter { digest, diffID in
                try store.layers.sources(of: diffID).contains { $0.blob.digest == digest }
            }.map(\.0))
        let read: (Descriptor) throws -> [UInt8]? = { [store] in
            try store.content.bytes(of: $0.digest, limit: Self.documentLimit)
        }
        guard let bytes = try read(root) else {
            throw ImagesError(.corrupt, "the store has lost the index \(root.digest)")
        }
        for entry in try BlobTree.descriptors(in: bytes) {
            for blob in [entry] + (try BlobTree(entry, read: read).blobs)
            where try !elsewhere.contains(blob.digest) && !store.content.contains(blob.digest) {
                throw Self.lost(entry, blob)
            }
        }
    }

    private static func lost(_ manifest: Descriptor, _ blob: Descriptor) -> ImagesError {
        let platform = manifest.platform.map { " for \($0)" } ?? ""
        return ImagesError(
            .imageNotFound, "the index has an image\(platform) of which the blob \(blob.digest) is not here",
            hint: "Push one platform with --platform, or pull the index again.")
    }
}
