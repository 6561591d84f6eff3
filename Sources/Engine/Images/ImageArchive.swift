import Diagnostics
import Layers
import Linux
import OCI
import Store
import SystemPackage

/// An image on its way into an archive or a layout.
struct ArchivedImage {
    let names: [ImageReference]
    let manifest: Manifest
    let manifestBytes: [UInt8]
    let config: ImageConfig
}

/// Writes images as one archive that is a Docker archive and an OCI layout at once, or as an OCI layout alone.
///
/// Deterministic: equal images give equal bytes. Source: OCI image-spec, image-layout.md; Docker's image
/// specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
struct ImageArchive {
    let store: StoreRoot
    let images: [ArchivedImage]
    /// Whether `manifest.json` is written, so that Docker of any age can load the archive.
    let isForDocker: Bool
    /// For the `created` annotation of the index.
    let created: Timestamp?

    /// A member of the archive.
    private enum Content {
        case directory
        case bytes([UInt8])
        case blob(Descriptor)
    }

    private func members() throws -> [(path: String, content: Content)] {
        var blobs: [Digest: Content] = [:]
        for image in images {
            blobs[Digest(of: image.manifestBytes)] = .bytes(image.manifestBytes)
            for blob in image.manifest.layers + [image.manifest.config] { blobs[blob.digest] = .blob(blob) }
        }
        var members: [(String, Content)] = [("blobs", .directory), ("blobs/sha256", .directory)]
        for (digest, content) in blobs.sorted(by: { $0.key < $1.key }) {
            members.append(("blobs/sha256/\(digest.hex)", content))
        }
        members.append(("index.json", .bytes(index.encoded(.compact))))
        if isForDocker { members.append(("manifest.json", .bytes(dockerManifest.encoded()))) }
        members.append(("oci-layout", .bytes(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))))
        return members
    }

    private var index: Index {
        Index(
            manifests: images.flatMap { image in
                let bytes = image.manifestBytes
                return (image.names.isEmpty ? [nil] : image.names.map(Optional.some)).map { name in
                    var annotations: [String: String] = [:]
                    if let name {
                        annotations["io.containerd.image.name"] = name.description
                        annotations["org.opencontainers.image.ref.name"] = name.tag
                    }
                    annotations["org.opencontainers.image.created"] = created?.description
                    return Descriptor(
                        mediaType: image.manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count),
                        platform: image.config.platform, annotations: annotations)
                }
            })
    }

    private var dockerManifest: JSON {
        .array(
            images.map { image in
                .object(
                    ("Config", .string("blobs/sha256/\(image.manifest.config.digest.hex)")),
                    ("RepoTags", image.names.isEmpty ? .null : .array(image.names.map { .string($0.familiar) })),
                    ("Layers", .array(image.manifest.layers.map { .string("blobs/sha256/\($0.digest.hex)") })))
            })
    }

    /// Writes the archive; `output` is left open.
    func write(to output: FileDescriptor) throws {
        var tar = TarWriter(DescriptorSink(descriptor: output))
        for (path, content) in try members() {
            switch content {
            case .directory:
                try tar.writeHeader(LayerEntry(path: PathBytes(path), kind: .directory, permissions: 0o755))
            case .bytes(let bytes):
                let entry = LayerEntry(
                    path: PathBytes(path), kind: .regular, permissions: path.hasSuffix(".json") ? 0o644 : 0o444,
                    size: Int64(bytes.count))
                try tar.writeHeader(entry)
                _ = try tar.writeContent(bytes.span)
            case .blob(let blob):
                let entry = LayerEntry(path: PathBytes(path), kind: .regular, permissions: 0o444, size: blob.size)
                try tar.writeHeader(entry)
                _ = try tar.writeContent(of: entry, from: open(blob))
            }
        }
        _ = try tar.finish()
    }

    /// Writes an OCI layout directory. Blobs that are there already stay; the index is replaced.
    func write(toDirectory path: FilePath) throws {
        try FileSystem.makeDirectories(path.appending("blobs").appending("sha256"))
        for (name, content) in try members() {
            let target = path.pushing(FilePath(name))
            switch content {
            case .directory: continue
            case .bytes(let bytes): try FileSystem.write(bytes, to: target)
            case .blob(let blob): try FileSystem.copy(open(blob), to: target)
            }
        }
    }

    private func open(_ blob: Descriptor) throws -> OwnedDescriptor {
        guard let file = try store.content.open(blob.digest) else {
            throw EngineError(
                .corrupt, "the store has lost the blob \(blob.digest)", hint: "Build or pull the image again.")
        }
        return file
    }
}

/// Writes to a descriptor that somebody else closes.
struct DescriptorSink: ByteSink {
    let descriptor: FileDescriptor

    mutating func write(_ bytes: Span<UInt8>) throws {
        do { try unsafe bytes.withUnsafeBytes { _ = try unsafe descriptor.writeAll($0) } } catch let error as Errno {
            throw LinuxError(error, "write", "the output")
        }
    }
}
