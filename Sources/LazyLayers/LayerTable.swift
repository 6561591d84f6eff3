import Diagnostics
package import Layers
import Linux
import OCI

/// The table of contents that a layer in the formats eStargz and zstd:chunked has at its end: its files without the rest
/// of the layer, and the places of their contents.
///
/// Source: containerd's stargz-snapshotter, `docs/estargz.md`; containers/storage, `pkg/chunked`.
package struct LayerTable: Sendable {
    /// A piece of a file, compressed by itself or together with pieces of others.
    package struct Chunk: Hashable, Sendable {
        /// The compressed stream in the blob, in bytes. It may go on behind the piece.
        package let range: Range<Int64>
        /// The bytes of the stream before the piece.
        package let skipped: Int64
        /// The bytes of the piece.
        package let size: Int64
    }

    /// The files, with the ``ContentSum/digest`` of their contents.
    package let fileList: FileList
    private let chunks: [PathBytes: [Chunk]]

    /// Reads the document. `end` is where the contents end in the blob.
    ///
    /// Throws ``LayerError`` `.damaged` and what members of archives throw.
    package init(parsing document: [UInt8], end: Int64) throws {
        guard let items = (try? JSON(parsing: document))?["entries"]?.array else { throw Self.damaged("no entries") }
        let ends = Self.ends(items, end)
        var links = LayerLinks()
        var chunks: [PathBytes: [Chunk]] = [:]
        var tarSize: Int64 = 1024
        var file: (path: PathBytes, size: Int64)?
        for item in items {
            if item["type"]?.string != "chunk" {
                file = nil
                guard let entry = try Self.entry(item) else { continue }
                try links.add(entry)
                tarSize = tarSize.addingClamped(512).addingClamped(entry.size.addingClamped(511) & ~511)
                guard entry.kind == .regular, let path = links.newest?.path else { continue }
                file = (path, entry.size)
                chunks[path] = []
            }
            guard let file, file.size > 0 else { continue }
            chunks[file.path]?.append(try Self.chunk(item, of: file.size, ends))
        }
        fileList = FileList(try links.finish(), tarSize: tarSize)
        self.chunks = chunks
    }

    /// The pieces of a regular file in their order; `nil` where the table does not tell all of them.
    package func chunks(of entry: LayerEntry) -> [Chunk]? {
        guard let found = chunks[entry.path], found.clampedSum(\.size) == entry.size else { return nil }
        return found
    }

    private static func damaged(_ what: String) -> LayerError {
        LayerError(.damaged, "the layer's table of contents cannot be read: \(what)")
    }

    /// For each offset of a stream the next one.
    private static func ends(_ items: [JSON], _ end: Int64) -> [Int64: Int64] {
        let offsets = Set(items.compactMap { $0["offset"]?.integer }).filter { $0 >= 0 && $0 < end }.sorted()
        return Dictionary(uniqueKeysWithValues: zip(offsets, offsets.dropFirst() + [end]))
    }

    private static func chunk(_ item: JSON, of size: Int64, _ ends: [Int64: Int64]) throws -> Chunk {
        let (offset, place) = (item["offset"]?.integer ?? -1, item["chunkOffset"]?.integer ?? 0)
        guard let next = ends[offset], place >= 0, place < size else { throw damaged("a piece lies outside") }
        let end = item["endOffset"]?.integer.flatMap { $0 > offset && $0 <= next ? $0 : nil } ?? next
        let said = item["chunkSize"]?.integer ?? 0
        let skipped = item["innerOffset"]?.integer ?? 0
        guard said >= 0, said <= size - place, skipped >= 0 else { throw damaged("a piece is too long") }
        return Chunk(range: offset..<end, skipped: skipped, size: said == 0 ? size - place : said)
    }

    /// The member of the layer that an item stands for; `nil` when it stands for none.
    private static func entry(_ item: JSON) throws -> LayerEntry? {
        guard let name = item["name"]?.string else { throw damaged("a file without a name") }
        let path = try LayerPath.normalize(Array(name.utf8))
        switch try Whiteout.meaning(of: path) {
        case .whiteout(let path): return LayerEntry(path: path, kind: .whiteout)
        case .opaque(let path): return LayerEntry(path: path, kind: .opaque)
        case .nothing: return nil
        case .file: break
        }
        guard !path.isEmpty, let kind = item["type"]?.string.flatMap({ kinds[$0] }) else { return nil }
        func number(_ key: String) throws -> UInt32 {
            guard let value = UInt32(exactly: item[key]?.integer ?? 0) else { throw damaged("'\(key)' of '\(name)'") }
            return value
        }
        let time = item["modtime"]?.string.flatMap { Timestamp(parsing: $0) } ?? Timestamp(seconds: 0)
        var entry = LayerEntry(
            path: path, kind: kind,
            permissions: UInt32(truncatingIfNeeded: item["mode"]?.integer ?? 0) & 0o7777,
            owner: try number("uid"), group: try number("gid"),
            modified: FileTime(seconds: time.seconds, nanoseconds: Int64(time.nanoseconds)),
            deviceMajor: try number("devMajor"), deviceMinor: try number("devMinor"),
            attributes: try attributes(item))
        let target = Array((item["linkName"]?.string ?? "").utf8)
        if kind == .hardLink { entry.linkTarget = try LayerPath.normalize(target) }
        if kind == .symlink { entry.linkTarget = PathBytes(target) }
        guard kind == .regular else { return entry }
        entry.size = item["size"]?.integer ?? 0
        guard entry.size >= 0 else { throw damaged("the size of '\(name)'") }
        if entry.size == 0 {
            entry.contentHash = ContentSum.value(of: Digest(of: [UInt8]()))
        } else {
            guard let digest = item["digest"]?.string.flatMap({ try? Digest(parsing: $0) }) else {
                throw damaged("'\(name)' has no digest")
            }
            entry.contentHash = ContentSum.value(of: digest)
        }
        return entry
    }

    private static let kinds: [String: LayerEntry.Kind] = [
        "reg": .regular, "dir": .directory, "symlink": .symlink, "hardlink": .hardLink, "char": .characterDevice,
        "block": .blockDevice, "fifo": .fifo,
    ]

    private static func attributes(_ item: JSON) throws -> [ExtendedAttribute] {
        try (item["xattrs"]?.stringMap ?? []).map { name, text in
            guard let value = bytes(base64: text) else { throw damaged("the attribute '\(name)'") }
            return ExtendedAttribute(name: PathBytes(name), value: value)
        }.filter { !OverlayAttribute.isInternal($0.name) }.sorted { $0.name < $1.name }
    }

    /// The bytes behind base64 with its padding; `nil` when it is none.
    private static func bytes(base64 text: String) -> [UInt8]? {
        var (bytes, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for character in text.utf8 where character != UInt8(ascii: "=") {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }
}
