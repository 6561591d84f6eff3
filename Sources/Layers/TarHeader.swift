import Linux

// The layout of a header block. Source: POSIX.1-2017, pax, "ustar Interchange Format".
enum TarField {
    static let name = 0..<100
    static let mode = 100..<108
    static let owner = 108..<116
    static let group = 116..<124
    static let size = 124..<136
    static let modified = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let linkName = 157..<257
    static let magic = 257..<265
    static let userName = 265..<297
    static let groupName = 297..<329
    static let deviceMajor = 329..<337
    static let deviceMinor = 337..<345
    static let prefix = 345..<500
}

/// The frame of an archive.
package enum Tar {
    /// The size of a header, and what contents are filled up to, in bytes.
    package static let block = 512
    /// The most bytes that a long name or the extended records of one entry may take.
    static let maximumRecords = 1 << 20
    /// The most bytes that the holes of all files of an archive may take.
    package static let maximumHoles: Int64 = 1 << 40
    static let attributePrefix = "SCHILY.xattr."

    /// The bytes that fill `size` up to whole blocks.
    package static func padding(after size: Int64) -> Int { Int(-size & Int64(block - 1)) }

    /// The header of an entry, several blocks if one does not hold all of it.
    package static func header(of entry: borrowing LayerEntry) -> [UInt8] { TarHeader(entry).encode() }
}

/// The header fields of one entry, laid out as by Go's `archive/tar`: plain ustar if everything
/// fits, otherwise an extended (pax) header in front that holds what does not.
struct TarHeader {
    var name: [UInt8]
    var type: UInt8
    var mode: UInt32 = 0
    var owner: Int64 = 0
    var group: Int64 = 0
    var size: Int64 = 0
    var modified: Int64 = 0
    var linkName: [UInt8] = []
    var deviceMajor: UInt32 = 0
    var deviceMinor: UInt32 = 0
    var attributes: [ExtendedAttribute] = []

    init(name: [UInt8], type: UInt8) {
        self.name = name
        self.type = type
    }

    init(_ entry: borrowing LayerEntry) {
        switch entry.kind {
        case .whiteout:
            self.init(name: Whiteout.name(removing: entry.path).bytes, type: UInt8(ascii: "0"))
            return
        case .opaque:
            self.init(name: Whiteout.name(emptying: entry.path).bytes, type: UInt8(ascii: "0"))
            return
        default: break
        }
        self.init(name: entry.path.bytes, type: Self.type(of: entry.kind))
        if entry.kind == .directory { name.append(UInt8(ascii: "/")) }
        // Linux has no other mode of a link, and archives say anything: a layer says what an unpacked file has.
        mode = entry.kind == .symlink ? 0o777 : entry.permissions
        owner = Int64(entry.owner)
        group = Int64(entry.group)
        size = entry.kind == .regular ? entry.size : 0
        // A record of the time would be needed for the fraction, and containerd leaves it out as well.
        modified = entry.modified.seconds
        linkName = entry.linkTarget.bytes
        deviceMajor = entry.deviceMajor
        deviceMinor = entry.deviceMinor
        attributes = entry.attributes
    }

    private static func type(of kind: LayerEntry.Kind) -> UInt8 {
        switch kind {
        case .regular, .whiteout, .opaque: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symlink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }
}

extension TarHeader {
    /// The header blocks, extended ones included.
    func encode() -> [UInt8] {
        let records = extendedRecords
        let split = Self.split(name)
        let isPlain = records.keys.allSatisfy { $0 == "path" && split != nil }
        guard !isPlain else { return block(name: split?.name ?? name, prefix: split?.prefix ?? []) }
        var body: [UInt8] = []
        for (key, value) in records.sorted(by: { $0.key < $1.key }) { body += Self.record(key.bytes, value) }
        var extended = TarHeader(name: Self.extendedName(name), type: UInt8(ascii: "x"))
        extended.size = Int64(body.count)
        var blocks = extended.block(name: extended.name, prefix: [], isExtended: true)
        blocks += body
        blocks += [UInt8](repeating: 0, count: Tar.padding(after: Int64(body.count)))
        blocks += block(name: name, prefix: [])
        return blocks
    }

    /// The fields that do not fit the plain header. As in Go, a name that would fit when split is one of them.
    private var extendedRecords: [PathBytes: [UInt8]] {
        var records: [PathBytes: [UInt8]] = [:]
        if !Self.fits(name) { records["path"] = name }
        if !Self.fits(linkName) { records["linkpath"] = linkName }
        if !Self.fits(owner, digits: 7) { records["uid"] = Array(String(owner).utf8) }
        if !Self.fits(group, digits: 7) { records["gid"] = Array(String(group).utf8) }
        if !Self.fits(size, digits: 11) { records["size"] = Array(String(size).utf8) }
        if !Self.fits(modified, digits: 11) { records["mtime"] = Array(String(modified).utf8) }
        for attribute in attributes {
            records[PathBytes(Array(Tar.attributePrefix.utf8) + attribute.name.bytes)] = attribute.value
        }
        return records
    }

    private static func fits(_ text: [UInt8]) -> Bool { text.count <= 100 && text.allSatisfy { $0 < 0x80 } }

    private static func fits(_ number: Int64, digits: Int) -> Bool { number >= 0 && number < 1 << (3 * digits) }

    /// A long name as prefix and name, when the plain header can hold it so.
    private static func split(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        guard path.count > 100, path.allSatisfy({ $0 < 0x80 }) else { return nil }
        let slash = UInt8(ascii: "/")
        // The prefix has 155 bytes; a slash at the end of the name is no place to split.
        let end = path.count > 156 ? 156 : path.last == slash ? path.count - 1 : path.count
        guard let at = path[..<end].lastIndex(of: slash), at > 0, at <= 155 else { return nil }
        let name = path[(at + 1)...]
        guard (1...100).contains(name.count) else { return nil }
        return (Array(path[..<at]), Array(name))
    }

    /// `dir/PaxHeaders.0/base`, in ASCII, cut to what the field holds.
    private static func extendedName(_ name: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let directory = name.lastIndex(of: slash).map { name[..<$0] } ?? []
        let base = name.lastIndex(of: slash).map { name[($0 + 1)...] } ?? name[...]
        var joined = directory.isEmpty ? [] : directory + [slash]
        joined += "PaxHeaders.0".utf8
        if !base.isEmpty { joined += [slash] + base }
        var short = Array(ascii(Array(joined)).prefix(100))
        while short.last == slash { short.removeLast() }
        return short
    }

    /// `<length> <key>=<value>\n`, where the length counts itself.
    private static func record(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let rest = key.count + value.count + 3
        var length = rest + String(rest).utf8.count
        if rest + String(length).utf8.count != length { length = rest + String(length).utf8.count }
        return Array("\(length) ".utf8) + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
    }

    /// Go drops whole characters that are not ASCII, so all bytes of them.
    private static func ascii(_ text: [UInt8]) -> [UInt8] { text.filter { $0 < 0x80 && $0 != 0 } }

    /// One header block. Numbers that do not fit are 0: the extended header in front has them.
    private func block(name: [UInt8], prefix: [UInt8], isExtended: Bool = false) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Tar.block)
        Self.put(Self.ascii(name), into: &block, TarField.name)
        Self.put(Self.ascii(linkName), into: &block, TarField.linkName)
        Self.put(Int64(mode), into: &block, TarField.mode)
        Self.put(owner, into: &block, TarField.owner)
        Self.put(group, into: &block, TarField.group)
        Self.put(size, into: &block, TarField.size)
        Self.put(modified, into: &block, TarField.modified)
        block[TarField.type] = type
        block.replaceSubrange(TarField.magic, with: Array("ustar\u{0}00".utf8))
        // Go leaves the device numbers of an extended header empty.
        if !isExtended {
            Self.put(Int64(deviceMajor), into: &block, TarField.deviceMajor)
            Self.put(Int64(deviceMinor), into: &block, TarField.deviceMinor)
        }
        Self.put(prefix, into: &block, TarField.prefix)
        let sum = block.reduce(Int64(UInt8(ascii: " ")) * Int64(TarField.checksum.count)) { $0 + Int64($1) }
        Self.put(sum, into: &block, TarField.checksum.lowerBound..<TarField.checksum.upperBound - 1)
        block[TarField.checksum.upperBound - 1] = UInt8(ascii: " ")
        return block
    }

    /// A text that is too long is cut; one cut behind a slash would pass for a directory, so that slash goes.
    private static func put(_ text: [UInt8], into block: inout [UInt8], _ field: Range<Int>) {
        for (offset, byte) in text.prefix(field.count).enumerated() { block[field.lowerBound + offset] = byte }
        guard text.count > field.count, text[field.count - 1] == UInt8(ascii: "/") else { return }
        let kept = text[..<(field.count - 1)].lastIndex { $0 != UInt8(ascii: "/") }.map { $0 + 1 } ?? 0
        block[field.lowerBound + kept] = 0
    }

    /// Octal digits that fill the field but for a NUL at the end.
    private static func put(_ number: Int64, into block: inout [UInt8], _ field: Range<Int>) {
        var rest = fits(number, digits: field.count - 1) ? number : 0
        for index in field.dropLast().reversed() {
            block[index] = UInt8(ascii: "0") + UInt8(rest & 7)
            rest >>= 3
        }
    }
}
