import Diagnostics
import Linux
import OCI
import Store
package import SystemPackage
import Trees

extension ImageTransfer {
    /// Writes images as one archive that Docker, Podman, containerd and skopeo load. `-` is the standard output.
    ///
    /// Each text is a name or an ID; an image asked for by its ID keeps all names it has.
    package func save(
        _ texts: [String], to path: FilePath, report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws {
        let lease = try store.lease()
        for image in try await offload({ [self] in try texts.map(image) }) {
            try await fetchLayers(of: image, report: report)
        }
        try await offload { [self] in try write(texts, to: path) }
        _ = consume lease
    }

    private func write(_ texts: [String], to path: FilePath) throws {
        var order: [Digest] = []
        var chosen: [Digest: (image: StoredImage, names: [ImageReference])] = [:]
        for text in texts {
            let image = try image(text)
            if chosen[image.id] == nil {
                order.append(image.id)
                chosen[image.id] = (image, [])
            }
            let named = (try? ImageReference(parsing: text)).flatMap { image.names.contains($0) ? $0 : nil }
            for name in named.map({ [$0] }) ?? image.names where chosen[image.id]?.names.contains(name) == false {
                chosen[image.id]?.names.append(name)
            }
        }
        let images = try order.compactMap { chosen[$0] }.map { image, names in
            ArchivedImage(names: names, image: image, config: try config(of: image))
        }
        let archive = ImageArchive(
            source: self, images: images, isForDocker: true, created: images.count == 1 ? images[0].config.created : nil
        )
        try OutputFile.write(to: path) { _ = try archive.write(to: $0) }
    }
}
