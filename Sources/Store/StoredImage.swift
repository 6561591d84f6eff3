import GRDB
package import OCI

/// An image in the store.
package struct StoredImage: Hashable, Sendable {
    /// The digest of the config, which is a blob of the store.
    package let id: Digest
    package let platform: Platform
    package let created: Timestamp?
    /// Bottom first.
    package let diffIDs: [DiffID]
    /// The sum of the sizes of the layers' files, in bytes.
    package let size: Int64
    /// The manifest the image came or went with, which is a blob of the store; `nil` when it was only built.
    package let manifest: Descriptor?
    /// The layers as that manifest has them, bottom first.
    package let layers: [Descriptor]
    /// The annotations that a manifest made for the image gets; one it came with has its own.
    package let annotations: [String: String]
    /// In order; only reads fill it.
    package let names: [ImageReference]

    package init(
        id: Digest, platform: Platform, created: Timestamp?, diffIDs: [DiffID], size: Int64,
        manifest: Descriptor? = nil, layers: [Descriptor] = [], annotations: [String: String] = [:],
        names: [ImageReference] = []
    ) {
        self.id = id
        self.platform = platform
        self.created = created
        self.diffIDs = diffIDs
        self.size = size
        self.manifest = manifest
        self.layers = layers
        self.annotations = annotations
        self.names = names
    }

    init(_ row: Row, names: [ImageReference]) throws {
        self.init(
            id: try Digest(parsing: row["id"] as String),
            platform: Platform(json: try JSON(parsing: row["platform"] as String)) ?? .host,
            created: (row["created"] as String?).map(Timestamp.init(column:)),
            diffIDs: try Array(column: row["diff_ids"]), size: row["size"],
            manifest: try (row["manifest"] as String?).map { try Descriptor(json: try JSON(parsing: $0)) },
            layers: try (try JSON(parsing: row["layers"] as String).array ?? []).map(Descriptor.init(json:)),
            annotations: Dictionary(
                try JSON(parsing: row["annotations"] as String).stringMap ?? [], uniquingKeysWith: { $1 }),
            names: names)
    }
}

extension Transaction {
    /// The first image of a query over `images`, with its names.
    func image(_ condition: String, _ arguments: StatementArguments) throws -> StoredImage? {
        guard let row = try row("SELECT * FROM images WHERE \(condition)", arguments) else { return nil }
        let names = try rows("SELECT reference FROM names WHERE image = ? ORDER BY reference", [row["id"] as String])
        return try StoredImage(row, names: names.map { try ImageReference(parsing: $0[0] as String) })
    }

    func images() throws -> [StoredImage] {
        var names: [String: [ImageReference]] = [:]
        for row in try rows("SELECT image, reference FROM names ORDER BY reference") {
            names[row[0], default: []].append(try ImageReference(parsing: row[1] as String))
        }
        return try rows("SELECT * FROM images ORDER BY created DESC, id").map { row in
            try StoredImage(row, names: names[row["id"]] ?? [])
        }
    }

    /// Adds an image, or what is new about one that is there: an image loses its manifest to another one only.
    func insert(_ image: StoredImage) throws {
        let manifest = image.manifest?.json.text()
        let layers = JSON.array(image.layers.map(\.json)).text()
        let annotations = (JSON.sortedMap(image.annotations) ?? .object(JSONObject())).text()
        try execute(
            """
            INSERT INTO images VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET size = ?5,
                annotations = ?8, layers = CASE WHEN ?6 IS NULL THEN layers ELSE ?7 END, manifest = coalesce(?6, manifest)
            """,
            [
                image.id.description, image.platform.json.text(), image.created?.column, image.diffIDs.column,
                image.size, manifest, layers, annotations,
            ])
    }

    /// Gives an image a name, and returns the image that had it.
    func tag(_ reference: ImageReference, _ id: Digest) throws -> Digest? {
        let former = try image(named: reference)
        try execute("INSERT OR REPLACE INTO names VALUES (?, ?)", [reference.description, id.description])
        return former
    }

    func image(named reference: ImageReference) throws -> Digest? {
        try row("SELECT image FROM names WHERE reference = ?", [reference.description])
            .map { try Digest(parsing: $0[0] as String) }
    }
}
