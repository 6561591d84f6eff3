package import OCI
import SQLite

/// An image of one platform in the store.
package struct StoredImage: Hashable, Sendable {
    /// The digest of the config, which is a blob of the store.
    package let id: Digest
    package let platform: Platform
    package let created: Timestamp?
    /// Bottom first.
    package let diffIDs: [DiffID]
    /// The sum of the sizes of the layers' files, in bytes.
    package let size: Int64
    /// The manifest, which is a blob of the store. An image saved without one gets one; all that are read have one.
    package let manifest: Descriptor?
    /// The layers as the manifest has them, bottom first.
    package let layers: [Descriptor]
    /// The annotations that a manifest made for the image gets; one it came with has its own.
    package let annotations: [String: String]
    /// The root below which the image was found: the manifest, or an index that leads to it. Only reads fill it.
    package let root: Descriptor?
    /// How the store came to that root.
    package let origin: RootOrigin
    /// The names of the root, in order; only reads fill it.
    package let names: [ImageReference]
    /// The repositories, with digests, to which an image made here was pushed; filled by reads only.
    package let pushed: [ImageReference]

    package init(
        id: Digest, platform: Platform, created: Timestamp?, diffIDs: [DiffID], size: Int64,
        manifest: Descriptor? = nil, layers: [Descriptor] = [], annotations: [String: String] = [:],
        root: Descriptor? = nil, origin: RootOrigin = .whole, names: [ImageReference] = [],
        pushed: [ImageReference] = []
    ) {
        self.id = id
        self.platform = platform
        self.created = created
        self.diffIDs = diffIDs
        self.size = size
        self.manifest = manifest
        self.layers = layers
        self.annotations = annotations
        self.root = root
        self.origin = origin
        self.names = names
        self.pushed = pushed
    }

    /// The digest that the names stand for elsewhere; `nil` for an image that was made here, whose manifest no registry
    /// has.
    package var rootDigest: Digest? { origin == .made ? nil : root?.digest }

    /// Repositories that have the image, with the digests under which they have it.
    package var repositoryDigests: [ImageReference] {
        guard let rootDigest else { return pushed }
        let named = names.map { $0.with(tag: nil, digest: rootDigest) }
        return Set(named + pushed).sorted { $0.description < $1.description }
    }
}

extension [Descriptor] {
    init(column: String) throws { self = try (try JSON(parsing: column).array ?? []).map(Descriptor.init(json:)) }

    var column: String { JSON.array(map(\.json)).text() }
}

extension [String: String] {
    init(column: String) throws { self.init(try JSON(parsing: column).stringMap ?? [], uniquingKeysWith: { $1 }) }

    /// Sorted by keys, so that equal maps are equal text.
    var column: String { (JSON.sortedMap(self) ?? .object(JSONObject())).text() }
}
