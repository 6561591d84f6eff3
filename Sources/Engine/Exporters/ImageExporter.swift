import Diagnostics
import Images
import Linux
import OCI
import Requests
import Solver
import Store

/// Records the image in the store in the form of an output, and gives it its names.
struct ImageExporter: Exporter, Hashable {
    let settings: ImageSettings
    let names: [ImageReference]
    /// Whether the store keeps the manifest that the output asks for, so that it is what a later push sends. The
    /// manifest of an archive is made while the archive is written.
    let keepsManifest: Bool
    /// Whether the image is one of an index, which alone is recorded.
    var isPartOfIndex = false

    func export(_ product: inout BuildProduct, with tools: ExportTools) async throws {
        _ = try await record(&product, with: tools)
    }

    /// The image as it was recorded, now or for another output that asks for the same.
    func record(_ product: inout BuildProduct, with tools: ExportTools) async throws -> OutputImage {
        let output = if let known = product.images[self] { known } else { try await make(product, with: tools) }
        product.images[self] = output
        product.image = output.image
        return output
    }

    private func make(_ product: BuildProduct, with tools: ExportTools) async throws -> OutputImage {
        guard let draft = product.draft else {
            throw EngineError(.imageNotFound, "the outputs of this build are files, and no image was made")
        }
        let forming = ImageForming(draft: draft, settings: settings, epoch: product.epoch, tools: tools)
        let namesInStore = namesInStore(besides: product.image)
        return try await tools.progress.step("exporting to image") { step in
            step.status("exporting layers")
            let config = try await forming.config(step)
            let form = forming.form()
            let packages = try await forming.packages(of: config, as: names, step)
            let index = forming.index(names: names, packages)
            let referrers = forming.referrers(names: names, packages)
            if let form, keepsManifest {
                let count = config.diffIDs.count
                let isWhole = index != nil || isPartOfIndex
                let indices = isWhole ? Array(0..<count) : form.madeIndices(of: count)
                try await forming.fetch(indices, of: config.diffIDs)
            }
            let image = try await offload { [images = tools.images] in
                try record(config, form, index, forming, as: namesInStore, in: images)
            }
            step.status("exporting layers", isComplete: true)
            step.status("writing image \(image.id)", isComplete: true)
            for name in namesInStore { step.status("naming to \(name)", isComplete: true) }
            return OutputImage(
                image: image, config: config, form: form, descriptorAnnotations: forming.descriptorAnnotations,
                index: index, referrers: referrers)
        }
    }

    /// The names that the image gets in the store. A push by digest leaves no tag anywhere, and an archive takes no name
    /// from the image of an output before it. An image of an index has none: its names are the index's.
    private func namesInStore(besides recorded: StoredImage?) -> [ImageReference] {
        guard !isPartOfIndex else { return [] }
        return keepsManifest || recorded == nil ? names.filter { $0.tag != nil } : []
    }

    private func record(
        _ config: ImageConfig, _ form: ManifestForm?, _ index: IndexForm?, _ forming: ImageForming,
        as namesInStore: [ImageReference], in images: ImageTransfer
    ) throws -> StoredImage {
        let store = images.store
        let id = try store.content.save(config.encoded)
        let size = try config.diffIDs.clampedSum { try store.layers.approximateSize($0) }
        let image = StoredImage(
            id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs, size: size,
            annotations: forming.annotations)
        if isPartOfIndex {
            guard let form, keepsManifest else { return image }
            return try images.formed(image, in: form)
        }
        let recorded =
            if let form, let index, keepsManifest {
                try images.record(
                    image, config, in: form, index, annotations: forming.descriptorAnnotations, as: namesInStore)
            } else if let form, keepsManifest {
                try images.record(image, config, in: form, as: namesInStore)
            } else {
                try store.images.record(image, as: namesInStore)
            }
        try name(recorded, in: store)
        return recorded
    }

    /// Gives the image the names with its digest that the output asks for.
    private func name(_ image: StoredImage, in store: StoreRoot) throws {
        guard let digest = image.root?.digest ?? image.manifest?.digest else { return }
        for name in settings.naming.names(besides: names) {
            _ = try store.images.tag(name.with(tag: nil, digest: digest), image)
        }
    }
}
