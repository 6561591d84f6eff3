import Diagnostics
package import OCI
import Store

/// The actions of `rmi`, in order.
package enum RemovalEvent: Hashable, Sendable {
    case untagged(ImageReference)
    case deleted(Digest)
}

extension ImageTransfer {
    /// Gives the root of an image one more name; a name that another root has moves.
    package func tag(_ source: String, as target: ImageReference) throws {
        guard target.digest == nil else {
            throw ImagesError(
                .imageNotFound, "refusing to create a tag with a digest reference", hint: "Name a tag instead.")
        }
        let lease = try store.lease()
        _ = try store.images.tag(target, image(source))
        _ = consume lease
    }

    /// Takes a name away, and with the last one the image itself.
    ///
    /// An ID stands for all names of its image, which takes `force` when they are several.
    /// Throws ``ImagesError`` `.imageNotFound` or `.imageInUse`; nothing is removed then.
    package func remove(_ text: String, force: Bool) throws -> [RemovalEvent] {
        let text = try fullName(text)
        let image = try image(text)
        try requireUnused(image, text, force: force)
        if let name = (try? ImageReference(parsing: text)).flatMap({ image.names.contains($0) ? $0 : nil }) {
            _ = try store.images.untag(name)
            guard image.names.count == 1, let root = image.root else { return [.untagged(name)] }
            return [.untagged(name)] + (try store.images.removeUnnamed(root: root.digest).map { .deleted($0) })
        }
        guard image.names.count <= 1 || force else {
            throw ImagesError(
                .imageInUse,
                "conflict: unable to delete \(image.id.short) (must be forced) - image is referenced in multiple repositories",
                hint: "Remove its names one by one, or use --force.")
        }
        guard try store.images.remove(image.id) else {
            throw ImagesError(
                .imageInUse, "conflict: unable to delete \(image.id.short) - it is one platform of an index",
                hint: "Remove the names of the index.")
        }
        return image.names.map { .untagged($0) } + [.deleted(image.id)]
    }

    /// Throws ``ImagesError`` `.imageInUse` for the last name of an image that a container has. Its layers stay anyway.
    private func requireUnused(_ image: StoredImage, _ text: String, force: Bool) throws {
        guard !force, image.names.count <= 1, let use = try store.containerUses().first(where: { $0.image == image.id })
        else { return }
        throw ImagesError(
            .imageInUse,
            "conflict: unable to remove repository reference \"\(text)\" (must force) - container "
                + "\(use.container.prefix(12)) is using its referenced image \(image.id.short)",
            hint: "Remove the container with 'lamina rm', or use --force.")
    }

    /// Frees what no image and no cache record needs any more. Does nothing while a build runs.
    package func collectGarbage() throws { _ = try store.collector.collect() }
}
