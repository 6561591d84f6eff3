import Attestations
import Diagnostics
import DockerfileSyntax
import Execution
package import Images
import Layers
package import Linux
package import OCI
import Requests
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

    /// An image as it is, found by a name or an ID. Its annotations are those of its manifest.
    package func edited(_ image: StoredImage, named text: String, time: Timestamp) throws -> EditedImage {
        var annotations = image.annotations
        if image.origin != .made, let manifest = image.manifest,
            let bytes = try images.store.content.bytes(of: manifest.digest)
        {
            annotations = try Manifest(parsing: bytes, declared: manifest.mediaType).annotations
        }
        // It is about the blobs of the former manifest.
        annotations["dev.lamina.compression"] = nil
        var edited = try EditedImage(try images.config(of: image), annotations: annotations, time: time)
        edited.use(try image.name(meantBy: text, in: images), image.rootDigest ?? image.id)
        return edited
    }

    /// Records a changed image under its names. Attestations of the former image are about that alone.
    ///
    /// With a command it gets a provenance that names the command; all layers are in the store then.
    package func record(
        _ edited: EditedImage, as names: [ImageReference], attestedBy command: String? = nil
    ) throws -> StoredImage {
        let store = images.store
        let config = edited.config
        let id = try store.content.save(config.encoded)
        let image = StoredImage(
            id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs,
            size: try config.diffIDs.clampedSum { try store.layers.approximateSize($0) },
            annotations: edited.annotations)
        guard let command else { return try store.images.record(image, as: names) }
        var form = ManifestForm()
        form.annotations = edited.annotations
        // A layer that has a compressed blob keeps it.
        form.baseCount = config.diffIDs.count
        let provenance = EditProvenance(
            command: command, changes: edited.changes, materials: edited.materials, platform: config.platform,
            time: edited.time, version: Version.current)
        let index = IndexForm(annotations: [:], descriptorAnnotations: [:]) { descriptor, _ in
            let statement = Statement(
                predicateType: EditProvenance.predicateType,
                subjects: Statement.subjects(of: descriptor, names: names, platform: config.platform),
                predicate: provenance.json)
            let made = AttestationManifest([statement], about: descriptor, isArtifact: true)
            return AttachedManifest(
                descriptor: made.descriptor(about: descriptor), bytes: made.bytes, blobs: made.blobs)
        }
        return try images.record(image, config, in: form, index, annotations: [:], as: names)
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
