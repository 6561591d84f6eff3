package import Attestations
import Diagnostics
import Images
import Linux
package import OCI
import Store

/// A base image whose config is in the store.
package struct FoundBase: Hashable, Sendable {
    package let config: ImageConfig
    /// As it is said in the history.
    package let name: String
    /// Its name in a registry; `nil` for an ID.
    package let reference: ImageReference?
    /// The digest that the name stands for there, if it is known.
    package let digest: Digest?
}

extension EditedImage {
    /// Notes the base in the annotations that are meant for it. What is not known is removed.
    package mutating func setBase(name: String?, digest: Digest?) {
        annotations[Self.baseNameKey] = name
        annotations[Self.baseDigestKey] = digest?.description
        for key in [Self.baseNameKey, Self.baseDigestKey] where config.config.labels[key] != nil {
            config.config.labels[key] = key == Self.baseNameKey ? name : digest?.description
        }
    }

    /// The base that annotations or labels name.
    var namedBase: ImageReference? {
        for values in [annotations, config.config.labels] {
            guard let digest = values[Self.baseDigestKey].flatMap({ try? Digest(parsing: $0) }),
                let name = values[Self.baseNameKey].flatMap({ try? ImageReference(parsing: $0) })
            else { continue }
            return name.with(tag: nil, digest: digest)
        }
        return nil
    }
}

extension ImageEditing {
    /// An image of the store, or one of a registry, of which no layer is fetched for it.
    package func require(_ text: String, for platform: Platform) async throws -> FoundBase {
        if let image = try await offload({ [images] in try? images.image(text, for: platform) }) {
            let config = try await offload { [images] in try images.config(of: image) }
            let reference = try? ImageReference(parsing: text)
            let named = reference.flatMap { name in image.names.contains(name) ? name : nil }
            return FoundBase(config: config, name: text, reference: named, digest: image.rootDigest)
        }
        return try await fetch(try ImageReference(parsing: text), for: platform)
    }

    private func fetch(_ reference: ImageReference, for platform: Platform) async throws -> FoundBase {
        let image = try await images.resolve(reference, platform: platform)
        let config = try await offload { [images] in try images.config(of: image) }
        return FoundBase(
            config: config, name: reference.description, reference: reference.with(tag: reference.tag, digest: nil),
            digest: reference.digest ?? image.rootDigest)
    }

    /// The base that an image was built from: the one that is named, else what annotations, labels or provenance say.
    ///
    /// Throws ``EditingError`` `.unknownBase`.
    package func base(
        of image: String, _ edited: EditedImage, named name: String?, for platform: Platform
    ) async throws -> FoundBase {
        if let name { return try await require(name, for: platform) }
        if let base = edited.namedBase { return try await fetch(base, for: platform) }
        let statements = try await offload { [images] in try images.provenance(of: image, for: platform) }
        let bases = statements.flatMap(\.images)
        // An image that a stage has used for something else is no base of it.
        for base in bases {
            let found = try await fetch(base, for: platform)
            if edited.config.diffIDs.starts(with: found.config.diffIDs), !found.config.diffIDs.isEmpty { return found }
        }
        throw EditingError(
            .unknownBase, "nothing says which base '\(image)' was built from",
            hint: "Name it with --old-base.")
    }
}

extension ImageTransfer {
    /// What provenance is attached to an image of the store, in its index.
    package func provenance(of text: String, for platform: Platform?) throws -> [RecordedProvenance] {
        let image = try image(text, for: platform)
        guard let root = image.root, root.mediaType.isIndex, let manifest = image.manifest,
            let bytes = try store.content.bytes(of: root.digest)
        else { return [] }
        let index = try Index(parsing: bytes, declared: root.mediaType)
        var found: [RecordedProvenance] = []
        for entry in index.manifests
        where entry.annotations["vnd.docker.reference.type"] == "attestation-manifest"
            && entry.annotations["vnd.docker.reference.digest"] == manifest.digest.description
        {
            guard let bytes = try store.content.bytes(of: entry.digest), let json = try? JSON(parsing: bytes) else {
                continue
            }
            for layer in json["layers"]?.array ?? [] {
                guard
                    layer["annotations"]?["in-toto.io/predicate-type"]?.string?
                        .hasPrefix("https://slsa.dev/provenance/") == true,
                    let digest = layer["digest"]?.string.flatMap({ try? Digest(parsing: $0) }),
                    let statement = try store.content.bytes(of: digest, limit: 40 << 20).flatMap({
                        try? JSON(parsing: $0)
                    }), let provenance = RecordedProvenance(statement: statement)
                else { continue }
                found.append(provenance)
            }
        }
        return found
    }
}
