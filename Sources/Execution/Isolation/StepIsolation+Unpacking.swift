package import Images
import Store

extension StepIsolation {
    /// Unpacks the layers of images in the form that commands of this isolation need.
    ///
    /// - Parameters:
    ///   - images: the store, and the registries that layers are fetched from.
    ///   - trees: the file trees of layers that are known; `nil` for none.
    ///   - progress: shows the layers that are fetched and unpacked.
    /// - Returns: the unpacker, which asks for the form when the first layer is unpacked.
    package func unpacker(
        of images: ImageTransfer, trees: LayerTreeCache? = nil, progress: LayerProgress = .silent
    ) -> SnapshotUnpacker {
        SnapshotUnpacker(
            store: images.store, trees: trees ?? LayerTreeCache(images.store.layers), fetcher: images.fetcher,
            progress: progress, form: form)
    }
}
