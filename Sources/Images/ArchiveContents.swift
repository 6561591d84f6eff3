import Diagnostics
import Layers
package import Linux
package import OCI
package import Store
import Transports
import Trees

/// The members of an image archive, each put into the store as a blob while the archive goes by.
///
/// Blobs that no image refers to are removed with the store's other unused blobs.
package struct ArchiveContents: Sendable {
    private struct Member: Sendable {
        let digest: Digest
        let size: Int64
    }

    private let store: StoreRoot
    private var members: [PathBytes: Member] = [:]
    private var links: [PathBytes: PathBytes] = [:]

    package let place: String

    /// `place` is the archive's name for messages.
    package init(store: StoreRoot, place: String = "the archive") {
        self.store = store
        self.place = place
    }

    package mutating func read(_ source: SharedDescriptor) throws {
        var reader = try LayerReader(SharedStream(source), readsMarks: false)
        while let entry = try reader.next() {
            switch entry.kind {
            case .regular:
                var ingest = try store.content.begin(expecting: entry.size)
                try reader.readContent { try ingest.write($0) }
                let (digest, size) = try ingest.commit()
                members[entry.path] = Member(digest: digest, size: size)
            case .hardLink: links[entry.path] = entry.linkTarget
            case .symlink:
                links[entry.path] = try resolveLinks(entry.path.parent.appending(entry.linkTarget)) { _ in nil }
            default: continue
            }
        }
        _ = try reader.finish()
    }

    /// A member by its path, through at most a few links inside the archive.
    private func member(_ name: String) -> Member? {
        var path = (try? resolveLinks(PathBytes(name)) { _ in nil }) ?? PathBytes(name)
        for _ in 0..<8 {
            if let member = members[path] { return member }
            guard let target = links[path] else { return nil }
            path = target
        }
        return nil
    }
}

extension ArchiveContents: ImageFiles {
    package var isOldDockerArchive: Bool {
        members.keys.contains { path in
            path.lastComponent == "layer.tar" && members[path.parent.appending("json")] != nil
        }
    }

    package func size(of name: String) throws -> Int64? { member(name)?.size }

    package func knownDigest(of name: String) throws -> Digest? { member(name)?.digest }

    package func reader(of name: String, from offset: Int64) throws -> any BlobReader {
        guard let member = member(name) else {
            throw ImagesError(
                .badArchive, "\(place) has no member '\(name)'", hint: "The archive is damaged: make it again.")
        }
        return try store.content.reader(
            for: Descriptor(mediaType: .ociLayer, digest: member.digest, size: member.size), from: offset)
    }
}
