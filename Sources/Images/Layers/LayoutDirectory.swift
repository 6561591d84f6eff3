package import Linux
package import OCI
package import SystemPackage
import Trees

/// The files of an OCI layout.
///
/// Source: OCI image-spec, image-layout.md.
package struct LayoutDirectory: Hashable, Sendable {
    package let path: FilePath

    package init(_ path: FilePath) { self.path = path }

    package var blobs: FilePath { path.appending("blobs").appending("sha256") }
    package var index: FilePath { path.appending("index.json") }
    package var marker: FilePath { path.appending("oci-layout") }

    package func path(of digest: Digest) -> FilePath { blobs.appending(digest.hex) }
}

extension LayoutDirectory {
    /// The annotation of the index that gives a manifest its name.
    package static let tagAnnotation = "org.opencontainers.image.ref.name"
}

extension LayoutDirectory {
    /// Makes the directories that are missing.
    package func create() throws {
        try FileSystem.makeDirectories(blobs)
        if try Directory(opening: path).statusIfExists("oci-layout") != nil { return }
        try FileSystem.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: marker)
    }

    /// Whether a file of the blob's name and size is there.
    package func contains(_ blob: Descriptor) throws -> Bool {
        guard let status = try Directory(opening: blobs).statusIfExists(PathBytes(blob.digest.hex)) else {
            return false
        }
        return status.type == .regular && status.size == blob.size
    }

    /// Adds a blob from a file.
    package func write(_ file: borrowing OwnedDescriptor, as blob: Descriptor) throws {
        try FileSystem.copy(file, to: path(of: blob.digest))
    }

    /// Adds a blob that is in memory.
    package func write(_ bytes: [UInt8]) throws {
        try FileSystem.write(bytes, to: path(of: Digest(of: bytes)))
    }

    /// Adds a manifest and gives it a name, which the manifest that had it loses.
    package func name(_ manifest: Manifest, tag: String) throws {
        let bytes = manifest.encoded
        try write(bytes)
        // Others may be adding names of their own.
        let lock = try FileLock(marker, .exclusive)
        let old = try? Index(parsing: try OwnedDescriptor.open(index).readAll(limit: 4 << 20))
        var manifests = (old?.manifests ?? []).filter { $0.annotations[Self.tagAnnotation] != tag }
        manifests.append(
            Descriptor(
                mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count),
                annotations: [Self.tagAnnotation: tag]))
        let document = Index(manifests: manifests, annotations: old?.annotations ?? [:]).encoded(.compact)
        try FileSystem.write(document, to: index)
        _ = consume lock
    }
}
