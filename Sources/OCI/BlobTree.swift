/// The blobs below a root, in the order of its documents: manifests, configs, layers, and what else they name.
///
/// Documents that cannot be had are leaves.
package struct BlobTree {
    package private(set) var blobs: [Descriptor] = []

    /// The largest document that is read, in bytes.
    package static let documentLimit = 20 << 20

    package init(_ root: Descriptor, read: (Descriptor) throws -> [UInt8]?) throws {
        var seen: Set<Digest> = [root.digest]
        var open = [(root, depth: 0)]
        while let (descriptor, depth) = open.popLast() {
            if depth > 0 { blobs.append(descriptor) }
            guard depth < 8, descriptor.size <= Self.documentLimit, descriptor.mayNameBlobs,
                let bytes = try read(descriptor)
            else { continue }
            let below = try Self.descriptors(in: bytes).filter { seen.insert($0.digest).inserted }
            open += below.reversed().map { ($0, depth + 1) }
        }
    }

    /// The descriptors of an index, of a manifest or of an artifact.
    package static func descriptors(in bytes: [UInt8]) throws -> [Descriptor] {
        guard let json = try? JSON(parsing: bytes) else { return [] }
        let lists = ["manifests", "layers", "blobs"].flatMap { json.list($0) ?? [] }
        let config = json["config"].flatMap { $0 == .null ? nil : $0 }
        return try ((config.map { [$0] } ?? []) + lists).map(Descriptor.init(json:))
    }
}

extension Descriptor {
    /// Whether the blob is a document of descriptors. Types of which nothing is known count as none.
    package var mayNameBlobs: Bool { mediaType.isIndex || mediaType.isManifest }
}
