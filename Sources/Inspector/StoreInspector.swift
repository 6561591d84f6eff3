import Diagnostics
import Layers
import OCI
package import Store

/// Tells about images of a store from what was recorded of their layers; no layer is read.
package struct StoreInspector: Sendable {
    private let store: StoreRoot

    package init(store: StoreRoot) { self.store = store }

    /// Throws ``InspectorError`` when the config or a layer's file list is not in the store or cannot be read.
    package func analysis(of image: StoredImage) throws -> ImageAnalysis {
        ImageAnalysis(layers: try inputs(of: image, try config(of: image)))
    }

    /// The image with its files. Throws as ``analysis(of:)`` does.
    package func inspect(_ image: StoredImage) throws -> InspectedImage {
        let config = try config(of: image)
        var inspected = InspectedImage(
            config: config, layers: try inputs(of: image, config),
            contents: StoreContents(store: store, diffIDs: config.diffIDs))
        inspected.id = image.id
        return inspected
    }

    /// The image without its files: the commands and the recorded sizes of its layers, for the time until
    /// ``inspect(_:)`` has read the lists of the files. What costs more with more files is not in it.
    ///
    /// Throws ``InspectorError`` when the config is not in the store or cannot be read.
    package func outline(of image: StoredImage) throws -> InspectedImage {
        let config = try config(of: image)
        let commands = ImageHistory.commands(of: config)
        let blobs = Self.blobSizes(of: image, config)
        let none = ReclaimableBytes()
        let layers = try config.diffIDs.enumerated().map { index, diffID in
            let record = try store.layers.layer(diffID)
            return AnalyzedLayer(
                index: index, diffID: diffID, command: commands[index], size: record?.contentSize ?? 0,
                tarSize: record?.tarSize ?? 0, blobSize: blobs[index],
                added: FileTally(count: record?.fileCount ?? 0, bytes: record?.contentSize ?? 0),
                changed: FileTally(), removed: FileTally(), reclaimable: none, causes: none)
        }
        return InspectedImage(
            config: config, id: image.id, layers: layers,
            contents: StoreContents(store: store, diffIDs: config.diffIDs))
    }

    /// By layer; the blobs of a manifest that has another number of layers tell nothing.
    private static func blobSizes(of image: StoredImage, _ config: ImageConfig) -> [Int64?] {
        guard image.layers.count == config.diffIDs.count else { return config.diffIDs.map { _ in nil } }
        return image.layers.map(\.size)
    }

    private func inputs(of image: StoredImage, _ config: ImageConfig) throws -> [AnalyzedLayerInput] {
        let commands = ImageHistory.commands(of: config)
        let blobs = Self.blobSizes(of: image, config)
        let lists = config.diffIDs.map { diffID in
            Parallel { Result { try fileList(of: diffID) } }
        }
        return try config.diffIDs.enumerated().map { index, diffID in
            AnalyzedLayerInput(
                diffID: diffID, files: try lists[index].value.get(), createdBy: commands[index],
                blobSize: blobs[index])
        }
    }

    /// Throws as ``analysis(of:)`` does.
    package func history(of image: StoredImage) throws -> ImageHistory {
        let config = try config(of: image)
        let sizes = try config.diffIDs.map { diffID in
            guard let record = try store.layers.layer(diffID) else { return try fileList(of: diffID).storedSize }
            return record.contentSize
        }
        return ImageHistory(id: image.id, config: config, layerSizes: sizes)
    }

    private func config(of image: StoredImage) throws -> ImageConfig {
        guard let bytes = try store.content.bytes(of: image.id) else {
            throw InspectorError(
                .missingConfig, "the config of image '\(image.id)' is not in the store",
                hint: "Build or pull the image again.")
        }
        return try ImageConfig(parsing: bytes)
    }

    private func fileList(of diffID: DiffID) throws -> PackedFileList {
        guard let bytes = try store.layers.fileList(diffID) else {
            if diffID == .empty { return PackedFileList(FileList([], tarSize: 1024)) }
            throw InspectorError(
                .missingFileList, "the store has no record of what is in layer '\(diffID)'",
                hint: "Build or pull the image again.")
        }
        do {
            return try PackedFileList(encoded: bytes)
        } catch {
            throw InspectorError(
                .badFileList, "the record of what is in layer '\(diffID)' cannot be read",
                hint: "Build or pull the image again.", cause: error)
        }
    }
}
