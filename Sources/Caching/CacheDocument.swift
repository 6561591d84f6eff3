import Diagnostics
package import OCI

/// Cache records on their way between stores: which results there are under which keys, and which layers they consist
/// of. The layers themselves are blobs beside it.
///
/// The layers of base images are named but not brought along: a build that computes the same keys has the same base at
/// hand.
package struct CacheDocument: Hashable, Sendable {
    package static let mediaType = MediaType(rawValue: "application/vnd.lamina.cache.config.v1+json")

    package struct Layer: Hashable, Sendable {
        package let diffID: DiffID
        /// The blob that holds it; `nil` for a layer of a base image.
        package let blob: Digest?

        package init(diffID: DiffID, blob: Digest?) {
            self.diffID = diffID
            self.blob = blob
        }
    }

    /// A layer of a result, by its place in ``CacheDocument/layers``.
    package struct Part: Hashable, Sendable {
        package let layer: Int
        /// The time at which a step made it; `nil` for a layer of a base image.
        package let created: Timestamp?

        package init(layer: Int, created: Timestamp?) {
            self.layer = layer
            self.created = created
        }
    }

    package struct Record: Hashable, Sendable {
        package let kind: String
        /// The name of the step; empty where it is not given.
        package let description: String
        package let keys: [Digest]
        /// Bottom first.
        package let parts: [Part]
        package let created: Timestamp

        package init(kind: String, description: String, keys: [Digest], parts: [Part], created: Timestamp) {
            self.kind = kind
            self.description = description
            self.keys = keys
            self.parts = parts
            self.created = created
        }
    }

    package var layers: [Layer] = []
    package var records: [Record] = []

    package init(layers: [Layer] = [], records: [Record] = []) {
        self.layers = layers
        self.records = records
    }

    /// The kinds of steps whose results are worth carrying: a file of the web has to be looked at anyway to know its
    /// key.
    package static let kinds: Set<String> = ["run", "copy", "directory", "git"]

    /// Limits for what others wrote. No build comes near them.
    private static let limit = (layers: 100_000, records: 100_000, keys: 64, parts: 1024, description: 4096)
}

extension CacheDocument {
    /// The document as JSON.
    package var json: JSON {
        .object(
            ("version", .integer(1)),
            (
                "layers",
                .array(
                    layers.map { layer in
                        .object(
                            ("diffID", .string("\(layer.diffID)")), ("blob", layer.blob.map { .string("\($0)") }))
                    })
            ),
            ("records", .array(records.map(\.json))))
    }

    /// Reads what ``json`` gives.
    ///
    /// Records of unknown kinds are left out: a later version may have some. Throws ``CachingError`` `.badCache`.
    package init(json: JSON) throws {
        guard json["version"]?.integer == 1, let layers = json.list("layers"), let records = json.list("records"),
            layers.count <= Self.limit.layers, records.count <= Self.limit.records
        else { throw Self.malformed }
        self.layers = try layers.map { item in
            guard let diffID = item["diffID"]?.string else { throw Self.malformed }
            return Layer(
                diffID: try DiffID(parsing: diffID), blob: try item["blob"]?.string.map { try Digest(parsing: $0) })
        }
        let count = layers.count
        self.records = try records.compactMap { try Record(json: $0, layerCount: count) }
    }

    fileprivate static var malformed: CachingError {
        CachingError(.badCache, "it is not a cache of this format", hint: "Export it again.")
    }

    fileprivate static func parts(_ item: JSON, layerCount: Int) throws -> [Part] {
        guard let parts = item.list("layers"), parts.count <= limit.parts else { throw malformed }
        return try parts.map { part in
            guard let layer = part["layer"]?.integer, layer >= 0, layer < layerCount else { throw malformed }
            let created = part["created"]?.string
            let time = created.flatMap(Timestamp.init(parsing:))
            guard (created == nil) == (time == nil) else { throw malformed }
            return Part(layer: Int(layer), created: time)
        }
    }

    fileprivate static func keys(_ item: JSON) throws -> [Digest] {
        guard let list = item.list("keys"), let keys = JSON.array(list).strings, keys.count <= limit.keys else {
            throw malformed
        }
        return try keys.map { try Digest(parsing: $0) }
    }

    fileprivate static func description(_ item: JSON) -> String {
        String((item["description"]?.string ?? "").prefix(limit.description))
    }
}

extension CacheDocument.Record {
    fileprivate var json: JSON {
        .object(
            ("kind", .string(kind)), ("description", description.isEmpty ? nil : .string(description)),
            ("keys", .array(keys.map { .string("\($0)") })),
            (
                "layers",
                .array(
                    parts.map { part in
                        .object(
                            ("layer", .integer(part.layer)), ("created", part.created.map { .string("\($0)") }))
                    })
            ),
            ("created", .string("\(created)")))
    }

    /// `nil` for a kind that is not known here.
    fileprivate init?(json item: JSON, layerCount: Int) throws {
        guard let kind = item["kind"]?.string,
            let created = item["created"]?.string.flatMap(Timestamp.init(parsing:))
        else { throw CacheDocument.malformed }
        guard CacheDocument.kinds.contains(kind) else { return nil }
        self.init(
            kind: kind, description: CacheDocument.description(item), keys: try CacheDocument.keys(item),
            parts: try CacheDocument.parts(item, layerCount: layerCount), created: created)
    }
}
