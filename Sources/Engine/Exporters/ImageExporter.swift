import Images
import Linux
import OCI
import Solver
import Store

/// Records the image in the store and gives it its names.
struct ImageExporter: Exporter {
    let config: ImageConfig
    /// The annotations of the manifest.
    let annotations: [String: String]

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        let names = product.names
        product.image = try await tools.progress.step("exporting to image") { step in
            step.status("exporting layers")
            let image = try await offload { [store = tools.images.store] in
                let id = try store.content.save(config.encoded)
                let size = try config.diffIDs.clampedSum { try store.layers.approximateSize($0) }
                return try store.images.record(
                    StoredImage(
                        id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs,
                        size: size, annotations: annotations),
                    as: names)
            }
            step.status("exporting layers", isComplete: true)
            step.status("writing image \(image.id)", isComplete: true)
            for name in names { step.status("naming to \(name)", isComplete: true) }
            return image
        }
    }
}
