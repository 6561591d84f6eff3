package import Attestations
import Diagnostics
import Images
import Linux
package import OCI
import Registry
package import Store

/// A base image whose config is in the store.
package struct FoundBase: Hashable, Sendable {
    package let config: ImageConfig
    let id: Digest
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

    /// Notes a base that was used.
    package mutating func use(_ base: FoundBase) { use(base.reference, base.digest ?? base.id) }

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
        if let image = try await stored(text, for: platform) {
            let config = try await offload { [images] in try images.config(of: image) }
            let named = try await offload { [images] in try image.name(meantBy: text, in: images) }
            return FoundBase(config: config, id: image.id, name: text, reference: named, digest: image.rootDigest)
        }
        return try await fetch(
            try await images.registry.client.reference(for: try ImageName(parsing: text)), for: platform)
    }

    /// An image of the store, or one of a registry, of which no layer is fetched for it.
    package func find(_ text: String, for platform: Platform) async throws -> StoredImage {
        if let image = try await stored(text, for: platform) { return image }
        let reference = try await images.registry.client.reference(for: try ImageName(parsing: text))
        return try await images.resolve(reference, platform: platform)
    }

    /// An image of the store; `nil` if the store has none of the name for the platform.
    private func stored(_ text: String, for platform: Platform) async throws -> StoredImage? {
        try await offload { [images] in
            do { return try images.image(text, platform: platform) } catch let error as ImagesError
                where error.code == .imageNotFound
            { return nil }
        }
    }

    private func fetch(_ reference: ImageReference, for platform: Platform) async throws -> FoundBase {
        let image = try await images.resolve(reference, platform: platform)
        let config = try await offload { [images] in try images.config(of: image) }
        return FoundBase(
            config: config, id: image.id, name: reference.description,
            reference: reference.with(tag: reference.tag, digest: nil),
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
        let statements = try await images.provenance(of: image, for: platform)
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

extension StoredImage {
    /// The name of the image that a text is; `nil` for an ID.
    func name(meantBy text: String, in images: ImageTransfer) throws -> ImageReference? {
        let reference = try? ImageReference(parsing: images.fullName(text))
        return reference.flatMap { names.contains($0) ? $0 : nil }
    }
}

extension ImageTransfer {
    /// The provenance that is attached to an image of the store: in its index, or else as artifacts that refer to it in its
    /// registry. Documents that the store does not have are fetched.
    package func provenance(of text: String, for platform: Platform?) async throws -> [RecordedProvenance] {
        let image = try await offload { [self] in try self.image(text, platform: platform) }
        guard let manifest = image.manifest else { return [] }
        let name = try image.name(meantBy: text, in: self) ?? image.names.first
        let attached = try await attestations(in: image.root, about: manifest)
        let found = try await provenance(in: attached, of: name)
        guard found.isEmpty, let name, image.origin != .made else { return found }
        // Not every registry lists what refers to an image, and an image may come from elsewhere than its name says.
        let referrers = (try? await registry.client.referrers(of: manifest.digest, in: name)) ?? []
        return try await provenance(in: referrers.map(\.descriptor), of: name)
    }

    /// The entries about a manifest in an index of the store.
    private func attestations(in root: Descriptor?, about manifest: Descriptor) async throws -> [Descriptor] {
        guard let root, root.mediaType.isIndex,
            let bytes = try await offload({ [store] in try store.content.bytes(of: root.digest) })
        else { return [] }
        return try Index(parsing: bytes, declared: root.mediaType).manifests.filter { entry in
            entry.annotations["vnd.docker.reference.type"] == "attestation-manifest"
                && entry.annotations["vnd.docker.reference.digest"] == manifest.digest.description
        }
    }

    private func provenance(in manifests: [Descriptor], of name: ImageReference?) async throws -> [RecordedProvenance] {
        var found: [RecordedProvenance] = []
        for entry in manifests {
            guard let json = try await attestation(entry, of: name) else { continue }
            for layer in json["layers"]?.array ?? [] {
                let type = layer["annotations"]?["in-toto.io/predicate-type"]?.string ?? ""
                guard type.hasPrefix("https://slsa.dev/provenance/"), let blob = try? Descriptor(json: layer),
                    let statement = try await statement(blob, of: name),
                    let provenance = RecordedProvenance(statement: statement)
                else { continue }
                found.append(provenance)
            }
        }
        return found
    }

    private func attestation(_ entry: Descriptor, of name: ImageReference?) async throws -> JSON? {
        if let bytes = try await offload({ [store] in try store.content.bytes(of: entry.digest) }) {
            return try? JSON(parsing: bytes)
        }
        guard let name else { return nil }
        let fetched = try await registry.client.fetchManifest(name.with(tag: nil, digest: entry.digest))
        return try? JSON(parsing: fetched.bytes)
    }

    private func statement(_ blob: Descriptor, of name: ImageReference?) async throws -> JSON? {
        guard blob.size <= Self.statementLimit else { return nil }
        let isHere = try await offload { [store] in try store.content.contains(blob.digest) }
        if !isHere, let name { try await registry.client.fetchBlob(blob, of: name, into: store.content) }
        return try await offload { [store] in
            try store.content.bytes(of: blob.digest, limit: Int(Self.statementLimit)).flatMap { try? JSON(parsing: $0) }
        }
    }

    /// As BuildKit has it for files with attestations.
    private static var statementLimit: Int64 { 40 << 20 }
}
