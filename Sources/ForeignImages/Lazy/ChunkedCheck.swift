import Diagnostics
import Layers
import LazyLayers
import Linux
import OCI

/// The table of contents of a zstd:chunked layer and its tar-split, compared as containers/storage does.
///
/// Source: containers/storage, `pkg/chunked/compression_linux.go`, "ensureTOCMatchesTarSplit".
enum ChunkedCheck {
    /// The digest of the layer's tar-split, if the table has one. Throws when the table cannot be read.
    static func splitDigest(in table: JSON) -> Digest? {
        table["tarSplitDigest"]?.string.flatMap { try? Digest(parsing: $0) }
    }

    /// How the two contradict each other; `nil` if they do not.
    static func contradiction(_ table: JSON, _ split: [UInt8]) -> String? {
        var items: [String: JSON] = [:]
        for item in table["entries"]?.array ?? [] where item["type"]?.string != "chunk" {
            let name = item["name"]?.string ?? ""
            guard items.updateValue(item, forKey: name) == nil else {
                return "its table of contents names '\(name)' twice"
            }
        }
        do {
            var reader = TarReader(try SplitStream(split))
            while try reader.next() {
                let member = reader.member
                let name = String(decoding: member.name, as: UTF8.self)
                guard let item = items.removeValue(forKey: name) else {
                    return "its tar-split has '\(name)', which its table of contents has not"
                }
                if let key = difference(item, member) {
                    return "its tar-split and its table of contents differ in '\(key)' of '\(name)'"
                }
            }
        } catch {
            return "its tar-split cannot be read"
        }
        return items.keys.min().map { "its table of contents has '\($0)', which its tar-split has not" }
    }

    /// The first key in which an item and a header differ.
    private static func difference(_ item: JSON, _ member: TarMember) -> String? {
        let numbers: [(String, Int64)] = [
            ("mode", member.mode), ("size", member.size), ("uid", member.owner), ("gid", member.group),
            ("devMajor", member.deviceMajor), ("devMinor", member.deviceMinor),
        ]
        let types: [String: UInt8] = [
            "reg": UInt8(ascii: "0"), "hardlink": UInt8(ascii: "1"), "symlink": UInt8(ascii: "2"),
            "char": UInt8(ascii: "3"), "block": UInt8(ascii: "4"), "dir": UInt8(ascii: "5"), "fifo": UInt8(ascii: "6"),
        ]
        guard types[item["type"]?.string ?? ""] == member.type else { return "type" }
        if let number = numbers.first(where: { item[$0.0]?.integer ?? 0 != $0.1 }) { return number.0 }
        guard item["linkName"]?.string ?? "" == String(decoding: member.linkName, as: UTF8.self) else {
            return "linkName"
        }
        let times: [(String, FileTime?)] = [
            ("modtime", member.modified), ("accesstime", member.accessed), ("changetime", member.changed),
        ]
        if let time = times.first(where: { self.time(item[$0.0]) != $0.1 ?? FileTime(seconds: 0) }) { return time.0 }
        let names = Set(member.attributes.map { String(decoding: $0.name.bytes, as: UTF8.self) })
        return names == Set((item["xattrs"]?.stringMap ?? []).map { $0.0 }) ? nil : "xattrs"
    }

    private static func time(_ value: JSON?) -> FileTime {
        guard let time = value?.string.flatMap({ Timestamp(parsing: $0) }) else { return FileTime(seconds: 0) }
        return FileTime(seconds: time.seconds, nanoseconds: Int64(time.nanoseconds))
    }
}

/// An archive that tar-split describes, in which contents can be passed over but not read.
private final class SplitStream: ByteStream {
    private enum Part {
        case bytes(ArraySlice<UInt8>)
        case content(Int64)
    }

    /// The parts that were not read, the next one last.
    private var parts: [Part] = []

    init(_ lines: [UInt8]) throws {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let entry = try JSON(parsing: Array(line))
            switch entry["type"]?.integer {
            case 1: parts.append(.content(entry["size"]?.integer ?? 0))
            case 2:
                guard let text = entry["payload"]?.string, let bytes = Base64.bytes(text) else {
                    throw ForeignImageError(.damaged, "a segment of tar-split is no base64")
                }
                parts.append(.bytes(bytes[...]))
            default: throw ForeignImageError(.damaged, "tar-split has an entry of an unknown type")
            }
        }
        parts.reverse()
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        while let part = parts.popLast() {
            switch part {
            case .content(0): continue
            case .content: throw ForeignImageError(.damaged, "tar-split has a content where a header is needed")
            case .bytes(let bytes) where bytes.isEmpty: continue
            case .bytes(let bytes):
                let count = min(bytes.count, buffer.count)
                buffer.replaceSubrange(0..<count, with: bytes.prefix(count))
                if count < bytes.count { parts.append(.bytes(bytes.dropFirst(count))) }
                return count
            }
        }
        return 0
    }

    func skip(_ count: Int64) throws -> Int64 {
        guard case .content(let size) = parts.last, size > 0 else { return 0 }
        let skipped = min(count, size)
        parts[parts.count - 1] = .content(size - skipped)
        return skipped
    }
}
