import Diagnostics
import Linux
package import OCI
import Registry
package import Store
package import Transports

extension ImageTransfer {
    /// A manifest below an index, with what it names.
    private struct IndexEntry: Sendable {
        let descriptor: Descriptor
        let bytes: [UInt8]
        let blobs: [Descriptor]

        /// The document, with the entries of an index that were pushed in another form replaced by those.
        func bytes(replacing converted: [Digest: Descriptor]) throws -> [UInt8] {
            guard descriptor.mediaType.isIndex, !converted.isEmpty else { return bytes }
            let index = try Index(parsing: bytes, declared: descriptor.mediaType)
            guard index.manifests.contains(where: { converted[$0.digest] != nil }) else { return bytes }
            let manifests = index.manifests.map { entry in
                guard let other = converted[entry.digest] else { return entry }
                return Descriptor(
                    mediaType: other.mediaType, digest: other.digest, size: other.size, platform: entry.platform,
                    annotations: entry.annotations)
            }
            return Index(mediaType: index.mediaType, manifests: manifests, annotations: index.annotations)
                .encoded(.pretty(2))
        }
    }

    /// Pushes an index unchanged: every manifest below it with its blobs, nested indexes, then the index itself.
    ///
    /// Manifests and blobs that the store does not have come from where the index came from. Throws ``ImagesError``
    /// `.imageNotFound` before anything is sent when there is no such place.
    package func push(
        index root: ImageRoot, as reference: ImageReference, report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let origin = root.location.flatMap(BlobLocation.init(decoding:))
        let entries = try await entries(of: root.descriptor, from: origin, depth: 0)
        guard let top = entries.last else {
            throw ImagesError(.corrupt, "the store has lost the index \(root.descriptor.digest)")
        }
        let absent = try await offload { [store] in
            try entries.map { entry in (entry, try entry.blobs.filter { try !store.content.contains($0.digest) }) }
        }
        if origin == nil, let (entry, blobs) = absent.first(where: { !$0.1.isEmpty }) {
            throw Self.lost(entry.descriptor, blobs[0])
        }
        report(.resolved(root.descriptor, layers: []))
        let access = BlobAccess(store: store, registry: registry)
        // Documents that the registry took with other media types, and so under other digests.
        var converted: [Digest: Descriptor] = [:]
        for (entry, blobs) in absent.dropLast() {
            var origins: [Digest: String] = [:]
            var streams: [Digest: BlobOrigin] = [:]
            for blob in blobs {
                guard let origin else { continue }
                if case .registry(reference.registry, let repository) = origin { origins[blob.digest] = repository }
                streams[blob.digest] = { access.stream(blob, from: [origin], $0) }
            }
            let bytes = try entry.bytes(replacing: converted)
            let pushed = try await registry.client.push(
                manifest: bytes, type: entry.descriptor.mediaType, blobs: entry.blobs, from: store.content,
                as: reference.with(tag: nil, digest: Digest(of: bytes)), mounting: origins, streaming: streams,
                progress: Self.pushProgress(report))
            if pushed.digest != entry.descriptor.digest { converted[entry.descriptor.digest] = pushed }
        }
        return try await registry.client.pushManifest(
            top.bytes(replacing: converted), type: top.descriptor.mediaType, as: reference)
    }

    /// The manifests below a document and the document itself, each after everything that it names.
    private func entries(
        of descriptor: Descriptor, from origin: BlobLocation?, depth: Int
    ) async throws -> [IndexEntry] {
        guard depth <= 4 else { throw ImagesError(.unsupported, "its indexes are nested more than 4 deep") }
        let bytes = try await document(descriptor, from: origin)
        let below = try BlobTree.descriptors(in: bytes)
        guard descriptor.mediaType.isIndex else {
            return [IndexEntry(descriptor: descriptor, bytes: bytes, blobs: below)]
        }
        var entries: [IndexEntry] = []
        for child in below { entries += try await self.entries(of: child, from: origin, depth: depth + 1) }
        return entries + [IndexEntry(descriptor: descriptor, bytes: bytes, blobs: [])]
    }

    /// A document of the store, or else of the place its index came from, which the store then keeps.
    private func document(_ descriptor: Descriptor, from origin: BlobLocation?) async throws -> [UInt8] {
        let known = try await offload { [store] in
            try store.content.bytes(of: descriptor.digest, limit: Self.documentLimit)
        }
        if let known { return known }
        guard let reference = origin?.reference(to: descriptor.digest) else {
            throw Self.lost(descriptor, descriptor)
        }
        let bytes = try await registry.client.fetchManifest(reference).bytes
        return try await offload { [store] in
            _ = try store.content.save(bytes)
            return bytes
        }
    }

    private static func lost(_ manifest: Descriptor, _ blob: Descriptor) -> ImagesError {
        let platform = manifest.platform.map { " for \($0)" } ?? ""
        return ImagesError(
            .imageNotFound, "the index has an image\(platform) of which the blob \(blob.digest) is not here",
            hint: "Push one platform with --platform, or pull the index again.")
    }
}
