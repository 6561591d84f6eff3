import Diagnostics
import Layers
import Linux
package import OCI
package import Registry

/// Reads an image from files: an OCI layout, a Docker archive, or a directory of skopeo's.
package struct FileImageReader: ImageReader {
    private let files: any ImageFiles
    private let top: ImageDocument
    /// The names that the file of a blob may have.
    private let fileNames: @Sendable (Digest) -> [String]

    private init(
        _ files: any ImageFiles, _ top: ImageDocument, fileNames: @escaping @Sendable (Digest) -> [String]
    ) {
        self.files = files
        self.top = top
        self.fileNames = fileNames
    }

    /// Reads a directory as skopeo's `dir:` transport writes it: a manifest, and blobs by their digests.
    ///
    /// Source: https://github.com/containers/image, `directory`.
    package init(directory files: any ImageFiles) throws {
        guard let bytes = try files.document("manifest.json"), (try? JSON(parsing: bytes))?.array == nil else {
            throw TransportsError(
                .badArchive, "\(files.place) is no directory of an image: it has no manifest.json of one",
                hint: "Write oci: in place of dir: if it is an OCI layout.")
        }
        self.init(files, try ImageDocument(parsing: bytes)) { [$0.hex, "\($0.hex).manifest.json"] }
    }

    init(_ item: FileImages.Item, in files: any ImageFiles) throws {
        switch item.content {
        case .layout(let root):
            let names: @Sendable (Digest) -> [String] = { ["blobs/sha256/\($0.hex)"] }
            let bytes = try Self.bytes(root, in: files, names)
            self.init(files, ImageDocument(root, bytes), fileNames: names)
        case .docker(let config, let layers):
            try self.init(docker: config, layers, in: files)
        }
    }

    /// Makes the manifest that an image of a Docker archive lacks. A layer that is not compressed has its DiffID as its
    /// digest, which is checked when it is copied.
    private init(docker configName: String, _ layerNames: [String], in files: any ImageFiles) throws {
        let bytes = try files.requireDocument(configName)
        let config = try ImageConfig(parsing: bytes)
        guard config.diffIDs.count == layerNames.count else {
            throw TransportsError(
                .badArchive,
                "the archive has \(layerNames.count) layers for an image of \(config.diffIDs.count)",
                hint: "The archive is damaged: make it again.")
        }
        let id = Digest(of: bytes)
        var names: [Digest: String] = [id: configName]
        var layers: [Descriptor] = []
        for (name, diffID) in zip(layerNames, config.diffIDs) {
            let layer = try Self.layer(name, diffID, in: files)
            names[layer.digest] = name
            layers.append(layer)
        }
        let manifest = Manifest(
            config: Descriptor(mediaType: .ociConfig, digest: id, size: Int64(bytes.count)), layers: layers)
        let document = manifest.encoded
        let descriptor = Descriptor(
            mediaType: manifest.mediaType, digest: Digest(of: document), size: Int64(document.count))
        let known = names
        self.init(files, ImageDocument(descriptor, document, isMade: true)) { known[$0].map { [$0] } ?? [] }
    }

    /// The layer in a file, whose compression its first bytes tell.
    private static func layer(_ name: String, _ diffID: DiffID, in files: any ImageFiles) throws -> Descriptor {
        guard let size = try files.size(of: name) else {
            throw TransportsError(
                .badArchive, "the archive has no layer '\(name)'", hint: "The archive is damaged: make it again.")
        }
        var start = [UInt8](repeating: 0, count: 6)
        let count = try files.reader(of: name, from: 0).read(into: &start)
        let compression: Compression
        switch StreamFormat(magic: start.prefix(count)) {
        case .plain: return Descriptor(mediaType: .ociLayer, digest: diffID.digest, size: size)
        case .gzip: compression = .gzip
        case .zstd: compression = .zstd
        case .bzip2, .xz:
            throw TransportsError(
                .unsupported, "layer '\(name)' is compressed in a way that images have no type for",
                hint: "Save the image again, with plain layers or with gzip.")
        }
        let digest = try files.knownDigest(of: name) ?? digest(of: name, in: files)
        return Descriptor(mediaType: .ociLayer(compression), digest: digest, size: size)
    }

    private static func digest(of name: String, in files: any ImageFiles) throws -> Digest {
        let reader = try files.reader(of: name, from: 0)
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try reader.read(into: &buffer)
            if count == 0 { return hasher.finish() }
            hasher.update(buffer.span.extracting(..<count))
        }
    }

    // MARK: Reading

    package func root() async throws -> ImageDocument { top }

    package func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        if descriptor.digest == top.descriptor.digest { return top }
        return try await offload { [files, fileNames] in
            ImageDocument(descriptor, try Self.bytes(descriptor, in: files, fileNames))
        }
    }

    private static func bytes(
        _ blob: Descriptor, in files: any ImageFiles, _ names: (Digest) -> [String]
    ) throws -> [UInt8] {
        guard let name = try name(of: blob, in: files, names), let bytes = try files.document(name) else {
            throw missing(blob, files)
        }
        let digest = Digest(of: bytes)
        guard digest == blob.digest else {
            throw TransportsError(
                .badArchive, "the blob \(blob.digest) of \(files.place) is really \(digest)",
                hint: "The image is damaged: make it or get it again.")
        }
        return bytes
    }

    private static func name(
        of blob: Descriptor, in files: any ImageFiles, _ names: (Digest) -> [String]
    ) throws -> String? {
        try names(blob.digest).first { try files.size(of: $0) != nil }
    }

    private static func missing(_ blob: Descriptor, _ files: any ImageFiles) -> TransportsError {
        let platform = blob.platform.map { " for \($0)" } ?? ""
        return TransportsError(
            .imageNotFound, "\(files.place) has no blob \(blob.digest)\(platform)",
            hint: "Make it again with all platforms, or name those that it has with --platform.")
    }

    private static func open(
        _ blob: Descriptor, _ offset: Int64, in files: any ImageFiles, _ names: (Digest) -> [String]
    ) throws -> any BlobReader {
        guard let name = try name(of: blob, in: files, names) else { throw missing(blob, files) }
        return try files.reader(of: name, from: offset)
    }

    package func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        try await BlobCopy.run(
            blob, from: { [files, fileNames] in try Self.open($0, $1, in: files, fileNames) }, into: sink,
            progress: progress)
    }

    package func origin(of blob: Descriptor) async throws -> BlobOrigin {
        BlobCopy.origin { [files, fileNames] in try Self.open(blob, $0, in: files, fileNames) }
    }

    package func referrers(of document: Descriptor) async throws -> [IndexDocument.Entry] {
        try await offload { [files, fileNames] in
            guard let bytes = try files.document("index.json") else {
                throw TransportsError(
                    .unsupported, "\(files.place) keeps nothing that refers to an image",
                    hint: "Leave --referrers out, or copy from a registry or an OCI layout.")
            }
            return try IndexDocument(parsing: bytes).entries.flatMap { entry in
                try Self.referrers(entry, of: document.digest) { try Self.bytes($0, in: files, fileNames) }
            }
        }
    }

    /// An entry of a layout that refers to a document, or those of the index under the tag of that document.
    private static func referrers(
        _ entry: IndexDocument.Entry, of subject: Digest, read: (Descriptor) throws -> [UInt8]
    ) throws -> [IndexDocument.Entry] {
        let descriptor = entry.descriptor
        guard descriptor.digest != subject, descriptor.mayNameBlobs else { return [] }
        let tag = descriptor.annotations[LayoutDirectory.tagAnnotation]
        if tag == subject.referrersTag, descriptor.mediaType.isIndex {
            return try IndexDocument(parsing: read(descriptor)).entries
        }
        guard tag == nil || entry.artifactType != nil else { return [] }
        let named = try JSON(parsing: read(descriptor))["subject"]?["digest"]?.string
        return named == subject.description ? [entry] : []
    }

    package func repository(with blob: Descriptor, on registry: String) async throws -> String? { nil }

    package func file(of blob: Descriptor) throws -> (any BlobReader)? {
        try Self.open(blob, 0, in: files, fileNames)
    }
}
