import Diagnostics
import Layers
import Linux
package import OCI
package import Store
package import SystemPackage
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

    package init(
        names: [ImageReference], image: StoredImage, config: ImageConfig, form: ManifestForm? = nil,
        annotations: [String: String] = [:]
    ) {
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
    /// The names of an index of all the images, each for another platform; `nil` for images of their own.
    package var indexNames: [ImageReference]?

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
    }

    /// Writes the archive; `output` is left open.
    ///
    /// Layers that the store has as no compressed blob are compressed into a file directly, and are not kept otherwise.
    /// - Returns: the manifests of the images, or their index.
    package func write(to output: FileDescriptor) throws -> [Descriptor] {
        var archive = ArchiveWriter(output, storage: source.storage)
        try archive.add(directory: "blobs")
        try archive.add(directory: "blobs/sha256")
        let written = try images.map { image in
            let diffIDs = image.image.diffIDs
            let (manifest, bytes) = try source.manifest(of: image.image, in: image.form) {
                try diffIDs.indices.map { try archive.add(layer: $0, of: diffIDs, as: image.form?.choice($0) ?? .any) }
            }
            for blob in manifest.layers + [manifest.config] { try archive.add(blob) }
            try archive.add(Self.path(of: Digest(of: bytes)), bytes, permissions: 0o444)
            return Written(image: image, manifest: manifest, manifestBytes: bytes)
        }
        let roots = roots(written)
        for case let bytes? in roots.map(\.index) {
            try archive.add(Self.path(of: Digest(of: bytes)), bytes, permissions: 0o444)
        }
        for (name, bytes) in documents(written, roots) { try archive.add(name, bytes, permissions: name.fileMode) }
        try archive.finish()
        return roots.map(\.descriptor)
    }

    /// Writes an OCI layout directory. Blobs that are there already stay; the index is replaced.
    package func write(toDirectory path: FilePath) throws -> [Descriptor] {
        try FileSystem.makeDirectories(path.appending("blobs").appending("sha256"))
        let written = try images.map { image in
            let (manifest, bytes) = try source.manifest(of: image.image, in: image.form)
            for blob in manifest.layers + [manifest.config] {
                try FileSystem.copy(source.storage.open(blob), to: path.pushing(FilePath(Self.path(of: blob.digest))))
            }
            try FileSystem.write(bytes, to: path.pushing(FilePath(Self.path(of: Digest(of: bytes)))))
            return Written(image: image, manifest: manifest, manifestBytes: bytes)
        }
        let roots = roots(written)
        for case let bytes? in roots.map(\.index) {
            try FileSystem.write(bytes, to: path.pushing(FilePath(Self.path(of: Digest(of: bytes)))))
        }
        for (name, bytes) in documents(written, roots) {
            try FileSystem.write(bytes, to: path.pushing(FilePath(name)))
        }
        return roots.map(\.descriptor)
    }

    /// Where a blob is in the layout.
    fileprivate static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    // MARK: Documents

    /// A manifest or an index that the archive has under its names.
    private struct Root {
        let descriptor: Descriptor
        let names: [ImageReference]
        /// The document of an index.
        var index: [UInt8]?
    }

    private func roots(_ images: [Written]) -> [Root] {
        guard let indexNames else { return images.map { Root(descriptor: $0.descriptor, names: $0.image.names) } }
        let index = Index(manifests: images.map(\.descriptor))
        let bytes = index.encoded(.pretty(2))
        let descriptor = Descriptor(mediaType: index.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count))
        return [Root(descriptor: descriptor, names: indexNames, index: bytes)]
    }

    /// The files that say what is in the layout.
    private func documents(_ images: [Written], _ roots: [Root]) -> [(name: String, bytes: [UInt8])] {
        var documents = [("index.json", index(roots).encoded(.compact))]
        if isForDocker { documents.append(("manifest.json", Self.dockerManifest(images).encoded())) }
        documents.append(("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)))
        return documents
    }

    private func index(_ roots: [Root]) -> Index {
        Index(
            manifests: roots.flatMap { root in
                (root.names.isEmpty ? [nil] : root.names.map(Optional.some)).map { name in
                    var annotations = root.descriptor.annotations
                    if let name {
                        annotations["io.containerd.image.name"] = name.description
                        annotations["org.opencontainers.image.ref.name"] = name.tag
                    }
                    annotations["org.opencontainers.image.created"] = created?.description
                    return Descriptor(
                        mediaType: root.descriptor.mediaType, digest: root.descriptor.digest,
                        size: root.descriptor.size, platform: root.descriptor.platform, annotations: annotations)
                }
            })
    }

    private static func dockerManifest(_ images: [Written]) -> JSON {
        .array(
            images.map { written in
                let (names, manifest) = (written.image.names, written.manifest)
                return .object(
                    ("Config", .string(path(of: manifest.config.digest))),
                    ("RepoTags", names.isEmpty ? .null : .array(names.map { .string($0.familiar) })),
                    ("Layers", .array(manifest.layers.map { .string(path(of: $0.digest)) })))
            })
    }
}

extension String {
    /// Blobs are what they are; the documents may be edited.
    fileprivate var fileMode: UInt32 { hasSuffix(".json") ? 0o644 : 0o444 }
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

/// Writes the members of an archive, each blob once.
private struct ArchiveWriter: ~Copyable {
    private var tar: TarWriter<DescriptorSink>
    private let output: FileDescriptor
    private let storage: LayerStorage
    /// Whether a header can be written after its content.
    private let isSeekable: Bool
    private var blobs: Set<Digest> = []
    private var layers: [LayerKey: Descriptor] = [:]

    private struct LayerKey: Hashable {
        let diffID: DiffID
        let choice: BlobChoice
    }

    init(_ output: FileDescriptor, storage: LayerStorage) {
        self.output = output
        self.storage = storage
        tar = TarWriter(DescriptorSink(descriptor: output))
        isSeekable = output.takesWritesAnywhere
    }

    mutating func add(directory path: String) throws {
        try tar.writeHeader(LayerEntry(path: PathBytes(path), kind: .directory, permissions: 0o755))
    }

    mutating func add(_ path: String, _ bytes: [UInt8], permissions: UInt32) throws {
        try tar.writeHeader(Self.entry(path, size: Int64(bytes.count), permissions: permissions))
        _ = try tar.writeContent(bytes.span)
    }

    /// Adds a blob of the store, unless it is there.
    mutating func add(_ blob: Descriptor) throws {
        guard blobs.insert(blob.digest).inserted else { return }
        let entry = Self.entry(ImageArchive.path(of: blob.digest), size: blob.size, permissions: 0o444)
        try tar.writeHeader(entry)
        _ = try tar.writeContent(of: entry, from: storage.open(blob))
    }

    /// Adds the layer at `index` of a stack, unless it is there.
    mutating func add(layer index: Int, of diffIDs: [DiffID], as choice: BlobChoice) throws -> Descriptor {
        let key = LayerKey(diffID: diffIDs[index], choice: choice)
        if let known = layers[key] { return known }
        let layer: Descriptor
        if let known = try storage.knownBlob(of: diffIDs[index], as: choice) {
            layer = known
        } else if try isSeekable && storage.fitsIntoOneHeader(diffIDs[index]) {
            layer = try compress(layer: index, of: diffIDs, as: choice.options)
        } else {
            layer = try storage.blob(of: diffIDs, index, as: choice, mayBeElsewhere: false)
        }
        layers[key] = layer
        try add(layer)
        return layer
    }

    /// Compresses a layer into the archive. Its name and size are known, and put before it, when it is written.
    private mutating func compress(
        layer index: Int, of diffIDs: [DiffID], as options: CompressionOptions
    ) throws -> Descriptor {
        try tar.flush()
        let start = try output.seek(offset: 0, from: .current)
        var sink = DescriptorSink(descriptor: output)
        try sink.write([UInt8](repeating: 0, count: Tar.block).span)
        let layer = try storage.compress(diffIDs, index, as: options) { [sink] in
            var sink = sink
            try sink.write($0)
        }
        // Two layers may be the same bytes, as those without files are.
        guard blobs.insert(layer.digest).inserted else {
            try output.seek(offset: start, from: .start)
            try output.resize(to: start)
            return layer
        }
        try sink.write([UInt8](repeating: 0, count: Tar.padding(after: layer.size)).span)
        let entry = Self.entry(ImageArchive.path(of: layer.digest), size: layer.size, permissions: 0o444)
        try output.writeAll(toAbsoluteOffset: start, Tar.header(of: entry))
        return layer
    }

    consuming func finish() throws { _ = try tar.finish() }

    private static func entry(_ path: String, size: Int64, permissions: UInt32) -> LayerEntry {
        LayerEntry(path: PathBytes(path), kind: .regular, permissions: permissions, size: size)
    }
}

extension LayerStorage {
    /// Whether the blob of a layer is surely small enough for a header of one block, which ends at 8 GiB.
    fileprivate func fitsIntoOneHeader(_ diffID: DiffID) throws -> Bool {
        guard let layer = try store.layers.layer(diffID) else { return false }
        return layer.contentSize < 6 << 30 && layer.fileCount < 500_000
    }
}

/// Writes to a descriptor that somebody else closes.
package struct DescriptorSink: ByteSink {
    package let descriptor: FileDescriptor

    package init(descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    package mutating func write(_ bytes: Span<UInt8>) throws {
        do { try unsafe bytes.withUnsafeBytes { _ = try unsafe descriptor.writeAll($0) } } catch let error as Errno {
            throw LinuxError(error, "write", "the output")
        }
    }
}
