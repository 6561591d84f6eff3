import Diagnostics
import Linux
package import OCI
import SQLite

/// The facts about a layer.
package struct LayerRecord: Hashable, Sendable {
    package let diffID: DiffID
    /// The sum of the files' sizes, in bytes.
    package let contentSize: Int64
    package let fileCount: Int
    /// The size of the uncompressed archive in bytes; 0 when it is not known.
    package let tarSize: Int64

    package init(diffID: DiffID, contentSize: Int64, fileCount: Int, tarSize: Int64 = 0) {
        self.diffID = diffID
        self.contentSize = contentSize
        self.fileCount = fileCount
        self.tarSize = tarSize
    }
}

/// The facts about layers by their DiffID, and the blobs that hold them.
package struct LayerIndex: Sendable {
    let root: StoreRoot

    /// Records a layer and its file list, whose format is the caller's. Of two records of one layer the first stays.
    package func record(_ layer: LayerRecord, fileList: [UInt8]) throws {
        let name = Self.fileListName(layer.diffID)
        if try self.layer(layer.diffID) != nil, try root.openDirectory().statusIfExists(name) != nil { return }
        try root.explaining {
            var file = try TemporaryFile(root)
            try file.content.descriptor.write(fileList.span)
            try StoreRoot.createDirectory(name.parent, in: try root.openDirectory())
            try root.write { transaction in
                try transaction.execute(
                    "INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?)",
                    [
                        layer.diffID.description, layer.contentSize, layer.fileCount, transaction.stamp(),
                        layer.tarSize,
                    ])
                // A list without a layer, should the commit fail, is small: it stays for the collector.
                try file.move(to: name)
            }
        }
    }

    package func layer(_ diffID: DiffID) throws -> LayerRecord? {
        try root.read { transaction in
            try transaction.row(
                "SELECT content_size, file_count, tar_size FROM layers WHERE diff_id = ?", [diffID.description]
            ).map { try LayerRecord(diffID: diffID, contentSize: $0[0], fileCount: $0[1], tarSize: $0[2]) }
        }
    }

    /// The file list as it was recorded; `nil` when there is none.
    package func fileList(_ diffID: DiffID) throws -> [UInt8]? {
        guard try layer(diffID) != nil else { return nil }
        do {
            return try root.openDirectory().open(Self.fileListName(diffID)).readAll(limit: .max)
        } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    /// Notes that a blob holds a layer; the layer may be recorded later.
    package func addBlob(_ blob: Descriptor, of diffID: DiffID) throws {
        try root.write { transaction in
            let known = try transaction.exists(
                "SELECT 1 FROM layer_blobs WHERE digest = ? AND diff_id = ?",
                [blob.digest.description, diffID.description])
            if known { return }
            try transaction.execute(
                "INSERT OR REPLACE INTO layer_blobs VALUES (?, ?, ?, ?, ?)",
                [
                    blob.digest.description, diffID.description, blob.mediaType.rawValue, blob.size,
                    transaction.stamp(),
                ])
        }
    }

    /// The blobs known to hold a layer, in this store or not, in order of their digests.
    package func blobs(of diffID: DiffID) throws -> [Descriptor] {
        try root.read { transaction in
            try transaction.rows(
                "SELECT digest, media_type, size FROM layer_blobs WHERE diff_id = ? ORDER BY digest",
                [diffID.description]
            ).map {
                Descriptor(
                    mediaType: MediaType(rawValue: try $0[1]), digest: try Digest(parsing: $0[0] as String),
                    size: try $0[2])
            }
        }
    }

    /// The layer that a blob holds, as far as is known.
    package func diffID(ofBlob digest: Digest) throws -> DiffID? {
        try root.read { transaction in
            try transaction.row("SELECT diff_id FROM layer_blobs WHERE digest = ?", [digest.description])
                .map { try DiffID(parsing: $0[0] as String) }
        }
    }

    static func fileListName(_ diffID: DiffID) -> PathBytes {
        PathBytes("layers/\(diffID.digest.hex.prefix(2))/\(diffID.digest.hex).files")
    }
}
