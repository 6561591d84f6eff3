import Diagnostics
package import Linux

/// One member as the archive has it, before its name was looked at.
package struct TarMember {
    package var name: [UInt8] = []
    package var type: UInt8 = 0
    package var mode: Int64 = 0
    package var owner: Int64 = 0
    package var group: Int64 = 0
    package var userName: [UInt8] = []
    package var groupName: [UInt8] = []
    /// Of the data in the archive, in bytes.
    package var size: Int64 = 0
    package var modified = FileTime(seconds: 0)
    /// The times of the last access and the last change of metadata, where extended records have them.
    package var accessed: FileTime?
    package var changed: FileTime?
    package var linkName: [UInt8] = []
    package var deviceMajor: Int64 = 0
    package var deviceMinor: Int64 = 0
    package var attributes: [ExtendedAttribute] = []
    /// The places of the data when the file has holes.
    var sparse: SparseMap?

    package init() {}

    /// The size of the file in bytes, holes included.
    var fileSize: Int64 { sparse?.fileSize ?? size }

    package var isSparse: Bool { sparse != nil }

    package var displayName: String { String(decoding: name.prefix(300), as: UTF8.self) }
}

/// The parts of a file with holes that the archive has.
struct SparseMap {
    struct Part {
        let offset: Int64
        let length: Int64
    }

    var parts: [Part] = []
    var fileSize: Int64 = 0

    /// Checks that the parts are in order, within the file and together as long as the data.
    func validate(against dataSize: Int64) throws {
        var end: Int64 = 0
        var total: Int64 = 0
        for part in parts {
            let (next, overflow) = part.offset.addingReportingOverflow(part.length)
            guard part.length >= 0, part.offset >= end, !overflow, next <= fileSize else { throw TarReader.damaged }
            end = next
            total += part.length
        }
        guard total == dataSize, fileSize >= 0 else { throw TarReader.damaged }
    }
}

extension TarMember {
    /// Reads the plain fields of a header block.
    init(_ block: [UInt8]) throws {
        let isGNU = Self.holds(block, TarField.magic.lowerBound, Self.gnuMagic)
        let isUSTAR = !isGNU && Self.holds(block, TarField.magic.lowerBound, Self.ustarMagic)
        name = Self.text(block, TarField.name)
        type = block[TarField.type]
        mode = try Self.number(block, TarField.mode)
        owner = try Self.number(block, TarField.owner)
        group = try Self.number(block, TarField.group)
        size = try Self.number(block, TarField.size)
        modified = FileTime(seconds: try Self.number(block, TarField.modified))
        linkName = Self.text(block, TarField.linkName)
        if isUSTAR || isGNU {
            userName = Self.text(block, TarField.userName)
            groupName = Self.text(block, TarField.groupName)
        }
        if isUSTAR || isGNU, type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
            deviceMajor = try Self.number(block, TarField.deviceMajor)
            deviceMinor = try Self.number(block, TarField.deviceMinor)
        }
        if isUSTAR {
            // Schily's star keeps two times at the end of the prefix.
            let isStar = Self.holds(block, 508, Self.starMagic)
            let prefix = Self.text(block, isStar ? 345..<476 : TarField.prefix)
            if !prefix.isEmpty { name = prefix + [UInt8(ascii: "/")] + name }
        }
        guard size >= 0 else { throw TarReader.damaged }
    }

    private static let gnuMagic = Array("ustar  \0".utf8)
    private static let ustarMagic = Array("ustar\0".utf8)
    private static let starMagic = Array("tar\0".utf8)

    private static func holds(_ block: [UInt8], _ start: Int, _ bytes: [UInt8]) -> Bool {
        for (index, byte) in bytes.enumerated() where block[start + index] != byte { return false }
        return true
    }

    static func text(_ block: [UInt8], _ field: Range<Int>) -> [UInt8] {
        var end = field.lowerBound
        while end < field.upperBound, block[end] != 0 { end += 1 }
        return end == field.lowerBound ? [] : Array(block[field.lowerBound..<end])
    }

    /// Octal digits between blanks and NULs or, if the first bit is set, a big-endian two's complement number.
    static func number(_ block: [UInt8], _ field: Range<Int>) throws -> Int64 {
        guard block[field.lowerBound] & 0x80 == 0 else { return try binaryNumber(block, field) }
        var value: Int64 = 0
        var (hasBegun, isOver) = (false, false)
        for index in field {
            let byte = block[index]
            let isBlank = byte == UInt8(ascii: " ") || byte == 0
            if isBlank {
                isOver = hasBegun
            } else {
                guard byte & 0xf8 == UInt8(ascii: "0"), !isOver else { throw TarReader.damaged }
                hasBegun = true
                value = value << 3 | Int64(byte & 7)
            }
        }
        return value
    }

    private static func binaryNumber(_ block: [UInt8], _ field: Range<Int>) throws -> Int64 {
        let first = block[field.lowerBound]
        var value: Int64 = first & 0x40 != 0 ? -1 : 0
        for index in field {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
            guard !overflow else { throw TarReader.damaged }
            let byte = block[index]
            let digit = index == field.lowerBound ? (first & 0x40 != 0 ? byte | 0x80 : byte & 0x7f) : byte
            value = shifted | Int64(digit)
        }
        return value
    }

    /// The sum of the block with blanks for the sum itself matches; old programs summed signed bytes.
    static func hasValidChecksum(_ block: [UInt8]) -> Bool {
        guard let expected = try? number(block, TarField.checksum) else { return false }
        func sum(_ byte: (UInt8) -> Int64) -> Int64 {
            var sum = Int64(TarField.checksum.count) * byte(UInt8(ascii: " "))
            for index in block.indices { sum &+= byte(block[index]) }
            for index in TarField.checksum { sum &-= byte(block[index]) }
            return sum
        }
        return expected == sum { Int64($0) } || expected == sum { Int64(Int8(bitPattern: $0)) }
    }
}
