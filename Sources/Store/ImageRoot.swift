package import OCI
import SQLite

/// How the store came to a root.
package enum RootOrigin: String, Sendable {
    /// Made by this store. The manifest names plain archives of layers and is replaced when the image is sent.
    case made
    /// Taken over as it is elsewhere; everything below it is known or can be fetched.
    case whole
    /// One manifest of what may have been an index, from a store that did not keep the index.
    case narrowed
}

/// The document that a name points to: an index or a manifest, with all that came with it.
package struct ImageRoot: Hashable, Sendable {
    package let descriptor: Descriptor
    package let origin: RootOrigin
    /// The source of blobs that the store lacks, in the caller's encoding.
    package let location: String?
    /// The images whose config and manifest are in the store, in the order of the index.
    package let images: [StoredImage]
    /// All other blobs that belong to the root: nested indexes, manifests of other platforms with their configs and
    /// layers, attestations, unknown types. They need not be in the store.
    package let blobs: Set<Digest>
    /// In order; only reads fill it.
    package let names: [ImageReference]

    package init(
        _ descriptor: Descriptor, origin: RootOrigin = .whole, location: String? = nil, images: [StoredImage],
        blobs: Set<Digest> = [], names: [ImageReference] = []
    ) {
        self.descriptor = descriptor
        self.origin = origin
        self.location = location
        self.images = images
        self.blobs = blobs
        self.names = names
    }

    /// The root of an image of one platform: its manifest.
    init(_ image: StoredImage, origin: RootOrigin) {
        let manifest = image.manifest ?? Descriptor(mediaType: .ociManifest, digest: image.id, size: 0)
        self.init(manifest, origin: origin, images: [image])
    }

    /// The image that commands mean which name no platform: the one that runs best on this machine, else the first.
    package var defaultImage: StoredImage? { image(for: .host) ?? images.first }

    /// The image of the store that runs best on a platform. An index may have a better one that is not in the store.
    package func image(for platform: Platform) -> StoredImage? {
        images.compactMap { image in image.platform.distance(from: platform).map { (image, $0) } }
            .min { $0.1 < $1.1 }?.0
    }

    /// Every blob that the root needs, in the store or not.
    var allBlobs: Set<Digest> {
        var all = blobs
        all.insert(descriptor.digest)
        for image in images {
            all.insert(image.id)
            if let manifest = image.manifest { all.insert(manifest.digest) }
            all.formUnion(image.layers.map(\.digest))
        }
        return all
    }
}

// MARK: - Reading

extension Transaction {
    /// All roots, the newest first.
    func imageRoots() throws -> [ImageRoot] { try imageRoots("", []) }

    func imageRoot(_ digest: Digest) throws -> ImageRoot? {
        try imageRoots("WHERE root = ?", [digest.description]).first
    }

    func imageRoot(named reference: ImageReference) throws -> ImageRoot? {
        guard let row = try row("SELECT root FROM names WHERE reference = ?", [reference.description]) else {
            return nil
        }
        return try imageRoot(Digest(parsing: row[0] as String))
    }

    /// The roots that lead to an image: first those of which it is the default image, and of these those with a name.
    func imageRoots(leadingTo id: Digest) throws -> [ImageRoot] {
        let rows = try rows("SELECT root FROM root_manifests WHERE image = ?", [id.description])
        func rank(_ root: ImageRoot) -> Int { (root.defaultImage?.id == id ? 0 : 2) + (root.names.isEmpty ? 1 : 0) }
        let roots = try rows.compactMap { try imageRoot(Digest(parsing: $0[0] as String)) }
        return (0...3).flatMap { wanted in roots.filter { rank($0) == wanted } }
    }

    private func imageRoots(_ condition: String, _ arguments: [any SQLiteConvertible]) throws -> [ImageRoot] {
        var names: [String: [ImageReference]] = [:]
        for row in try rows("SELECT root, reference FROM names \(condition) ORDER BY reference", arguments) {
            names[try row[0], default: []].append(try ImageReference(parsing: row[1] as String))
        }
        var pushed: [String: [ImageReference]] = [:]
        for row in try rows("SELECT root, reference FROM pushed \(condition) ORDER BY reference", arguments) {
            pushed[try row[0], default: []].append(try ImageReference(parsing: row[1] as String))
        }
        var blobs: [String: Set<Digest>] = [:]
        for row in try rows("SELECT root, digest FROM root_blobs \(condition)", arguments) {
            blobs[try row[0], default: []].insert(try Digest(parsing: row[1] as String))
        }
        var manifests: [String: [Row]] = [:]
        let joined = """
            SELECT root_manifests.*, images.platform, images.created, images.diff_ids, images.size
                FROM root_manifests JOIN images ON images.id = root_manifests.image \(condition)
                ORDER BY root, position
            """
        for row in try rows(joined, arguments) { manifests[try row["root"], default: []].append(row) }
        let found = condition.isEmpty ? condition : "WHERE digest = ?"
        return try rows("SELECT * FROM roots \(found) ORDER BY number DESC", arguments).map { row in
            let digest: String = try row["digest"]
            let descriptor = try Descriptor(json: try JSON(parsing: row["descriptor"] as String))
            let origin = RootOrigin(rawValue: try row["origin"]) ?? .whole
            let images = try (manifests[digest] ?? []).map {
                try StoredImage($0, root: descriptor, origin, names: names[digest] ?? [], pushed[digest] ?? [])
            }
            return ImageRoot(
                descriptor, origin: origin, location: try row["location"], images: images, blobs: blobs[digest] ?? [],
                names: names[digest] ?? [])
        }
    }
}

extension StoredImage {
    /// A row of `root_manifests` with the columns of `images`.
    fileprivate init(
        _ row: Row, root: Descriptor, _ origin: RootOrigin, names: [ImageReference], _ pushed: [ImageReference]
    ) throws {
        self.init(
            id: try Digest(parsing: row["image"] as String),
            platform: Platform(json: try JSON(parsing: row["platform"] as String)) ?? .host,
            created: try (row["created"] as String?).map(Timestamp.init(column:)),
            diffIDs: try Array(column: row["diff_ids"]), size: try row["size"],
            manifest: try Descriptor(json: try JSON(parsing: row["descriptor"] as String)),
            layers: try [Descriptor](column: row["layers"]),
            annotations: try [String: String](column: row["annotations"]), root: root, origin: origin, names: names,
            pushed: pushed)
    }
}

// MARK: - Writing

extension Transaction {
    /// Adds a root, or what is new about one that is there.
    func insert(_ root: ImageRoot) throws {
        let digest = root.descriptor.digest.description
        // A root that is whole stays so: what is made here has the digest of something that came from elsewhere.
        try execute(
            """
            INSERT INTO roots (digest, descriptor, origin, location) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (digest)
                DO UPDATE SET origin = CASE WHEN ?3 = 'whole' THEN ?3 ELSE origin END,
                location = coalesce(?4, location)
            """,
            [digest, root.descriptor.json.text(), root.origin.rawValue, root.location])
        for (position, image) in root.images.enumerated() {
            guard let manifest = image.manifest else { continue }
            try execute(
                """
                INSERT INTO images VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET size = ?5
                """,
                [
                    image.id.description, image.platform.json.text(), image.created?.column, image.diffIDs.column,
                    image.size,
                ])
            try execute(
                "INSERT OR REPLACE INTO root_manifests VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    digest, position, manifest.digest.description, image.id.description, manifest.json.text(),
                    image.layers.column, image.annotations.column,
                ])
        }
        for blob in root.blobs {
            try execute("INSERT OR IGNORE INTO root_blobs VALUES (?, ?)", [digest, blob.description])
        }
    }

    /// Gives a root a name, and returns the default image of the root that had it. A former root is removed if it has no
    /// name left and all its images have other roots.
    func tag(_ reference: ImageReference, root: Digest) throws -> Digest? {
        let former = try imageRoot(named: reference)
        try execute("INSERT OR REPLACE INTO names VALUES (?, ?)", [reference.description, root.description])
        if let former, former.descriptor.digest != root, former.names == [reference] {
            let isCovered = try former.images.allSatisfy { image in
                try exists(
                    "SELECT 1 FROM root_manifests WHERE image = ? AND root <> ?",
                    [image.id.description, former.descriptor.digest.description])
            }
            if isCovered { try removeRoot(former.descriptor.digest) }
        }
        return former?.defaultImage?.id
    }

    /// Removes a root with its names, and the images that it alone led to.
    func removeRoot(_ digest: Digest) throws {
        let images = try rows("SELECT image FROM root_manifests WHERE root = ?", [digest.description])
        for table in ["names", "pushed", "root_blobs", "root_manifests"] {
            try execute("DELETE FROM \(table) WHERE root = ?", [digest.description])
        }
        try execute("DELETE FROM roots WHERE digest = ?", [digest.description])
        for row in images {
            try execute(
                "DELETE FROM images WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM root_manifests WHERE image = ?1)",
                [row[0] as String])
        }
    }
}
