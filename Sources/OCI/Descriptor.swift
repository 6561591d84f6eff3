package import Diagnostics

/// A pointer to a blob: type, digest and size in bytes.
///
/// Source: OCI image-spec, descriptor.md.
package struct Descriptor: Hashable, Sendable {
    package let mediaType: MediaType
    package let digest: Digest
    package let size: Int64
    package let platform: Platform?
    package let annotations: [String: String]
    /// The addresses of a foreign layer.
    package let urls: [String]

    /// The largest size that a document may state, of one blob and of all blobs of an image together: 1 PiB.
    package static let sizeLimit: Int64 = 1 << 50

    package init(
        mediaType: MediaType, digest: Digest, size: Int64, platform: Platform? = nil,
        annotations: [String: String] = [:], urls: [String] = []
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
        self.urls = urls
    }

    package init(json: JSON) throws {
        guard let type = json["mediaType"]?.string, let digest = json["digest"]?.string,
            let size = json["size"]?.integer, size >= 0
        else {
            throw ManifestError(.malformed, "a descriptor needs a mediaType, a digest and a size")
        }
        guard size <= Self.sizeLimit else {
            throw ManifestError(.malformed, "a descriptor states a size of \(size) bytes, more than 1 PiB")
        }
        self.init(
            mediaType: MediaType(rawValue: type), digest: try Digest(parsing: digest), size: size,
            platform: Platform(json: json["platform"]),
            annotations: Dictionary(json["annotations"]?.stringMap ?? [], uniquingKeysWith: { $1 }),
            urls: json["urls"]?.strings ?? [])
    }

    /// Keys in the order of the Go structure: mediaType, digest, size, urls, annotations, platform.
    package var json: JSON {
        .object(
            ("mediaType", .string(mediaType.rawValue)), ("digest", .string(digest.description)),
            ("size", .integer(size)), ("urls", urls.isEmpty ? nil : .array(urls.map(JSON.string))),
            ("annotations", JSON.sortedMap(annotations)), ("platform", platform?.json))
    }
}

extension JSON {
    /// A map of strings with sorted keys; `nil` when it is empty, as Go's `omitempty`.
    package static func sortedMap(_ map: [String: String]) -> JSON? {
        guard !map.isEmpty else { return nil }
        return .object(JSONObject(map.map { ($0.key, .string($0.value)) }).sorted())
    }
}

/// Errors of manifests, indexes and image configs.
package enum ManifestCode: String, FailureCode {
    case malformed = "manifest.malformed"
    case unsupported = "manifest.unsupported"
    case noPlatform = "manifest.no-platform"
}
package typealias ManifestError = Failure<ManifestCode>
