import Diagnostics
import Linux
package import OCI
import Registry
package import Store

/// How a transfer is going, layer by layer.
package enum TransferEvent: Sendable {
    /// The manifest is known; these layers follow.
    case resolved(Descriptor, layers: [Descriptor])
    case layerExists(Descriptor)
    /// So many bytes of the layer have arrived or left.
    case layerProgress(Descriptor, Int64)
    case layerDone(Descriptor)
}

extension ImageTransfer {
    /// Pulls an image and names it in the store.
    package func pull(
        _ reference: ImageReference, platform: Platform, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> StoredImage {
        let lease = try store.lease()
        let client = registry.client
        let resolved = try await client.resolve(reference, platform: platform)
        let manifest = resolved.manifest
        report(.resolved(resolved.manifestDescriptor, layers: manifest.layers))
        try await client.fetchBlob(manifest.config, of: reference, into: store.content)
        let config = try await offload { [store] in
            guard let bytes = try store.content.bytes(of: manifest.config.digest) else {
                throw EngineError(.corrupt, "the config of \(reference) vanished from the store")
            }
            return try ImageConfig(parsing: bytes)
        }
        guard config.diffIDs.count == manifest.layers.count else {
            throw EngineError(
                .badArchive,
                "the manifest of \(reference) has \(manifest.layers.count) layers, its config \(config.diffIDs.count)",
                hint: "The image is damaged, or is no container image.")
        }
        try await fetchLayers(manifest, config, of: reference, report: report)
        let image = try await offload { [self] in
            _ = try store.content.save(resolved.manifestBytes)
            return try save(
                manifest.config.digest, config, manifest: resolved.manifestDescriptor, layers: manifest.layers,
                as: [reference])
        }
        _ = consume lease
        return image
    }

    private func fetchLayers(
        _ manifest: Manifest, _ config: ImageConfig, of reference: ImageReference,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        var seen: Set<Digest> = []
        let layers = zip(manifest.layers, config.diffIDs).filter { seen.insert($0.0.digest).inserted }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, (layer, diffID)) in layers.enumerated() {
                // Three downloads at once, as Docker has it.
                if number >= 3 { try await group.next() }
                group.addTask { try await fetch(layer, diffID, of: reference, report: report) }
            }
            try await group.waitForAll()
        }
    }

    private func fetch(
        _ layer: Descriptor, _ diffID: DiffID, of reference: ImageReference,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        guard layer.mediaType.isLayer else {
            throw EngineError(
                .unsupported,
                "the layer \(layer.digest) of \(reference) is of type \(layer.mediaType.rawValue), which cannot be unpacked"
            )
        }
        if try store.content.contains(layer.digest) {
            report(.layerExists(layer))
        } else {
            try await registry.client.fetchBlob(layer, of: reference, into: store.content) {
                report(.layerProgress(layer, $0))
            }
        }
        try await offload { [self] in try index(layer, expecting: diffID) }
        report(.layerDone(layer))
    }
}
