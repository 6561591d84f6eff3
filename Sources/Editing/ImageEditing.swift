import Diagnostics
import DockerfileSyntax
import Execution
package import Images
import Layers
package import Linux
package import OCI
import Solver
package import Store
package import SystemPackage
import Trees

/// Reads images of the store to be changed, makes the layers that changes need, and records what comes of it.
///
/// Layers that it makes have no name before the image is recorded: hold a lease of the store until then.
package struct ImageEditing: Sendable {
    package let images: ImageTransfer

    package init(_ images: ImageTransfer) { self.images = images }

    /// An image as it is. Its annotations are those of its manifest.
    package func edited(_ image: StoredImage, time: Timestamp) throws -> EditedImage {
        var annotations = image.annotations
        if image.origin != .made, let manifest = image.manifest,
            let bytes = try images.store.content.bytes(of: manifest.digest)
        {
            annotations = try Manifest(parsing: bytes, declared: manifest.mediaType).annotations
        }
        // It is about the blobs of the former manifest.
        annotations["dev.lamina.compression"] = nil
        return try EditedImage(try images.config(of: image), annotations: annotations, time: time)
    }

    /// Records a changed image under its names. Attestations of the former image are about that alone.
    package func record(_ edited: EditedImage, as names: [ImageReference]) throws -> StoredImage {
        let store = images.store
        let config = edited.config
        let id = try store.content.save(config.encoded)
        let image = StoredImage(
            id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs,
            size: try config.diffIDs.clampedSum { try store.layers.approximateSize($0) },
            annotations: edited.annotations)
        return try store.images.record(image, as: names)
    }

    // MARK: Layers

    /// Makes one layer of several. They are unpacked for it, with those below.
    package func merged(_ layers: Range<Int>, of diffIDs: [DiffID]) async throws -> DiffID {
        try await StepIsolation(nil, store: images.store).unpacker(of: images)
            .merged(layers, of: diffIDs, in: images.storage)
    }

    /// Makes a layer of the files in a directory, on top of an image's layers.
    package func layer(
        of directory: FilePath, at destination: PathBytes, on diffIDs: [DiffID], time: FileTime
    ) async throws -> DiffID {
        try await images.fetcher.requireLists(diffIDs) { _ in }
        return try await offload { [images] in
            let base = try LayerTreeCache(images.store.layers).tree(of: diffIDs)
            let files = try ContextTree(directory, rules: IgnoreRules(patterns: []), cache: nil)
            let draft = try AppendedDirectory.draft(of: files, on: base, at: destination, time: time)
            guard draft.count > 0 else {
                throw EditingError(
                    .nothing, "the directory '\(directory)' brings nothing that the image does not have",
                    hint: "Name a directory with files.")
            }
            return try images.storage.write(draft)
        }
    }

    /// Makes a layer of an archive, byte for byte.
    package func layer(ofArchive source: consuming OwnedDescriptor) throws -> DiffID {
        try images.importLayer(DescriptorStream(source))
    }
}
