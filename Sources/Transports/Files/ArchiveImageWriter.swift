import Diagnostics
import Linux
package import OCI
import Synchronization
package import SystemPackage
import Trees

/// An archive of images being written: an OCI layout, which with ``Kind/docker`` is a Docker archive as well.
///
/// A file at the path is replaced when the archive is complete.
package final class ImageArchiveBuilder: Sendable {
    package enum Kind: Sendable { case oci, docker }

    let kind: Kind
    let archive: ArchiveOutput
    private let replacement: FileReplacement?
    private let images = Mutex<[ListedImage]>([])

    /// Begins an archive; `-` is the standard output.
    package init(_ path: FilePath, _ kind: Kind) throws {
        self.kind = kind
        let replacement = path == "-" ? nil : try FileReplacement(path)
        self.replacement = replacement
        archive = ArchiveOutput(replacement?.file.raw ?? .standardOutput)
        try archive.add(directory: "blobs")
        try archive.add(directory: "blobs/sha256")
    }

    func add(_ image: ListedImage) { images.withLock { $0.append(image) } }

    /// Ends the archive and gives it its name.
    package func finish() throws {
        let images = images.withLock { $0 }
        for (name, bytes) in LayoutDocuments.files(for: images, isForDocker: kind == .docker) {
            try archive.add(name, bytes, permissions: LayoutDocuments.permissions(of: name))
        }
        try archive.finish()
        try replacement?.commit()
    }
}

/// Writes one image into an archive.
package final class ArchiveImageWriter: ImageWriter {
    private let builder: ImageArchiveBuilder
    private let label: String?
    private let names: [ImageReference]
    private let isAlone: Bool
    private let root = Mutex<ImageDocument?>(nil)

    /// Begins an archive of one image; `-` is the standard output.
    ///
    /// Throws ``TransportsError`` `.badName` for a selector that names nothing, and for a name that Docker would not take.
    package init(_ path: FilePath, _ selector: ImageSelector, _ kind: ImageArchiveBuilder.Kind) throws {
        let label = try selector.newName()
        switch kind {
        case .docker:
            names = try label.map { [try ImageReference(parsing: $0)] } ?? []
            self.label = nil
        case .oci:
            // A tag alone is no name of an image, but may look like one.
            let isName = label?.contains { "/:".contains($0) } ?? false
            names = isName ? (label.flatMap { try? ImageReference(parsing: $0) }).map { [$0] } ?? [] : []
            self.label = label
        }
        isAlone = true
        builder = try ImageArchiveBuilder(path, kind)
    }

    /// Writes one of several images, with whole names.
    package init(_ builder: ImageArchiveBuilder, names: [ImageReference]) {
        self.builder = builder
        self.names = names
        label = nil
        isAlone = false
    }

    package var capacity: WriterCapacity {
        var capacity = WriterCapacity()
        capacity.takesIndexes = builder.kind == .oci
        capacity.takesZstd = builder.kind == .oci
        capacity.compressesNewLayers = builder.kind == .oci
        return capacity
    }

    package func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let archive = builder.archive
        try await BlobWriting.copy(blobs, from: source, into: archive, limit: 1, report: report)
        try await offload { try archive.add(document: document.bytes) }
        if isRoot { root.withLock { $0 = document } }
        return document.bare
    }

    package func finish() async throws {
        guard let root = root.withLock({ $0 }) else { return }
        builder.add(
            ListedImage(
                root: root.descriptor, names: names, label: label, manifest: root.isIndex ? nil : try root.manifest()))
        if isAlone { try await offload { [builder] in try builder.finish() } }
    }
}

extension LayoutDocuments {
    /// Blobs are what they are; the documents may be edited.
    package static func permissions(of name: String) -> UInt32 { name.hasSuffix(".json") ? 0o644 : 0o444 }
}
