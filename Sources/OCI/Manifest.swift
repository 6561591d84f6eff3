import Diagnostics

/// One image: its config and its layers, bottom first.
///
/// Source: OCI image-spec, manifest.md.
package struct Manifest: Hashable, Sendable {
    package let mediaType: MediaType
    package let config: Descriptor
    package let layers: [Descriptor]
    package let annotations: [String: String]

    package init(
        mediaType: MediaType = .ociManifest, config: Descriptor, layers: [Descriptor],
        annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    /// Reads a manifest. A document that is a manifest and an index at once is refused.
    package init(parsing bytes: [UInt8], declared: MediaType? = nil) throws {
        let json = try JSON(parsing: bytes)
        if json["schemaVersion"]?.integer == 1 {
            throw ManifestError(
                .unsupported, "the image is in Docker's schema 1 format, which registries stopped serving",
                hint: "Push it again with a current tool.")
        }
        guard json["manifests"] ?? .null == .null, let config = json["config"], let list = json.list("layers") else {
            throw ManifestError(.malformed, "the document is not an image manifest")
        }
        let layers = try list.map(Descriptor.init(json:))
        guard layers.clampedSum(\.size) <= Descriptor.sizeLimit else {
            throw ManifestError(.malformed, "the manifest states layers of more than 1 PiB together")
        }
        self.init(
            mediaType: json["mediaType"]?.string.map(MediaType.init(rawValue:)) ?? declared ?? .ociManifest,
            config: try Descriptor(json: config), layers: layers,
            annotations: Dictionary(json["annotations"]?.stringMap ?? [], uniquingKeysWith: { $1 }))
    }

    /// The document as BuildKit writes it: indented by two spaces, without a newline at the end.
    package var encoded: [UInt8] {
        JSON.object(
            ("schemaVersion", .integer(2)), ("mediaType", .string(mediaType.rawValue)), ("config", config.json),
            ("layers", .array(layers.map(\.json))), ("annotations", JSON.sortedMap(annotations))
        ).encoded(.pretty(2))
    }
}

/// A list of manifests, usually one a platform.
///
/// Source: OCI image-spec, image-index.md.
package struct Index: Hashable, Sendable {
    package let mediaType: MediaType
    package let manifests: [Descriptor]
    package let annotations: [String: String]

    package init(mediaType: MediaType = .ociIndex, manifests: [Descriptor], annotations: [String: String] = [:]) {
        self.mediaType = mediaType
        self.manifests = manifests
        self.annotations = annotations
    }

    package init(parsing bytes: [UInt8], declared: MediaType? = nil) throws {
        let json = try JSON(parsing: bytes)
        guard json["layers"] ?? .null == .null, let manifests = json.list("manifests") else {
            throw ManifestError(.malformed, "the document is not an image index")
        }
        self.init(
            mediaType: json["mediaType"]?.string.map(MediaType.init(rawValue:)) ?? declared ?? .ociIndex,
            manifests: try manifests.map(Descriptor.init(json:)),
            annotations: Dictionary(json["annotations"]?.stringMap ?? [], uniquingKeysWith: { $1 }))
    }

    private var json: JSON {
        .object(
            ("schemaVersion", .integer(2)), ("mediaType", .string(mediaType.rawValue)),
            ("manifests", .array(manifests.map(\.json))), ("annotations", JSON.sortedMap(annotations)))
    }

    /// The number of platforms that a message names.
    private static let namedPlatforms = 50

    /// The document on one line (`index.json`) or indented (an index blob).
    package func encoded(_ style: JSONStyle) -> [UInt8] { json.encoded(style) }

    /// The manifest that runs best on `platform`; attestations are passed over, the first of equals wins.
    ///
    /// - Throws: ``ManifestError`` `.noPlatform`, naming the platforms there are.
    package func manifest(for platform: Platform) throws -> Descriptor {
        let images = manifests.filter {
            $0.platform?.os != "unknown" && $0.annotations["vnd.docker.reference.type"] != "attestation-manifest"
        }
        if images.count == 1, let only = images.first, only.platform == nil { return only }
        var best: (distance: Int, descriptor: Descriptor)?
        for image in images {
            guard let distance = image.platform?.distance(from: platform) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (distance, image) }
        }
        guard let best else {
            var names = images.prefix(Self.namedPlatforms).compactMap(\.platform?.description).joined(separator: ", ")
            if images.count > Self.namedPlatforms { names += ", …" }
            throw ManifestError(
                .noPlatform, "the image has no manifest for \(platform), only for \(names.isEmpty ? "none" : names)",
                hint: "Ask for one of these with --platform.")
        }
        return best.descriptor
    }
}
