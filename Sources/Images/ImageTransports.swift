import Diagnostics
import OCI
package import Transports

/// Opens the two ends of a copy, whatever their transports.
package enum ImageTransports {
    /// The reader of an image. The store is opened only for an image that is in it.
    package static func reader(
        _ location: ImageLocation, _ registry: RegistryAccess, images: () throws -> ImageTransfer
    ) throws -> any ImageReader {
        switch location {
        case .registry(let reference): RegistryImageReader(reference, registry.client)
        case .layout(let path, let selector): try file(try DirectoryFiles(path), selector)
        case .ociArchive(let path, let selector): try file(try ArchiveFile(path), selector)
        case .dockerArchive(let path, let selector): try file(try ArchiveFile(path), selector)
        case .directory(let path): try FileImageReader(directory: try DirectoryFiles(path))
        case .store(let text): try StoreImageReader(text, in: images())
        }
    }

    private static func file(_ files: any ImageFiles, _ selector: ImageSelector) throws -> FileImageReader {
        let found = try FileImages(files)
        return try found.reader(try found.item(selector))
    }

    /// The writer of an image. The store is opened only for an image that goes into it.
    ///
    /// `leavesLayers` is for an image that goes into the store: its layers stay in the registries that have them.
    package static func writer(
        _ location: ImageLocation, _ registry: RegistryAccess, leavesLayers: Bool = false,
        images: () throws -> ImageTransfer
    ) throws -> any ImageWriter {
        switch location {
        case .registry(let reference): RegistryImageWriter(reference, registry.client)
        case .layout(let path, let selector): try LayoutImageWriter(path, selector)
        case .ociArchive(let path, let selector): try ArchiveImageWriter(path, selector, .oci)
        case .dockerArchive(let path, let selector): try ArchiveImageWriter(path, selector, .docker)
        case .directory(let path): try DirectoryImageWriter(path)
        case .store(let text):
            try StoreImageWriter(try images(), names: [try newName(text)], leavesLayers: leavesLayers)
        }
    }

    /// Throws ``ImagesError`` `.imageNotFound` for a name with a digest, which nobody can give.
    private static func newName(_ text: String) throws -> ImageReference {
        let name = try ImageReference(parsing: text)
        guard name.digest == nil else {
            throw ImagesError(
                .imageNotFound, "refusing to create a tag with a digest reference", hint: "Name a tag instead.")
        }
        return name
    }
}
