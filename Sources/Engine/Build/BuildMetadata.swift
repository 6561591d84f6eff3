import Linux
package import OCI
import Store
package import SystemPackage
import Trees

/// Reports of a finished build for programs, in files.
extension Build {
    /// The result under the keys of buildx's `--metadata-file`.
    ///
    /// A manifest, and so its digest and descriptor, belongs to the image only where the build has written or pushed
    /// one: in the store an image has none before.
    package func metadata(of result: BuildResult) async throws -> JSON {
        let hasManifest = request.outputs.contains(where: \.hasManifest)
        return try await offload { [images, store, request] in
            var members = JSONObject()
            if let id = result.imageID {
                members["containerimage.config.digest"] = .string(id.description)
                if hasManifest, let image = try store.images.image(id: id) {
                    let bytes = try images.manifest(of: image, mayBeElsewhere: true).bytes
                    let config = try images.config(of: image)
                    let manifest = try Manifest(parsing: bytes)
                    let descriptor = Descriptor(
                        mediaType: manifest.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count),
                        platform: config.platform)
                    members["containerimage.digest"] = .string(descriptor.digest.description)
                    members["containerimage.descriptor"] = descriptor.json
                }
            }
            if result.imageID != nil, !request.tags.isEmpty {
                members["image.name"] = .string(request.tags.map(\.description).joined(separator: ","))
            }
            return .object(members)
        }
    }

    /// Writes a file in place of what is there, so that nobody sees half of it.
    package static func write(_ text: String, to path: FilePath) async throws {
        try await offload { try FileSystem.write(Array(text.utf8), to: path) }
    }
}

extension BuildOutput {
    /// Whether a manifest comes out with it.
    fileprivate var hasManifest: Bool {
        switch self {
        case .oci, .dockerArchive, .push: true
        case .store, .directory, .tar, .none: false
        }
    }
}
