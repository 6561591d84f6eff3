package import OCI
package import Store

/// A file as a server gave it.
package struct RemoteFile: Hashable, Sendable {
    package let digest: Digest
    /// In bytes.
    package let size: Int64
    /// The server's name for this state of the file (`ETag`); `nil` when it gives none.
    package let tag: String?
    /// `Last-Modified`, in seconds since the epoch; `nil` when the server does not say.
    package let modified: Int64?

    package init(digest: Digest, size: Int64, tag: String?, modified: Int64?) {
        self.digest = digest
        self.size = size
        self.tag = tag
        self.modified = modified
    }
}

extension RemoteFile {
    /// The file as the text of a cache record.
    package var encoded: String {
        JSON.object(
            ("digest", .string(digest.description)), ("size", .integer(size)), ("tag", tag.map { .string($0) }),
            ("modified", modified.map { .integer($0) })
        ).text()
    }

    /// Reads what ``encoded`` gives; `nil` when it is anything else.
    package init?(decoding text: String) {
        guard let json = try? JSON(parsing: text), let size = json["size"]?.integer,
            let digest = json["digest"]?.string.flatMap({ try? Digest(parsing: $0) })
        else { return nil }
        self.init(digest: digest, size: size, tag: json["tag"]?.string, modified: json["modified"]?.integer)
    }
}

/// The file last found under each URL.
///
/// Kept as cache records, so that the collector treats the files as it treats all that a build can do without.
package struct RemoteFileIndex: Sendable {
    let root: StoreRoot

    /// The file last found at a URL, if its content is still here.
    package func file(at url: String) throws -> RemoteFile? {
        try root.cache.record(for: Self.key(url)).flatMap { RemoteFile(decoding: $0.result) }
    }

    /// Notes what was found at a URL; `description` names it for people, without the URL's secrets.
    package func save(_ file: RemoteFile, at url: String, description: String, now: Timestamp) throws {
        try root.cache.save(
            CacheRecord(
                key: Self.key(url), kind: "http", description: description, result: file.encoded, blobs: [file.digest],
                createdAt: now))
    }

    private static func key(_ url: String) -> Digest { Digest(of: Array("remote-file/1 \(url)".utf8)) }
}

extension StoreRoot {
    package var remoteFiles: RemoteFileIndex { RemoteFileIndex(root: self) }
}
