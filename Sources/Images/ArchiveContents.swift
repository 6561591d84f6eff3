import Diagnostics
import Layers
package import Linux
package import OCI
package import Store
package import Transports
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
    /// Hears how many bytes of each layer have arrived.
    package var report: @Sendable (TransferEvent) -> Void = { _ in }

    /// `place` is the archive's name for messages.
    package init(store: StoreRoot, place: String = "the archive") {
        self.store = store
        self.place = place
    }

    package mutating func read(_ source: SharedDescriptor) throws {
        var reader = try LayerReader(SharedStream(source), readsMarks: false, computesDigest: false)
        while let entry = try reader.next() {
            switch entry.kind {
            case .regular:
                members[entry.path] = try keep(entry, &reader)
            case .hardLink: links[entry.path] = entry.linkTarget
            case .symlink:
                links[entry.path] = try resolveLinks(entry.path.parent.appending(entry.linkTarget)) { _ in nil }
            default: continue
            }
        }
        try reader.end()
    }

    /// Puts a member into the store. One that may be a layer is read as one meanwhile: a document begins with a brace or a
    /// bracket.
    private func keep(_ entry: LayerEntry, _ reader: inout LayerReader) throws -> Member {
        var ingest = try store.content.begin(expecting: entry.size)
        var start: [UInt8] = []
        var done: Int64 = 0
        var pass: LayerPass?
        let shown = Self.shown(entry)
        defer { pass?.abandon() }
        try reader.readContent { bytes in
            if start.isEmpty, bytes.count > 0 {
                start = (0..<min(bytes.count, 6)).map { bytes[$0] }
                let isDocument = start[0] == UInt8(ascii: "{") || start[0] == UInt8(ascii: "[")
                if !isDocument, Self.compression(start) != nil { pass = LayerPass() }
            }
            pass?.write(bytes)
            try ingest.write(bytes)
            done += Int64(bytes.count)
            if pass != nil { report(.layerProgress(shown, done)) }
        }
        let (digest, size) = try ingest.commit()
        if let summary = pass?.finish(), let compression = Self.compression(start) {
            report(.layerDone(shown))
            try LayerStorage(store: store).record(
                summary, of: Descriptor(mediaType: .ociLayer(compression), digest: digest, size: size))
        }
        return Member(digest: digest, size: size)
    }

    /// The member as progress shows it: by the digest in its name or, where there is none, by one of the name.
    private static func shown(_ entry: LayerEntry) -> Descriptor {
        let name = entry.path.lastComponent.text.prefix { $0 != "." }
        let digest = (try? Digest(parsing: "sha256:\(name)")) ?? Digest(of: Array(entry.path.text.utf8))
        return Descriptor(mediaType: .ociLayer, digest: digest, size: entry.size)
    }

    /// The compression of a layer; `nil` for one that layers do not have.
    private static func compression(_ start: [UInt8]) -> Compression? {
        switch StreamFormat(magic: start) {
        case .plain: Compression.none
        case .gzip: .gzip
        case .zstd: .zstd
        case .bzip2, .xz: nil
        }
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
