import Diagnostics
package import OCI

/// The image a name stands for on one platform.
package struct ResolvedImage: Sendable {
    package let manifestDescriptor: Descriptor
    package let manifest: Manifest
    /// The manifest as the registry has it.
    package let manifestBytes: [UInt8]
    /// The descriptor that the name points to: an index, or the manifest.
    package let rootDescriptor: Descriptor
    package let rootBytes: [UInt8]

    package init(
        manifestDescriptor: Descriptor, manifest: Manifest, manifestBytes: [UInt8], rootDescriptor: Descriptor,
        rootBytes: [UInt8]
    ) {
        self.manifestDescriptor = manifestDescriptor
        self.manifest = manifest
        self.manifestBytes = manifestBytes
        self.rootDescriptor = rootDescriptor
        self.rootBytes = rootBytes
    }
}

extension RegistryClient {
    /// The largest manifest or index accepted, in bytes: what registries must support, and no more.
    package static let manifestLimit = 4 << 20
    /// The largest config of an image accepted, in bytes: it is read as a whole.
    package static let configLimit: Int64 = 20 << 20

    /// Finds the image a name stands for; of several, the one that runs best on `platform`.
    ///
    /// Throws `RegistryError`, e.g. `.notFound`, `.noPlatform`, `.digestMismatch`, `.unsupportedManifest`.
    package func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedImage {
        try await describing("cannot pull \(reference)") {
            try await reading(reference) { try await $0.image(for: platform) }
        }
    }

    /// Fetches one manifest or index by the tag or digest of `reference`, as it is.
    package func fetchManifest(
        _ reference: ImageReference
    ) async throws -> (descriptor: Descriptor, bytes: [UInt8]) {
        try await describing("cannot pull \(reference)") {
            let document = try await reading(reference) { try await $0.document($0.referenceName) }
            return (document.descriptor, document.bytes)
        }
    }
}

extension RepositoryConnection {
    /// The last part of the path to the manifest or index.
    var referenceName: String { reference.digest?.description ?? reference.tag ?? "latest" }

    /// The image that the reference names on a platform.
    fileprivate func image(for platform: Platform) async throws -> ResolvedImage {
        let root = try await document(referenceName)
        var current = root
        var depth = 0
        while current.isIndex {
            depth += 1
            guard depth <= 4 else {
                throw RegistryError(.malformedResponse, "its indexes are nested more than 4 deep")
            }
            let choice = try readingManifest { try current.index().manifest(for: platform) }
            current = try await document(choice.digest.description, as: choice)
        }
        let manifest = try readingManifest(current.manifest)
        guard manifest.config.size <= RegistryClient.configLimit else {
            throw RegistryError(.tooLarge, "its config has \(manifest.config.size) bytes, more than 20 MiB")
        }
        return ResolvedImage(
            manifestDescriptor: current.descriptor, manifest: manifest,
            manifestBytes: current.bytes, rootDescriptor: root.descriptor, rootBytes: root.bytes)
    }
}

/// A manifest or index as it came.
private struct Document {
    let descriptor: Descriptor
    let bytes: [UInt8]
    let isIndex: Bool

    /// Reads what kind of document this is. `contentType` is the field of the response, which counts where the document
    /// itself names no type; `choice` the descriptor that led here.
    init(bytes: [UInt8], contentType: String?, choice: Descriptor?, digest: Digest, server: String) throws {
        let said = contentType?.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
        guard !said.hasPrefix("application/vnd.docker.distribution.manifest.v1") else { throw Self.schema1 }
        guard let json = try? JSON(parsing: bytes), json.object != nil else {
            let kind = said.isEmpty ? "" : " (\(said.printable(limit: 80)))"
            throw RegistryError(
                .malformedResponse, "\(server) sent something that is not a manifest\(kind)",
                hint: "Check that \(server) is a registry, and not a proxy's or a login page.")
        }
        guard json["schemaVersion"]?.integer != 1 else { throw Self.schema1 }
        let declared = MediaType(rawValue: said)
        let own = json["mediaType"]?.string.map(MediaType.init(rawValue:))
        let isIndex = own?.isIndex == true || (own?.isManifest != true && json["manifests"] != nil)
        guard !(declared.isIndex && !isIndex), !(declared.isManifest && isIndex) else {
            throw RegistryError(
                .malformedResponse, "\(server) sent a document whose content contradicts its type, '\(said)'")
        }
        let known = declared.isIndex || declared.isManifest ? declared : nil
        let type = own ?? known ?? (isIndex ? .ociIndex : .ociManifest)
        descriptor = Descriptor(
            mediaType: type, digest: digest, size: Int64(bytes.count), platform: choice?.platform,
            annotations: choice?.annotations ?? [:], urls: choice?.urls ?? [])
        self.bytes = bytes
        self.isIndex = isIndex
    }

    private static var schema1: RegistryError {
        RegistryError(
            .unsupportedManifest, "the image is in Docker's schema 1 format, which is no longer in use",
            hint: "Push the image again with a current tool.")
    }

    func index() throws -> Index { try Index(parsing: bytes, declared: descriptor.mediaType) }
    func manifest() throws -> Manifest { try Manifest(parsing: bytes, declared: descriptor.mediaType) }
}

/// Runs `body`; an error in the content of a manifest becomes an error of the registry.
private func readingManifest<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as ManifestError {
        let code: RegistryCode =
            switch error.code {
            case .noPlatform: .noPlatform
            case .unsupported: .unsupportedManifest
            case .malformed: .malformedResponse
            }
        throw RegistryError(code, error.message, hint: error.hint, cause: error)
    } catch let error as any AnyFailure {
        throw RegistryError(.malformedResponse, error.message, hint: error.hint, cause: error)
    }
}

extension RegistryClient {
    /// All types in one field: some proxies keep only the last of several, and registries then fall back to schema 1.
    static let acceptedManifests = [MediaType.ociIndex, .dockerIndex, .ociManifest, .dockerManifest]
        .map(\.rawValue).joined(separator: ", ")
}

extension RepositoryConnection {
    /// Fetches a manifest or index by tag or digest; `choice` is the descriptor in the index that led here.
    fileprivate func document(_ name: String, as choice: Descriptor? = nil) async throws -> Document {
        let request = HTTPRequest(.get, url("manifests/\(name)"), ["Accept": RegistryClient.acceptedManifests])
        let answer = try await send(request, for: .pull, expecting: [200])
        let fields = answer.response.fields
        let limit = RegistryClient.manifestLimit
        let announced = fields["content-length"].flatMap { Int64($0) } ?? 0
        guard announced <= limit, let bytes = try await answer.response.body.collect(limit: limit) else {
            throw RegistryError(.tooLarge, "the manifest '\(name)' is larger than 4 MiB")
        }
        let digest = Digest(of: bytes)
        let claimed = fields["docker-content-digest"].flatMap { $0.hasPrefix("sha256:") ? $0 : nil }
        let wanted = name.hasPrefix("sha256:") ? name : nil
        for expected in [wanted, claimed].compactMap(\.self) where expected != digest.description {
            throw RegistryError(
                .digestMismatch, "the manifest is \(digest) instead of \(expected.printable(limit: 80))",
                hint: "Try again; if it stays so, the registry or a proxy before it is broken.")
        }
        if let choice, choice.size != Int64(bytes.count) {
            throw RegistryError(
                .digestMismatch, "the manifest \(digest) has \(bytes.count) bytes instead of \(choice.size)")
        }
        return try Document(
            bytes: bytes, contentType: fields["content-type"], choice: choice, digest: digest,
            server: answer.url.authority)
    }
}
