import Glibc
import Linux
import OCI
import SQLite
import SystemPackage

/// Migrates a store of version 3, whose names point to image configs, to version 4, whose names point to roots.
///
/// An image that was pulled or loaded gets its manifest as the root. An image that was only built gets a manifest now,
/// over its layers as the store has them.
struct StoreMigration {
    let root: FilePath
    /// Whether the new manifests are written as blobs: not for a store that is only read.
    let writesFiles: Bool

    func run(_ transaction: Transaction) throws {
        try transaction.execute("ALTER TABLE layers ADD COLUMN tar_size INTEGER NOT NULL DEFAULT 0")
        try noteArchiveSizes(transaction)
        let images = try transaction.rows("SELECT * FROM images ORDER BY created, id")
        let names = try transaction.rows("SELECT reference, image FROM names ORDER BY reference")
        try transaction.db.executeScript(
            "DROP INDEX names_by_image; DROP TABLE names; DROP TABLE images; \(StoreSchema.images)")
        var roots: [String: String] = [:]
        var made: [(Descriptor, [UInt8])] = []
        for row in images {
            let image = try Self.image(row)
            if image.manifest == nil {
                let draft = try ManifestDraft(image, transaction)
                made.append((draft.descriptor, draft.bytes))
                try transaction.insert(ImageRoot(draft.completing(image), origin: .made))
                roots[image.id.description] = draft.descriptor.digest.description
            } else {
                try transaction.insert(ImageRoot(image, origin: .narrowed))
                roots[image.id.description] = image.manifest?.digest.description
            }
        }
        for row in names {
            guard let root = roots[try row[1]] else { continue }
            try transaction.execute("INSERT INTO names VALUES (?, ?)", [row[0] as String, root])
        }
        if writesFiles { try write(made, transaction) }
        try transaction.db.executeScript("PRAGMA user_version = 4")
    }

    private static func image(_ row: Row) throws -> StoredImage {
        StoredImage(
            id: try Digest(parsing: row["id"] as String),
            platform: Platform(json: try JSON(parsing: row["platform"] as String)) ?? .host,
            created: try (row["created"] as String?).map(Timestamp.init(column:)),
            diffIDs: try Array(column: row["diff_ids"]), size: try row["size"],
            manifest: try (row["manifest"] as String?).map { try Descriptor(json: try JSON(parsing: $0)) },
            layers: try [Descriptor](column: row["layers"]),
            annotations: try [String: String](column: row["annotations"]))
    }

    /// Notes the sizes of the layers' archives, which stand after the four magic bytes of their file lists as zigzag
    /// LEB128. A list that is lost or damaged leaves the size unknown.
    private func noteArchiveSizes(_ transaction: Transaction) throws {
        let directory = try Directory(opening: root)
        for row in try transaction.rows("SELECT diff_id FROM layers") {
            let diffID = try DiffID(parsing: row[0] as String)
            var head = [UInt8](repeating: 0, count: 16)
            guard let file = try? directory.open(LayerIndex.fileListName(diffID)),
                let count = try? file.read(into: &head), let size = Self.archiveSize(head.prefix(count))
            else { continue }
            try transaction.execute(
                "UPDATE layers SET tar_size = ? WHERE diff_id = ?", [size, diffID.description])
        }
    }

    private static func archiveSize(_ head: ArraySlice<UInt8>) -> Int64? {
        guard head.starts(with: [0x4c, 0x46, 0x4c, 1]) else { return nil }
        var value: UInt64 = 0
        for (index, byte) in head.dropFirst(4).prefix(9).enumerated() {
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte & 0x80 == 0 { return Int64(value >> 1) }
        }
        return nil
    }

    /// Writes manifests as blobs and flushes them. Their rows belong to a generation that is durable.
    private func write(_ manifests: [(Descriptor, [UInt8])], _ transaction: Transaction) throws {
        guard !manifests.isEmpty else { return }
        let directory = try Directory(opening: root)
        for (descriptor, bytes) in manifests {
            let draft = PathBytes("tmp/\(Leftovers.newName())")
            do {
                let file = try directory.open(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
                try file.write(bytes.span)
            }
            try directory.setPermissions(draft, 0o444)
            try directory.rename(draft, to: ContentStore.name(descriptor.digest), in: directory)
            try transaction.execute(
                "INSERT OR REPLACE INTO blobs VALUES (?, ?, 0)", [descriptor.digest.description, descriptor.size])
        }
        try OwnedDescriptor.open(root, options: .directory).synchronizeFileSystem()
    }
}
