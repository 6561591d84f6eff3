import Diagnostics
import Linux

// The encoding: the magic "LFL", the version, the size of the archive, the number of entries, then the entries. Numbers
// are LEB128, signed ones zigzag. A path is the length it shares with the one before it and the rest. One flag byte per
// entry holds the kind and which of the rarer fields follow.

private let magic: [UInt8] = [0x4c, 0x46, 0x4c, 1]

private enum Flag {
    static let kind: UInt8 = 0x0f
    static let owner: UInt8 = 0x10
    static let attributes: UInt8 = 0x20
    static let nanoseconds: UInt8 = 0x40
    /// Owner and group are those of the entry before.
    static let sameOwner: UInt8 = 0x80
}

extension FileList {
    /// The list as bytes that ``init(decoding:)`` understands.
    package func encode() -> [UInt8] {
        var writer = ListEncoder(capacity: entries.count * 48)
        for entry in entries { writer.add(entry) }
        return writer.finish(tarSize: tarSize)
    }

    /// Throws ``LayerError`` `.badFileList` when the bytes are not a list, or one of another version.
    package init(decoding bytes: [UInt8]) throws(LayerError) {
        var reader = ListDecoder(bytes)
        let (tarSize, count) = try reader.head()
        var entries: [LayerEntry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try reader.entry(after: entries.last)) }
        guard reader.isAtEnd else { throw ListDecoder.malformed }
        self.init(entries, tarSize: tarSize)
    }
}

/// The encoded list of entries that come one by one.
struct ListEncoder {
    private var bytes: [UInt8] = []
    private var count = 0
    private var previous: LayerEntry?

    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func add(_ entry: LayerEntry) {
        put(entry, after: previous)
        previous = entry
        count += 1
    }

    /// The list, with the size of its archive, which is known last.
    consuming func finish(tarSize: Int64) -> [UInt8] {
        var head = ListEncoder(capacity: bytes.count + 32)
        head.bytes += magic
        head.put(signed: tarSize)
        head.put(UInt64(count))
        head.bytes += bytes
        return head.bytes
    }

    private mutating func put(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func put(signed value: Int64) { put(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    private mutating func put(_ string: [UInt8]) {
        put(UInt64(string.count))
        bytes += string
    }

    private mutating func put(_ entry: LayerEntry, after previous: LayerEntry?) {
        let isSameOwner = previous.map { $0.owner == entry.owner && $0.group == entry.group } ?? false
        var flags = entry.kind.rawValue
        if isSameOwner { flags |= Flag.sameOwner } else if entry.owner | entry.group != 0 { flags |= Flag.owner }
        if !entry.attributes.isEmpty { flags |= Flag.attributes }
        if entry.modified.nanoseconds != 0 { flags |= Flag.nanoseconds }
        bytes.append(flags)
        put(path: entry.path, after: previous?.path)
        put(UInt64(entry.permissions))
        if flags & Flag.owner != 0 {
            put(UInt64(entry.owner))
            put(UInt64(entry.group))
        }
        put(signed: entry.modified.seconds)
        if flags & Flag.nanoseconds != 0 { put(signed: entry.modified.nanoseconds) }
        switch entry.kind {
        case .regular:
            put(signed: entry.size)
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: entry.contentHash >> shift))
            }
        case .symlink, .hardLink: put(entry.linkTarget.bytes)
        case .characterDevice, .blockDevice:
            put(UInt64(entry.deviceMajor))
            put(UInt64(entry.deviceMinor))
        case .directory, .fifo, .whiteout, .opaque: break
        }
        guard flags & Flag.attributes != 0 else { return }
        put(UInt64(entry.attributes.count))
        for attribute in entry.attributes {
            put(attribute.name.bytes)
            put(attribute.value)
        }
    }

    private mutating func put(path: PathBytes, after previous: PathBytes?) {
        let shared = previous.map { path.bytes.span.commonPrefix(with: $0.bytes.span) } ?? 0
        put(UInt64(shared))
        put(UInt64(path.bytes.count - shared))
        bytes += path.bytes[shared...]
    }
}

/// Reads an encoded list, or an entry of one.
package struct ListDecoder {
    private let bytes: [UInt8]
    package private(set) var position: Int

    package static let malformed = LayerError(.badFileList, "the recorded file list of a layer cannot be read")
    /// The bits of an entry's first byte that are its kind.
    package static let kindMask = Flag.kind

    package init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    package var isAtEnd: Bool { position == bytes.count }

    /// The beginning, before the entries: the size of the archive, and how many entries there are.
    package mutating func head() throws(LayerError) -> (tarSize: Int64, count: Int) {
        for expected in magic where try byte() != expected { throw Self.malformed }
        return (try signed(), try count())
    }

    package mutating func byte() throws(LayerError) -> UInt8 {
        guard position < bytes.count else { throw Self.malformed }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func number() throws(LayerError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let byte = try byte()
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Self.malformed
    }

    private mutating func number32() throws(LayerError) -> UInt32 {
        guard let value = UInt32(exactly: try number()) else { throw Self.malformed }
        return value
    }

    private mutating func signed() throws(LayerError) -> Int64 {
        let value = try number()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// How many things of at least one byte each follow: so never more than there are bytes.
    private mutating func count() throws(LayerError) -> Int {
        guard let value = Int(exactly: try number()), value <= bytes.count - position else { throw Self.malformed }
        return value
    }

    private mutating func string() throws(LayerError) -> [UInt8] {
        let count = try count()
        guard count > 0 else { return [] }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    fileprivate mutating func entry(after previous: LayerEntry?) throws(LayerError) -> LayerEntry {
        let flags = try byte()
        let before = previous?.path.bytes ?? []
        let (shared, rest) = try pathParts(upTo: before.count)
        var path: [UInt8] = []
        path.reserveCapacity(shared + rest.count)
        path += before[..<shared]
        path += bytes[rest]
        var entry = LayerEntry(
            path: PathBytes(path), kind: try kind(flags), owner: previous?.owner ?? 0, group: previous?.group ?? 0)
        try fields(flags, of: &entry)
        return entry
    }

    package func kind(_ flags: UInt8) throws(LayerError) -> LayerEntry.Kind {
        guard let kind = LayerEntry.Kind(rawValue: flags & Flag.kind) else { throw Self.malformed }
        return kind
    }

    /// The length that a path shares with the one before it, at most `limit`, and the place of its rest.
    package mutating func pathParts(upTo limit: Int) throws(LayerError) -> (shared: Int, rest: Range<Int>) {
        guard let shared = Int(exactly: try number()), shared <= limit else { throw Self.malformed }
        let rest = try count()
        defer { position += rest }
        return (shared, position..<position + rest)
    }

    /// Reads what stands behind the path of an entry, which has its kind, and the owner and group of the entry before.
    package mutating func fields(_ flags: UInt8, of entry: inout LayerEntry) throws(LayerError) {
        entry.permissions = try number32()
        if flags & Flag.sameOwner == 0 {
            entry.owner = flags & Flag.owner != 0 ? try number32() : 0
            entry.group = flags & Flag.owner != 0 ? try number32() : 0
        }
        let seconds = try signed()
        entry.modified = FileTime(seconds: seconds, nanoseconds: flags & Flag.nanoseconds != 0 ? try signed() : 0)
        switch entry.kind {
        case .regular:
            entry.size = try signed()
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                entry.contentHash |= UInt64(try byte()) << shift
            }
        case .symlink, .hardLink: entry.linkTarget = PathBytes(try string())
        case .characterDevice, .blockDevice:
            entry.deviceMajor = try number32()
            entry.deviceMinor = try number32()
        case .directory, .fifo, .whiteout, .opaque: break
        }
        if flags & Flag.attributes != 0 {
            for _ in 0..<(try count()) {
                entry.attributes.append(ExtendedAttribute(name: PathBytes(try string()), value: try string()))
            }
        }
    }
}

/// Checking entries without keeping what they say.
extension ListDecoder {
    /// Passes over what stands behind the path of an entry, as ``fields(_:of:)`` reads it; returns the size of a regular
    /// file. Owner and group are those of the entry before, and become its own.
    package mutating func passFields(
        _ flags: UInt8, _ kind: LayerEntry.Kind, owner: inout UInt32, group: inout UInt32
    ) throws(LayerError) -> Int64 {
        _ = try number32()
        if flags & Flag.sameOwner == 0 {
            owner = flags & Flag.owner != 0 ? try number32() : 0
            group = flags & Flag.owner != 0 ? try number32() : 0
        }
        _ = try number()
        if flags & Flag.nanoseconds != 0 { _ = try number() }
        var size: Int64 = 0
        switch kind {
        case .regular:
            size = try signed()
            try pass(8)
        case .symlink, .hardLink: try pass(try count())
        case .characterDevice, .blockDevice:
            _ = try number32()
            _ = try number32()
        case .directory, .fifo, .whiteout, .opaque: break
        }
        if flags & Flag.attributes != 0 {
            for _ in 0..<(2 * (try count())) { try pass(try count()) }
        }
        return size
    }

    private mutating func pass(_ count: Int) throws(LayerError) {
        guard count <= bytes.count - position else { throw Self.malformed }
        position += count
    }
}

/// Reading parts of entries that were read as a whole before.
extension ListDecoder {
    private static func number(in bytes: Span<UInt8>, at position: inout Int) -> UInt64 {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while bytes[position] >= 0x80 {
            value |= UInt64(bytes[position] & 0x7f) << shift
            shift += 7
            position += 1
        }
        position += 1
        return value | UInt64(bytes[position - 1]) << shift
    }

    package static func pathParts(in bytes: Span<UInt8>, at start: Int) -> (shared: Int, rest: Range<Int>) {
        var position = start + 1
        let shared = Int(truncatingIfNeeded: number(in: bytes, at: &position))
        let rest = Int(truncatingIfNeeded: number(in: bytes, at: &position))
        return (shared, position..<position + rest)
    }

    /// The permissions of an entry, and the start of what stands behind its time, up to the next entry. Equal bytes there
    /// are an equal content, target, device and equal attributes.
    package static func permissionsAndRest(in bytes: Span<UInt8>, at start: Int) -> (permissions: UInt64, rest: Int) {
        let flags = bytes[start]
        var position = pathParts(in: bytes, at: start).rest.upperBound
        let permissions = number(in: bytes, at: &position)
        let between =
            1 + (flags & (Flag.owner | Flag.sameOwner) == Flag.owner ? 2 : 0) + (flags & Flag.nanoseconds != 0 ? 1 : 0)
        for _ in 0..<between { _ = number(in: bytes, at: &position) }
        return (permissions, position)
    }

    /// Whether an entry has attributes.
    package static func hasAttributes(_ flags: UInt8) -> Bool { flags & Flag.attributes != 0 }

    /// The size of a regular file.
    package static func size(in bytes: Span<UInt8>, at start: Int) -> Int64 {
        let flags = bytes[start]
        var position = pathParts(in: bytes, at: start).rest.upperBound
        let before =
            2 + (flags & (Flag.owner | Flag.sameOwner) == Flag.owner ? 2 : 0) + (flags & Flag.nanoseconds != 0 ? 1 : 0)
        for _ in 0..<before { _ = number(in: bytes, at: &position) }
        let value = number(in: bytes, at: &position)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
