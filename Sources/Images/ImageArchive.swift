import Diagnostics
import Layers
import Linux
package import OCI
package import Store
package import SystemPackage
package import Transports
import Trees

/// An image on its way into an archive or a layout.
package struct ArchivedImage {
    package let names: [ImageReference]
    package let image: StoredImage
    package let config: ImageConfig
    /// The form of the manifest; `nil` for the one that the store would send.
    package let form: ManifestForm?
    /// Annotations of the manifest's descriptor.
    package let annotations: [String: String]
    /// How its index is made, if it has one.
    package let index: IndexForm?
    /// How artifacts about it are made, if it has such.
    package let referrers: ReferrerForm?

    package init(
        names: [ImageReference], image: StoredImage, config: ImageConfig, form: ManifestForm? = nil,
        annotations: [String: String] = [:], index: IndexForm? = nil, referrers: ReferrerForm? = nil
    ) {
        self.index = index
        self.referrers = referrers
        self.names = names
        self.image = image
        self.config = config
        self.form = form
        self.annotations = annotations
    }
}

/// Writes images as one archive that is a Docker archive and an OCI layout at once, or as an OCI layout alone.
///
/// Deterministic: equal images give equal bytes. Source: OCI image-spec, image-layout.md; Docker's image
/// specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
package struct ImageArchive {
    package let source: ImageTransfer
    package let images: [ArchivedImage]
    /// Whether `manifest.json` is written, so that Docker of any age can load the archive.
    package let isForDocker: Bool
    /// For the `created` annotation of the index.
    package let created: Timestamp?
    /// The index of all the images, each for another platform; `nil` for images of their own.
    package var index: SharedIndex?
    /// Hears how many bytes of each layer are written.
    package var report: @Sendable (TransferEvent) -> Void = { _ in }

    /// An index that the archive has in place of its images.
    package struct SharedIndex: Sendable {
        let names: [ImageReference]
        let annotations: [String: String]
        /// Annotations of the index's descriptor.
        let descriptorAnnotations: [String: String]
        let usesOCITypes: Bool

        package init(
            names: [ImageReference], annotations: [String: String], descriptorAnnotations: [String: String],
            usesOCITypes: Bool
        ) {
            self.names = names
            self.annotations = annotations
            self.descriptorAnnotations = descriptorAnnotations
            self.usesOCITypes = usesOCITypes
        }
    }

    package init(source: ImageTransfer, images: [ArchivedImage], isForDocker: Bool, created: Timestamp?) {
        self.source = source
        self.images = images
        self.isForDocker = isForDocker
        self.created = created
    }

    /// An image whose blobs were written.
    private struct Written {
        let image: ArchivedImage
        let manifest: Manifest
        let manifestBytes: [UInt8]

        var descriptor: Descriptor {
            Descriptor(
                mediaType: manifest.mediaType, digest: Digest(of: manifestBytes), size: Int64(manifestBytes.count),
                platform: image.config.platform, annotations: image.annotations)
        }

        func listed(_ created: Timestamp?) -> ListedImage {
            ListedImage(root: descriptor, names: image.names, manifest: manifest, created: created)
        }
    }

    /// Writes the archive; `output` is left open.
    ///
    /// Layers that the store has as no compressed blob are compressed into a file directly, and are not kept otherwise.
    /// - Returns: the manifests of the images, or their index.
    package func write(to output: FileDescriptor) throws -> [Descriptor] {
        let archive = ArchiveOutput(output)
        var layers = ArchivedLayers(
            archive, storage: source.storage, hasGzipOnly: isForDocker, report: report)
        try archive.add(directory: "blobs")
        try archive.add(directory: "blobs/sha256")
        let written = try images.map { image in
            let diffIDs = image.image.diffIDs
            // Docker before 23 takes no zstd layers.
            func isTaken(_ manifest: Manifest) -> Bool {
                !isForDocker || manifest.layers.allSatisfy { $0.mediaType.compression != .zstd }
            }
            let (manifest, bytes) = try source.manifest(of: image.image, in: image.form, taking: isTaken) {
                try LayerStack(ofImage: diffIDs).parts(above: 0).map { try layers.add($0, as: image.form) }
            }
            for blob in manifest.layers + [manifest.config] { try layers.add(blob) }
            try archive.add(document: bytes)
            return Written(image: image, manifest: manifest, manifestBytes: bytes)
        }
        let roots = roots(written)
        for document in roots.flatMap(\.documents) { try archive.add(document: document) }
        for (name, bytes) in documents(roots) {
            try archive.add(name, bytes, permissions: LayoutDocuments.permissions(of: name))
        }
        try archive.finish()
        return roots.map(\.listed.root)
    }

    /// Writes an OCI layout directory. Blobs that are there already stay; the index is replaced.
    package func write(toDirectory path: FilePath) throws -> [Descriptor] {
        let layout = LayoutDirectory(path)
        try FileSystem.makeDirectories(layout.blobs)
        let written = try images.map { image in
            let (manifest, bytes) = try source.manifest(of: image.image, in: image.form)
            for blob in manifest.layers + [manifest.config] { try layout.write(source.storage.open(blob), as: blob) }
            try layout.write(bytes)
            return Written(image: image, manifest: manifest, manifestBytes: bytes)
        }
        let roots = roots(written)
        for document in roots.flatMap(\.documents) { try layout.write(document) }
        for (name, bytes) in documents(roots) { try FileSystem.write(bytes, to: path.pushing(FilePath(name))) }
        return roots.map(\.listed.root)
    }

    // MARK: Documents

    /// A manifest or an index that the archive has under its names.
    private struct Root {
        let listed: ListedImage
        /// The documents of an index: those that it names, and itself.
        var documents: [[UInt8]] = []
    }

    /// The roots, and behind them what refers to an image.
    private func roots(_ images: [Written]) -> [Root] {
        named(images)
            + images.flatMap { written in
                (written.image.referrers?.make(written.descriptor, written.manifest) ?? []).map { referrer in
                    Root(
                        listed: ListedImage(
                            root: referrer.manifest.descriptor, names: [], manifest: nil,
                            artifactType: referrer.artifactType),
                        documents: referrer.manifest.blobs + [referrer.manifest.bytes])
                }
            }
    }

    private func named(_ images: [Written]) -> [Root] {
        guard let index else { return images.map(root) }
        let attached = images.compactMap { $0.image.index?.attach($0.descriptor, $0.manifest) }
        let document = AttachedIndex(
            of: images.map(\.descriptor), attached, annotations: index.annotations,
            descriptorAnnotations: index.descriptorAnnotations, usesOCITypes: index.usesOCITypes)
        let listed = ListedImage(root: document.descriptor, names: index.names, manifest: nil, created: created)
        return [Root(listed: listed, documents: document.documents)]
    }

    private func root(_ written: Written) -> Root {
        guard let index = written.image.index?.index(of: written.descriptor, written.manifest) else {
            return Root(listed: written.listed(created))
        }
        let listed = ListedImage(
            root: index.descriptor, names: written.image.names, manifest: written.manifest, created: created)
        return Root(listed: listed, documents: index.documents)
    }

    /// The files that say what is in the layout.
    private func documents(_ roots: [Root]) -> [(name: String, bytes: [UInt8])] {
        LayoutDocuments.files(for: roots.map(\.listed), isForDocker: isForDocker)
    }
}

extension LayerStorage {
    /// Throws ``ImagesError`` `.corrupt` when the store does not have the blob.
    fileprivate func open(_ blob: Descriptor) throws -> OwnedDescriptor {
        guard let file = try store.content.open(blob.digest) else {
            throw ImagesError(
                .corrupt, "the store has lost the blob \(blob.digest)", hint: "Build or pull the image again.")
        }
        return file
    }
}

/// Writes layers of the store into an archive, each once.
private struct ArchivedLayers {
    private let archive: ArchiveOutput
    private let storage: LayerStorage
    /// Whether layers that are compressed otherwise are compressed anew.
    private let hasGzipOnly: Bool
    private let report: @Sendable (TransferEvent) -> Void
    private var layers: [LayerKey: Descriptor] = [:]

    private struct LayerKey: Hashable {
        let diffID: DiffID
        let choice: BlobChoice
    }

    init(
        _ archive: ArchiveOutput, storage: LayerStorage, hasGzipOnly: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) {
        self.archive = archive
        self.report = report
        self.hasGzipOnly = hasGzipOnly
        self.storage = storage
    }

    /// Adds a blob of the store, unless it is there.
    func add(_ blob: Descriptor) throws {
        guard !archive.contains(blob.digest) else { return }
        let writer = try archive.writer(for: blob)
        let file = try storage.open(blob)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var done: Int64 = 0
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            try writer.write(buffer.span.extracting(..<count))
            done += Int64(count)
            if blob.mediaType.isLayer { report(.layerProgress(blob, done)) }
        }
        // Blobs of the store are what their names say.
        try writer.commit(as: blob.digest)
        if blob.mediaType.isLayer { report(.layerDone(blob)) }
    }

    /// Adds the layer on top of a stack, unless it is there. One that is compressed now goes into the archive alone.
    mutating func add(_ stack: LayerStack, as form: ManifestForm?) throws -> Descriptor {
        guard let diffID = stack.top?.diffID else {
            throw LayerStorage.noLayer
        }
        let choice =
            form?.choice(stack.count - 1) ?? BlobChoice(options: CompressionOptions(.gzip), isExact: hasGzipOnly)
        let key = LayerKey(diffID: diffID, choice: choice)
        if let known = layers[key] { return known }
        let layer: Descriptor
        if let known = try storage.knownBlob(of: diffID, as: choice) {
            layer = known
        } else if try archive.isSeekable && storage.fitsIntoOneHeader(diffID) {
            let report = report
            var source: Descriptor?
            layer = try archive.addLater { sink in
                try storage.compress(stack, as: choice, to: sink) {
                    source = $0
                    report(.layerProgress($0, $1))
                }
            }
            report(.layerDone(source ?? layer))
        } else {
            layer = try storage.blob(of: stack, as: choice, mayBeElsewhere: false)
        }
        layers[key] = layer
        try add(layer)
        return layer
    }
}

extension LayerStorage {
    /// Whether the blob of a layer is surely small enough for a header of one block, which ends at 8 GiB.
    fileprivate func fitsIntoOneHeader(_ diffID: DiffID) throws -> Bool {
        guard let layer = try store.layers.layer(diffID) else { return false }
        return layer.contentSize < 6 << 30 && layer.fileCount < 500_000
    }
}
