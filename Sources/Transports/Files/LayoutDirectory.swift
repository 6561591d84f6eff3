import Diagnostics
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
    /// containerd's annotation for the full name of an image.
    package static let nameAnnotation = "io.containerd.image.name"
}

extension LayoutDirectory {
    /// Makes the directories that are missing.
    package func create() throws {
        try FileSystem.makeDirectories(blobs)
        if try Directory(opening: path).statusIfExists("oci-layout") != nil { return }
        try FileSystem.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: marker)
    }

    /// Whether a file of the blob's name and size is there.
    package func contains(_ blob: Descriptor) throws -> Bool { try size(of: blob.digest) == blob.size }

    /// The size of a blob that is there.
    package func size(of digest: Digest) throws -> Int64? {
        guard let status = try Directory(opening: blobs).statusIfExists(PathBytes(digest.hex)) else { return nil }
        return status.type == .regular ? status.size : nil
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
        try name(
            Descriptor(mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count)), tag: tag)
    }

    /// Gives a document of the layout a name, which the one that had it loses; without a name it takes the place of the
    /// one that has none.
    package func name(_ root: Descriptor, tag: String?) throws {
        try name(root, tag.map { [Self.tagAnnotation: $0] } ?? [:]) { annotations in
            // What has no name but annotations may belong to something else, as a signature does.
            tag == nil ? annotations.isEmpty : annotations[Self.tagAnnotation] == tag
        }
    }

    /// Gives a document of the layout the full name of an image, and its tag.
    package func name(_ root: Descriptor, as name: ImageReference) throws {
        var annotations = [Self.nameAnnotation: name.description]
        annotations[Self.tagAnnotation] = name.tag
        try self.name(root, annotations) { $0[Self.nameAnnotation] == name.description }
    }

    /// Adds a document that refers to another one, without a name: readers find it by its subject.
    package func add(referrer: IndexDocument.Entry) throws {
        try change { document in
            guard !document.entries.contains(where: { $0.descriptor.digest == referrer.descriptor.digest }) else {
                return
            }
            var entry = referrer
            // An entry with a type of its own is no image to choose.
            entry.artifactType = referrer.artifactType ?? "application/vnd.unknown.artifact.v1"
            document.entries.append(entry)
        }
    }

    private func name(
        _ root: Descriptor, _ annotations: [String: String], replacing isReplaced: ([String: String]) -> Bool
    ) throws {
        try change { document in
            document.entries.removeAll { $0.artifactType == nil && isReplaced($0.descriptor.annotations) }
            document.entries.append(
                IndexDocument.Entry(
                    Descriptor(
                        mediaType: root.mediaType, digest: root.digest, size: root.size, platform: root.platform,
                        annotations: root.annotations.merging(annotations) { $1 })))
        }
    }

    private func change(_ body: (inout IndexDocument) -> Void) throws {
        // Others may be adding names of their own.
        let lock = try FileLock(marker, .exclusive)
        var document = IndexDocument()
        if try Directory(opening: path).statusIfExists("index.json") != nil {
            document = try IndexDocument(parsing: OwnedDescriptor.open(index).readAll(limit: BlobTree.documentLimit))
        }
        body(&document)
        try FileSystem.write(document.encoded(.compact), to: index)
        _ = consume lock
    }
}
