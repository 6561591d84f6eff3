import Diagnostics
import Layers
package import Linux
package import OCI
package import Store
import Trees

/// The members of an image archive, each put into the store as a blob while the archive goes by.
///
/// Blobs that no image refers to are removed with the store's other unused blobs.
package struct ArchiveContents {
    private struct Member {
        let digest: Digest
        let size: Int64
    }

    private let store: StoreRoot
    private var members: [PathBytes: Member] = [:]
    private var links: [PathBytes: PathBytes] = [:]

    /// JSON documents of an archive are small; a larger one is an attack or no archive of images.
    private static let documentLimit = 20 << 20

    package init(store: StoreRoot) { self.store = store }

    package mutating func read(_ source: consuming OwnedDescriptor) throws {
        var reader = try LayerReader(DescriptorStream(source), readsMarks: false)
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

    package func has(_ name: String) -> Bool { member(name) != nil }

    /// Whether it is an archive of images as Docker before 1.10 saved them: a directory for each layer, with `layer.tar`
    /// and the layer's `json`.
    ///
    /// Source: Docker's image specification 1.0.
    var isOldDockerArchive: Bool {
        members.keys.contains { path in
            path.lastComponent == "layer.tar" && members[path.parent.appending("json")] != nil
        }
    }

    /// The whole of a small member.
    package func bytes(of name: String) throws -> [UInt8] {
        guard let member = member(name) else {
            throw ImagesError(
                .badArchive, "the archive has no member '\(name)'", hint: "The archive is damaged: make it again.")
        }
        return try document(member.digest, member.size, name: name)
    }

    /// The whole of a small blob of the layout, or of the store if the archive leaves it out.
    package func blob(_ descriptor: Descriptor) throws -> [UInt8] {
        try require(descriptor)
        return try document(descriptor.digest, descriptor.size, name: descriptor.digest.description)
    }

    private func document(_ digest: Digest, _ size: Int64, name: String) throws -> [UInt8] {
        guard size <= Self.documentLimit, let bytes = try store.content.bytes(of: digest) else {
            throw ImagesError(.badArchive, "the document '\(name)' of the archive is too large")
        }
        return bytes
    }

    /// Throws unless the blob is there, under its own name or any other.
    package func require(_ descriptor: Descriptor) throws {
        if let member = member("blobs/sha256/\(descriptor.digest.hex)"), member.digest != descriptor.digest {
            throw ImagesError(
                .badArchive, "the blob \(descriptor.digest) of the archive is really \(member.digest)",
                hint: "The archive is damaged: make it again.")
        }
        guard try store.content.size(of: descriptor.digest) == descriptor.size else {
            throw ImagesError(
                .badArchive, "the archive has no blob \(descriptor.digest) of \(descriptor.size) bytes",
                hint: "The archive is damaged: make it again.")
        }
    }

    /// The layer in a member, whose compression its first bytes tell.
    package func layer(_ name: String) throws -> Descriptor {
        guard let member = member(name), let file = try store.content.open(member.digest) else {
            throw ImagesError(
                .badArchive, "the archive has no layer '\(name)'", hint: "The archive is damaged: make it again.")
        }
        let format: StreamFormat
        do { format = try DecompressedStream(DescriptorStream(file)).format } catch let error as LayerError {
            throw ImagesError(.badArchive, "layer '\(name)': \(error.message)", hint: error.hint, cause: error)
        }
        let compression: Compression =
            switch format {
            case .gzip: .gzip
            case .zstd: .zstd
            default: .none
            }
        return Descriptor(mediaType: .ociLayer(compression), digest: member.digest, size: member.size)
    }
}
