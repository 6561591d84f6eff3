import Diagnostics
package import Inspector
import Layers
import Linux
package import OCI
package import Transports

/// An image outside of the store: in a registry, an archive or a directory. Its layers are read in one pass each, and
/// nothing of them is stored but the lists of their files.
package struct ForeignImage: Sendable {
    private let reader: any ImageReader
    private let lists: FileListCache
    /// Whether layers that have a table of contents are listed by it. Such lists tell contents apart by other sums than
    /// those of other images do.
    private let usesTables: Bool

    package init(_ reader: any ImageReader, lists: FileListCache, usesTables: Bool) {
        self.reader = reader
        self.lists = lists
        self.usesTables = usesTables
    }

    /// The image with its files. Without `platform` that for this machine, or the first if there is none.
    ///
    /// Throws ``ForeignImageError`` when a layer is not the one that the config names, and as the reader does.
    package func inspect(
        platform: Platform?, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> InspectedImage {
        let document = try await reader.manifest(below: reader.root(), for: platform)
        let manifest = try document.manifest()
        let config = try ImageConfig(parsing: try await bytes(of: manifest.config))
        if let platform, config.platform.distance(from: platform) == nil {
            throw ForeignImageError(
                .noPlatform, "the image is for \(config.platform), and not for \(platform)",
                hint: "Leave --platform out to see it.")
        }
        guard config.diffIDs.count == manifest.layers.count else {
            throw ForeignImageError(
                .damaged, "it has \(manifest.layers.count) layers for an image of \(config.diffIDs.count)",
                hint: "The image is damaged: make it again.")
        }
        report(.resolved(document.descriptor, layers: manifest.layers))
        let listing = LayerListing(
            reader: reader, layers: manifest.layers, diffIDs: config.diffIDs, cache: lists, report: report)
        let found = try await listing.lists(usesTables: usesTables)
        let commands = ImageHistory.commands(of: config)
        let inputs = manifest.layers.indices.map { index in
            AnalyzedLayerInput(
                diffID: config.diffIDs[index], files: found.lists[index], createdBy: commands[index],
                blobSize: manifest.layers[index].size)
        }
        return InspectedImage(
            config: config, layers: inputs,
            contents: ForeignContents(
                reader: reader, layers: manifest.layers, tables: found.tables, sum: found.sum))
    }

    private func bytes(of blob: Descriptor) async throws -> [UInt8] {
        let sink = MemorySink(limit: BlobTree.documentLimit)
        try await reader.copy(blob, into: sink) { _ in }
        return sink.bytes
    }
}
