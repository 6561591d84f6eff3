import Diagnostics
import Linux
package import OCI
import Store
package import SystemPackage
package import Transports

/// The form in which images are saved to a file or a directory.
package enum SaveFormat: String, Hashable, Sendable, CaseIterable {
    /// One archive that is a Docker archive and an OCI layout at once.
    case dockerArchive = "docker-archive"
    case ociArchive = "oci-archive"
    case ociDirectory = "oci-dir"
    /// A directory as skopeo's `dir:` transport has it.
    case directory = "docker-dir"
}

extension ImageTransfer {
    /// Writes images into a file or a directory. `-` is the standard output.
    ///
    /// Each text is a name, or an ID, which brings no name, as with Docker. A Docker archive has the image for this
    /// machine or for `platform`; the OCI formats have all platforms of a name unless one is given.
    package func save(
        _ texts: [String], to path: FilePath, as format: SaveFormat = .dockerArchive, platform: Platform? = nil,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws {
        let lease = try store.lease()
        let texts = try texts.map { try fullName($0) }
        if format == .dockerArchive {
            try await saveForDocker(texts, to: path, platform: platform, report: report)
        } else {
            try await copy(texts, to: path, as: format, platform: platform, report: report)
        }
        _ = consume lease
    }

    /// The images of texts in order, each once, with the names that they were asked for by.
    private func chosen(_ texts: [String], platform: Platform?) throws -> [(
        image: StoredImage, names: [ImageReference]
    )] {
        var chosen: [(image: StoredImage, names: [ImageReference])] = []
        for text in texts {
            let image = try image(text, platform: platform)
            let place = chosen.firstIndex { $0.image.id == image.id } ?? chosen.count
            if place == chosen.count { chosen.append((image, [])) }
            if let name = try name(text), !chosen[place].names.contains(name) { chosen[place].names.append(name) }
        }
        return chosen
    }

    /// The name that a text is; `nil` for an ID and for a digest, which are none.
    private func name(_ text: String) throws -> ImageReference? {
        guard let reference = try? ImageReference(parsing: text), reference.digest == nil else { return nil }
        return try store.images.root(named: reference) == nil ? nil : reference
    }

    private func saveForDocker(
        _ texts: [String], to path: FilePath, platform: Platform?, report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        let chosen = try await offload { [self] in try self.chosen(texts, platform: platform) }
        for (image, _) in chosen {
            try await fetchLayers(of: image) { event in
                switch event {
                // A layer is done when it is in the archive.
                case .layerExists, .layerDone: break
                default: report(event)
                }
            }
        }
        try await offload { [self] in
            let images = try chosen.map { image, names in
                ArchivedImage(names: names, image: image, config: try config(of: image))
            }
            var archive = ImageArchive(
                source: self, images: images, isForDocker: true,
                created: images.count == 1 ? images[0].config.created : nil)
            archive.report = report
            try OutputFile.write(to: path) { _ = try archive.write(to: $0) }
        }
    }

    private func copy(
        _ texts: [String], to path: FilePath, as format: SaveFormat, platform: Platform?,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        guard format != .directory || texts.count == 1 else {
            throw ImagesError(
                .unsupported, "a directory of the format docker-dir holds one image, not \(texts.count)",
                hint: "Take --format oci-dir, or save them one by one.")
        }
        let archive = format == .ociArchive ? try ImageArchiveBuilder(path, .oci) : nil
        var copy = ImageCopy()
        copy.platforms = platform.map { [$0] } ?? []
        for text in texts {
            let reader = try StoreImageReader(text, in: self)
            let names = try name(text).map { [$0] } ?? []
            let writer: any ImageWriter =
                switch format {
                case .ociArchive, .dockerArchive: ArchiveImageWriter(try archive ?? .init(path, .oci), names: names)
                case .ociDirectory: try LayoutImageWriter(path, names: names)
                case .directory: try DirectoryImageWriter(path)
                }
            _ = try await copy.run(from: reader, to: writer, report: report)
        }
        if let archive { try await offload { try archive.finish() } }
    }
}
