import Diagnostics
package import Images
import Layers
import Linux
package import OCI
package import Requests
package import Store
import SystemPackage
import Trees

/// Images in directories that are OCI layouts.
extension ImageTransfer {
    /// Takes an image of a layout into the store, without a name. Every digest is checked.
    ///
    /// - Throws: ``ContextsError`` `.badContext` when there is no such image or the layout is damaged.
    package func take(_ reference: LayoutReference, platform: Platform) throws -> StoredImage {
        do {
            let layout = try Directory(opening: reference.directory)
            let manifest = try Self.manifest(reference, platform: platform, in: layout)
            let bytes = try take(manifest.descriptor, from: layout)
            let config = try ImageConfig(parsing: take(manifest.manifest.config, from: layout))
            guard config.diffIDs.count == manifest.manifest.layers.count else {
                throw ContextsError(
                    .badContext,
                    "its manifest has \(manifest.manifest.layers.count) layers, and its config "
                        + "\(config.diffIDs.count)")
            }
            for (layer, diffID) in zip(manifest.manifest.layers, config.diffIDs) {
                try copy(layer, from: layout)
                try storage.index(layer, expecting: diffID)
            }
            _ = try store.content.save(bytes)
            return try save(
                manifest.manifest.config.digest, config, manifest: manifest.descriptor,
                layers: manifest.manifest.layers, as: [])
        } catch let error as any AnyFailure {
            throw ContextsError(
                .badContext, "oci-layout reference \"\(reference)\" could not be resolved: \(error.message)",
                hint: error.hint, cause: error)
        }
    }

    private static func manifest(
        _ reference: LayoutReference, platform: Platform, in layout: borrowing Directory
    ) throws -> (descriptor: Descriptor, manifest: Manifest) {
        let index = try Index(parsing: layout.open("index.json").readAll(limit: documentLimit))
        var chosen: Descriptor
        if let digest = reference.digest {
            let bytes = try document(digest, in: layout)
            let type = try JSON(parsing: bytes)["mediaType"]?.string.map(MediaType.init(rawValue:))
            chosen =
                index.manifests.first { $0.digest == digest }
                ?? Descriptor(mediaType: type ?? .ociManifest, digest: digest, size: Int64(bytes.count))
        } else {
            guard let named = index.manifests.first(where: { names(of: $0).contains(reference.tag) }) else {
                throw ContextsError(
                    .badContext, "it has no tag '\(reference.tag)'",
                    hint: "Write it as oci-layout://PATH:TAG or oci-layout://PATH@DIGEST.")
            }
            chosen = named
        }
        for _ in 0..<4 {
            let bytes = try document(chosen.digest, in: layout)
            guard chosen.mediaType.isIndex else {
                let descriptor = Descriptor(
                    mediaType: chosen.mediaType, digest: chosen.digest, size: Int64(bytes.count))
                return (descriptor, try Manifest(parsing: bytes, declared: chosen.mediaType))
            }
            chosen = try Index(parsing: bytes, declared: chosen.mediaType).manifest(for: platform)
        }
        throw ContextsError(.badContext, "its indexes are nested more than 4 deep")
    }

    /// The tag of an entry of the index, or what follows the name in a full reference.
    private static func names(of entry: Descriptor) -> [String] {
        let text = entry.annotations["org.opencontainers.image.ref.name"] ?? ""
        let tag = (try? ImageReference(parsing: text))?.tag
        return [text] + (text.contains { ":/".contains($0) } ? [tag].compactMap(\.self) : [])
    }

    // MARK: Blobs

    private static func path(of digest: Digest) -> PathBytes { PathBytes("blobs/sha256/\(digest.hex)") }

    private static func document(_ digest: Digest, in layout: borrowing Directory) throws -> [UInt8] {
        let bytes = try layout.open(path(of: digest)).readAll(limit: documentLimit)
        guard Digest(of: bytes) == digest else {
            throw ContextsError(.badContext, "the blob \(digest) of the layout is really \(Digest(of: bytes))")
        }
        return bytes
    }

    /// Puts a small blob into the store, and returns it.
    private func take(_ blob: Descriptor, from layout: borrowing Directory) throws -> [UInt8] {
        let bytes = try Self.document(blob.digest, in: layout)
        _ = try store.content.save(bytes)
        return bytes
    }

    private func copy(_ blob: Descriptor, from layout: borrowing Directory) throws {
        if try store.content.contains(blob.digest) { return }
        let file = try layout.open(Self.path(of: blob.digest))
        var ingest = try store.content.begin()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            try ingest.write(buffer.span.extracting(0..<count))
        }
        _ = try ingest.commit { digest in
            guard digest != blob.digest else { return }
            throw ContextsError(.badContext, "the blob \(blob.digest) of the layout is really \(digest)")
        }
    }
}

extension LayoutReference: CustomStringConvertible {
    package var description: String {
        "oci-layout://\(directory)" + (digest.map { "@\($0)" } ?? ":\(tag)")
    }
}
