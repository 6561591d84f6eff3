import Diagnostics
import Images
import OCI
import Registry
import Transports

/// The parts of an image that buildx's templates know besides its manifest: `.Image`, `.Provenance` and `.SBOM`.
///
/// Each is the one value of an image, or with several platforms an object with a value for each.
struct IndexContents {
    private let reader: any ImageReader
    private let root: ImageDocument
    private let entries: [IndexDocument.Entry]

    init(_ root: ImageDocument, _ reader: any ImageReader) throws {
        self.root = root
        self.reader = reader
        entries = root.isIndex ? try IndexDocument(parsing: root.bytes).entries : []
    }

    /// The manifests of the images, with the platform that the index has for them.
    private func images() async throws -> [(digest: Digest, platform: Platform?, manifest: Manifest)] {
        guard root.isIndex else { return [(root.descriptor.digest, nil, try root.manifest())] }
        var images: [(Digest, Platform?, Manifest)] = []
        for entry in entries where !entry.isAttestation && entry.descriptor.mediaType.isManifest {
            let document = try await reader.document(entry.descriptor)
            images.append((entry.descriptor.digest, entry.platform, try document.manifest()))
        }
        return images
    }

    /// The configs of the images.
    func image() async throws -> JSON {
        var configs: [(String, JSON)] = []
        for (_, platform, manifest) in try await images() {
            let config = try JSON(parsing: try await bytes(of: manifest.config))
            let own = Platform(
                os: config["os"]?.string ?? "", architecture: config["architecture"]?.string ?? "",
                variant: config["variant"]?.string ?? "")
            configs.append(((platform ?? own).description, config))
        }
        return Self.byPlatform(configs, none: .null)
    }

    /// The provenance of the images, as `{"SLSA": …}`.
    func provenance() async throws -> JSON {
        try await statements("SLSA") { $0.hasPrefix("https://slsa.dev/provenance/") }
    }

    /// The lists of their software, as `{"SPDX": …}`.
    func sbom() async throws -> JSON {
        try await statements("SPDX") { $0 == "https://spdx.dev/Document" }
    }

    /// The first statement of a kind about each image.
    private func statements(_ name: String, isOfKind: (String) -> Bool) async throws -> JSON {
        var found: [(String, JSON)] = []
        for entry in entries where !entry.isAttestation {
            var value = JSON.object(JSONObject())
            for about in entries where about.isAttestation && about.subject == entry.descriptor.digest {
                let manifest = try await reader.document(about.descriptor).manifest()
                let statement = manifest.layers.first { isOfKind($0.annotations["in-toto.io/predicate-type"] ?? "") }
                guard let statement else { continue }
                let document = try JSON(parsing: try await bytes(of: statement))
                value = .object((name, document["predicate"] ?? .null))
            }
            found.append((entry.platform?.description ?? "", value))
        }
        return Self.byPlatform(found, none: .object(JSONObject()))
    }

    private static func byPlatform(_ values: [(String, JSON)], none: JSON) -> JSON {
        values.count > 1 ? .object(JSONObject(values)) : values.first?.1 ?? none
    }

    private func bytes(of blob: Descriptor) async throws -> [UInt8] {
        let sink = MemorySink(limit: BlobTree.documentLimit)
        try await reader.copy(blob, into: sink) { _ in }
        return sink.bytes
    }
}
