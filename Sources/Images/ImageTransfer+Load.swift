import Diagnostics
import Layers
package import Linux
package import OCI
package import Store
package import SystemPackage
package import Transports

/// An image that an archive held.
package struct LoadedImage: Sendable {
    package let image: StoredImage
    package let names: [ImageReference]
}

extension ImageTransfer {
    /// Takes the images of a Docker archive or an OCI layout archive, compressed or not, into the store.
    ///
    /// The archive is read once, so it may be a pipe. Blobs that the store has stay; every digest is checked. With
    /// `platform` only the image for that is taken of each index.
    package func load(
        _ source: consuming OwnedDescriptor, platform: Platform? = nil,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> [LoadedImage] {
        let lease = try store.lease()
        let source = SharedDescriptor(source)
        let contents = try await offload { [store] in
            var contents = ArchiveContents(store: store)
            contents.report = report
            do { try contents.read(source) } catch let error as LayerError {
                throw ImagesError(
                    .badArchive, "cannot load the archive: \(error.message)", hint: error.hint, cause: error)
            }
            return contents
        }
        // The blobs are here: of these there is nothing more to tell.
        let loaded = try await load(contents, platform: platform) { _ in }
        _ = consume lease
        return loaded
    }

    /// Takes the images of a directory into the store: those of an OCI layout, or the one that skopeo's `dir:` wrote.
    package func load(
        directory path: FilePath, platform: Platform? = nil,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> [LoadedImage] {
        let files = try DirectoryFiles(path)
        guard try files.size(of: "index.json") == nil else {
            return try await load(files, platform: platform, report)
        }
        return [try await load(try FileImageReader(directory: files), as: [], platform: platform, report)]
    }

    private func load(
        _ files: any ImageFiles, platform: Platform?, _ report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> [LoadedImage] {
        let found = try FileImages(files)
        var loaded: [LoadedImage] = []
        for item in found.items {
            loaded.append(try await load(try found.reader(item), as: item.names, platform: platform, report))
        }
        return loaded
    }

    /// Takes an image into the store. Platforms of an index that are not in the archive stay unknown.
    private func load(
        _ reader: FileImageReader, as names: [ImageReference], platform: Platform?,
        _ report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> LoadedImage {
        let writer = try StoreImageWriter(self, names: names)
        var copy = ImageCopy()
        copy.platforms = platform.map { [$0] } ?? []
        copy.leavesOutMissing = true
        _ = try await copy.run(from: reader, to: writer, report: report)
        guard let image = writer.image else { throw ImagesError(.badArchive, "the archive holds no image") }
        return LoadedImage(image: image, names: names)
    }
}
