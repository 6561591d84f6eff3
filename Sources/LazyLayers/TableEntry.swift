import Layers
import Linux
import OCI

/// An item of a table of contents.
///
/// Source: stargz-snapshotter, `estargz/types.go`; containers/storage, `pkg/chunked/internal/minimal/compression.go`.
struct TableEntry {
    /// A piece of a file.
    struct Piece {
        /// The number of the member or frame that begins with the piece.
        let member: Int
        /// The place in the file.
        let offset: Int64
        let size: Int64
        let digest: Digest
        var isHole = false
    }

    let fields: TarMember
    /// As the table names the file.
    let name: String
    /// Of a regular file that has bytes.
    var pieces: [Piece] = []
    /// The digest of the whole content of a regular file.
    var digest: Digest?
    /// The number of the member or frame behind the last piece.
    var endMember = 0

    var type: String { Self.types[fields.type] ?? "reg" }

    private static let types: [UInt8: String] = [
        UInt8(ascii: "1"): "hardlink", UInt8(ascii: "2"): "symlink", UInt8(ascii: "3"): "char",
        UInt8(ascii: "4"): "block", UInt8(ascii: "5"): "dir", UInt8(ascii: "6"): "fifo",
    ]

    /// The keys that both formats write alike, without the type and the names.
    func attributes() -> [(String, JSON?)] {
        let values = fields.attributes.map { (String(decoding: $0.name.bytes, as: UTF8.self), $0.value) }
        let map = Dictionary(values.map { ($0.0, Base64.text($0.1)) }, uniquingKeysWith: { $1 })
        return [
            ("devMajor", Self.number(fields.deviceMajor)), ("devMinor", Self.number(fields.deviceMinor)),
            ("xattrs", JSON.sortedMap(map)),
        ]
    }

    /// A number, which is left out when it is 0, as Go does.
    static func number(_ value: Int64) -> JSON? { value == 0 ? nil : .integer(value) }

    /// A text, which is left out when it is empty.
    static func text(_ bytes: [UInt8]) -> JSON? {
        bytes.isEmpty ? nil : .string(String(decoding: bytes, as: UTF8.self))
    }

    /// A time in UTC; `nil` for the beginning of 1970, which stands for none.
    static func time(_ time: FileTime?) -> JSON? {
        guard let time, time != FileTime(seconds: 0) else { return nil }
        return .string(Timestamp(seconds: time.seconds, nanoseconds: Int32(clamping: time.nanoseconds)).description)
    }

    static func object(_ members: [(String, JSON?)]) -> JSON {
        .object(JSONObject(members.compactMap { key, value in value.map { (key, $0) } }))
    }
}

/// A table of contents on its way: a document in memory, written item by item.
struct TableDocument {
    private(set) var bytes: [UInt8] = Array(#"{"version":1,"entries":["#.utf8)
    private var isEmpty = true

    mutating func add(_ item: JSON) {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        bytes += item.encoded()
    }

    /// Ends the document, after the items with these keys.
    consuming func finish(_ others: [(String, String)] = []) -> [UInt8] {
        bytes.append(UInt8(ascii: "]"))
        for (key, value) in others {
            bytes += ",".utf8
            bytes += JSON.string(key).encoded() + ":".utf8 + JSON.string(value).encoded()
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
