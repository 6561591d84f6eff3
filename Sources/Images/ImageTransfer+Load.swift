import Diagnostics
import Layers
package import Linux
package import OCI
package import Store
import Trees

/// An image that an archive held.
package struct LoadedImage: Sendable {
    package let image: StoredImage
    package let names: [ImageReference]
}

extension ImageTransfer {
    /// Takes the images of a Docker archive or an OCI layout archive, compressed or not, into the store.
    ///
    /// The archive is read once, so it may be a pipe. Blobs that the store has stay; every digest is checked.
    package func load(_ source: consuming OwnedDescriptor, platform: Platform) throws -> [LoadedImage] {
        let lease = try store.lease()
        var contents = ArchiveContents(store: store)
        do { try contents.read(source) } catch let error as LayerError {
            throw ImagesError(.badArchive, "cannot load the archive: \(error.message)", hint: error.hint, cause: error)
        }
        let loaded: [LoadedImage]
        if contents.has("oci-layout") || (contents.has("index.json") && !contents.has("manifest.json")) {
            loaded = try loadLayout(contents, platform: platform)
        } else if contents.has("manifest.json") {
            loaded = try loadDockerArchive(contents)
        } else if contents.isOldDockerArchive {
            throw ImagesError(
                .badArchive, "the archive was saved by a Docker older than 1.10, whose images have no manifest.json",
                hint: "Load it with a current Docker, and save it again from there.")
        } else {
            throw ImagesError(
                .badArchive, "the archive is neither a Docker archive nor an OCI layout",
                hint: "To make a base image of a root file system, use 'lamina import'.")
        }
        guard !loaded.isEmpty else { throw ImagesError(.badArchive, "the archive holds no image") }
        _ = consume lease
        return loaded
    }

    // MARK: OCI layout

    private func loadLayout(_ contents: ArchiveContents, platform: Platform) throws -> [LoadedImage] {
        let index = try Index(parsing: try contents.bytes(of: "index.json"))
        // The names of a Docker archive that is a layout too.
        var loaded: [Digest: (root: Descriptor, names: [ImageReference])] = [:]
        var order: [Digest] = []
        for entry in index.manifests {
            guard entry.annotations["vnd.docker.reference.type"] != "attestation-manifest" else { continue }
            if loaded[entry.digest] == nil {
                order.append(entry.digest)
                loaded[entry.digest] = (entry, [])
            }
            if let name = Self.name(of: entry) { loaded[entry.digest]?.names.append(name) }
        }
        return try order.compactMap { loaded[$0] }.map { root, names in
            let manifest = try resolve(root, in: contents, platform: platform, depth: 0)
            return try load(manifest, of: root, as: names, contents)
        }
    }

    /// containerd's annotation has the full name; the standard one may have only a tag, which is no name.
    private static func name(of entry: Descriptor) -> ImageReference? {
        if let full = entry.annotations["io.containerd.image.name"] { return try? ImageReference(parsing: full) }
        guard let text = entry.annotations["org.opencontainers.image.ref.name"],
            text.contains(where: { "/:".contains($0) })
        else { return nil }
        return try? ImageReference(parsing: text)
    }

    private func resolve(
        _ entry: Descriptor, in contents: ArchiveContents, platform: Platform, depth: Int
    ) throws -> Descriptor {
        guard entry.mediaType.isIndex else { return entry }
        guard depth < 4 else { throw ImagesError(.badArchive, "the archive's indexes are nested too deeply") }
        let nested = try Index(parsing: try contents.blob(entry), declared: entry.mediaType)
        return try resolve(try nested.manifest(for: platform), in: contents, platform: platform, depth: depth + 1)
    }

    /// Loads the image of one platform, and keeps the rest of its root as it came.
    private func load(
        _ descriptor: Descriptor, of root: Descriptor, as names: [ImageReference], _ contents: ArchiveContents
    ) throws -> LoadedImage {
        let bytes = try contents.blob(descriptor)
        let manifest = try Manifest(parsing: bytes, declared: descriptor.mediaType)
        let config = try ImageConfig(parsing: try contents.blob(manifest.config))
        try check(config, layerCount: manifest.layers.count)
        for (layer, diffID) in zip(manifest.layers, config.diffIDs) {
            try contents.require(layer)
            try storage.index(layer, expecting: diffID)
        }
        _ = try store.content.save(bytes)
        _ = try store.content.save(try contents.blob(root))
        let image = try save(root, at: nil, manifest, descriptor, config, as: names)
        return LoadedImage(image: image, names: names)
    }

    private func check(_ config: ImageConfig, layerCount: Int) throws {
        guard config.diffIDs.count == layerCount else {
            throw ImagesError(
                .badArchive, "the archive has \(layerCount) layers for an image of \(config.diffIDs.count)",
                hint: "The archive is damaged: make it again.")
        }
    }

    // MARK: Docker archive

    private func loadDockerArchive(_ contents: ArchiveContents) throws -> [LoadedImage] {
        let json = try JSON(parsing: try contents.bytes(of: "manifest.json"))
        return try (json.array ?? []).map { item in
            guard let configName = item["Config"]?.string, let list = item.list("Layers"),
                let layerNames = JSON.array(list).strings
            else {
                throw ImagesError(.badArchive, "manifest.json of the archive names no config or no layers")
            }
            let configBytes = try contents.bytes(of: configName)
            let config = try ImageConfig(parsing: configBytes)
            try check(config, layerCount: layerNames.count)
            var layers: [Descriptor] = []
            for (name, diffID) in zip(layerNames, config.diffIDs) {
                let layer = try contents.layer(name)
                try storage.index(layer, expecting: diffID)
                layers.append(layer)
            }
            let names = try (item["RepoTags"]?.strings ?? []).map { try ImageReference(parsing: $0) }
            let id = try store.content.save(configBytes)
            let image = try save(id, config, manifest: nil, layers: layers, as: names)
            return LoadedImage(image: image, names: names)
        }
    }
}
