import Diagnostics
package import Images
import Linux
package import OCI
import Registry
package import Requests
import SystemPackage
import Transports
import Trees

/// A cache that was read: its records, and where the blobs are that they need.
package struct ImportedCache: Sendable {
    package let document: CacheDocument
    /// By digest.
    package let blobs: [Digest: Descriptor]
    package let location: BlobLocation
}

/// Reads the records of caches; their blobs stay where they are.
package struct CacheReader: Sendable {
    package let images: ImageTransfer
    /// The platforms of the build: of an index, only the caches in their images are read.
    package let platforms: [Platform]

    /// The name of the annotation of a manifest that holds an inline cache.
    ///
    /// The manifest and not the config, so that the image is the same with and without it, and one request reads it.
    package static let annotation = "dev.lamina.cache.v1"

    private static let buildKitType = "application/vnd.buildkit.cacheconfig.v0"
    /// In bytes; the records of a build take some hundred bytes a step.
    private static let configLimit: Int64 = 32 << 20

    /// The cache of a source, or those of an index: one for each platform that has one.
    ///
    /// Throws ``CachingError`` `.badCache` for what is no cache, and whatever reading it throws.
    package func read(_ source: CacheImport) async throws -> [ImportedCache] {
        switch source {
        case .registry(let reference, _): try await read(reference)
        case .local(let path, let tag, let digest):
            try await offload { [platforms] in
                let layout = LayoutDirectory(FileSystem.absolute(path))
                return try Self.read(layout, tag: tag, digest: digest, platforms)
            }
        case .s3(let cache): [try await read(cache)]
        }
    }

    private func read(_ reference: ImageReference) async throws -> [ImportedCache] {
        let client = images.registry.client
        let (descriptor, bytes) = try await client.fetchManifest(reference)
        guard descriptor.mediaType.isIndex else {
            return [try await cache(Manifest(parsing: bytes, declared: descriptor.mediaType), of: reference)]
        }
        let index = try Index(parsing: bytes, declared: descriptor.mediaType)
        if index.manifests.contains(where: { $0.mediaType.rawValue == Self.buildKitType }) { throw Self.foreign }
        let pinned = reference.with(tag: nil, digest: descriptor.digest)
        var caches: [ImportedCache] = []
        var failure: (any Error)?
        for platform in platforms {
            do {
                let manifest = try await client.resolve(pinned, platform: platform).manifest
                caches.append(try await cache(manifest, of: reference))
            } catch let error as any AnyFailure { failure = failure ?? error }
        }
        if caches.isEmpty, let failure { throw failure }
        return caches
    }

    private func cache(_ manifest: Manifest, of reference: ImageReference) async throws -> ImportedCache {
        try await cache(manifest, at: BlobLocation(repositoryOf: reference)) { config in
            let stream = try await images.registry.client.blobStream(
                config, of: reference.with(tag: nil, digest: config.digest), 0..<config.size)
            return try await stream.collect(limit: Int(config.size)) ?? []
        }
    }

    private func read(_ cache: S3Cache) async throws -> ImportedCache {
        if let credentials = cache.credentials { images.registry.remember(credentials, for: cache.bucket) }
        let client = try images.registry.client(for: cache.bucket)
        for key in cache.keys {
            guard let bytes = try await client.object(key, limit: RegistryClient.manifestLimit) else { continue }
            let json = try JSON(parsing: bytes)
            // BuildKit's object is the config itself.
            if json["schemaVersion"] == nil, json["records"] != nil { throw Self.foreign }
            return try await self.cache(try Manifest(parsing: bytes), at: .bucket(cache.bucket)) { config in
                try await client.stream(config, 0..<config.size).collect(limit: Int(config.size)) ?? []
            }
        }
        throw CachingError(.badCache, "\(cache.bucket) has no \(cache.keys.joined(separator: " and no "))")
    }

    private static var foreign: CachingError {
        CachingError(
            .badCache, "it was written by BuildKit, whose keys tell nothing about the steps of this build",
            hint: "Give the caches of Lamina a name of their own.")
    }

    /// The cache that a manifest describes; `fetch` gives a small blob.
    private func cache(
        _ manifest: Manifest, at location: BlobLocation, fetch: (Descriptor) async throws -> [UInt8]
    ) async throws -> ImportedCache {
        if let config = try Self.config(of: manifest) {
            return try Self.cache(manifest, at: location, config: try await fetch(config), is: config.digest)
        }
        return try Self.inlineCache(manifest, at: location)
    }

    /// The blob with the records; `nil` when they are in the manifest.
    private static func config(of manifest: Manifest) throws -> Descriptor? {
        if manifest.config.mediaType.rawValue == buildKitType { throw foreign }
        guard manifest.config.mediaType == CacheDocument.mediaType else { return nil }
        guard manifest.config.size <= configLimit else {
            throw CachingError(
                .badCache, "its records take \(manifest.config.size) bytes, more than any cache needs",
                hint: "Export it again.")
        }
        return manifest.config
    }

    private static func cache(
        _ manifest: Manifest, at location: BlobLocation, config: [UInt8], is digest: Digest
    ) throws -> ImportedCache {
        guard Digest(of: config) == digest else {
            throw CachingError(.badCache, "its records are not those that the manifest names", hint: "Export it again.")
        }
        return ImportedCache(
            document: try CacheDocument(json: try JSON(parsing: config)), blobs: blobs(of: manifest),
            location: location)
    }

    private static func inlineCache(_ manifest: Manifest, at location: BlobLocation) throws -> ImportedCache {
        guard let text = manifest.annotations[annotation] else {
            throw CachingError(
                .badCache, "it is an image without an inline cache", hint: "Build it with --cache-to type=inline.")
        }
        var document = try CacheDocument(json: try JSON(parsing: text))
        // Which blobs hold the layers was not known when the records were written.
        guard document.layers.count == manifest.layers.count else {
            throw CachingError(
                .badCache, "its inline cache is that of another image", hint: "Build and push the image again.")
        }
        document.layers = zip(document.layers, manifest.layers).map { layer, blob in
            CacheDocument.Layer(diffID: layer.diffID, blob: blob.digest)
        }
        return ImportedCache(document: document, blobs: blobs(of: manifest), location: location)
    }

    private static func blobs(of manifest: Manifest) -> [Digest: Descriptor] {
        Dictionary(manifest.layers.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Layouts

    private static func read(
        _ layout: LayoutDirectory, tag: String, digest: Digest?, _ platforms: [Platform]
    ) throws -> [ImportedCache] {
        let index = try Index(parsing: try OwnedDescriptor.open(layout.index).readAll(limit: 4 << 20))
        let entry = index.manifests.first { entry in
            if let digest { return entry.digest == digest }
            return entry.annotations[LayoutDirectory.tagAnnotation] == tag
        }
        guard let entry else {
            throw CachingError(.badCache, "the layout has no manifest '\(digest?.description ?? tag)'")
        }
        let document = try bytes(entry, in: layout, limit: 4 << 20)
        guard entry.mediaType.isIndex else {
            return [try cache(Manifest(parsing: document, declared: entry.mediaType), in: layout)]
        }
        let platformIndex = try Index(parsing: document, declared: entry.mediaType)
        var caches: [ImportedCache] = []
        var failure: (any Error)?
        for platform in platforms {
            do {
                let entry = try platformIndex.manifest(for: platform)
                let document = try bytes(entry, in: layout, limit: 4 << 20)
                caches.append(try cache(Manifest(parsing: document, declared: entry.mediaType), in: layout))
            } catch let error as any AnyFailure { failure = failure ?? error }
        }
        if caches.isEmpty, let failure { throw failure }
        return caches
    }

    private static func cache(_ manifest: Manifest, in layout: LayoutDirectory) throws -> ImportedCache {
        let location = BlobLocation.layout(layout.path)
        guard let config = try config(of: manifest) else { return try inlineCache(manifest, at: location) }
        let records = try bytes(config, in: layout, limit: configLimit)
        return try cache(manifest, at: location, config: records, is: config.digest)
    }

    private static func bytes(_ blob: Descriptor, in layout: LayoutDirectory, limit: Int64) throws -> [UInt8] {
        guard blob.size <= limit else {
            throw CachingError(.badCache, "the blob \(blob.digest) is larger than \(limit) bytes")
        }
        let bytes = try OwnedDescriptor.open(layout.path(of: blob.digest)).readAll(limit: Int(blob.size))
        guard Digest(of: bytes) == blob.digest else {
            throw CachingError(.badCache, "the blob \(blob.digest) in the layout is another one")
        }
        return bytes
    }
}

extension CacheImport: CustomStringConvertible {
    /// The cache's name for users.
    package var description: String {
        switch self {
        case .registry(let reference, _): reference.familiar
        case .local(let path, _, _): path.string
        case .s3(let cache): cache.description
        }
    }
}

extension S3Cache: CustomStringConvertible {
    /// Never tells credentials.
    package var description: String { "\(bucket)/\(keys.joined(separator: ";"))" }
}
