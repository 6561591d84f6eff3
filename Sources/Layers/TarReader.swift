import Diagnostics
import Linux

/// Reads a tar archive: ustar, pax, GNU and what came before, names as the bytes they are.
///
/// libarchive is not used for this, as it composes the characters of names from extended headers, or replaces them,
/// depending on the locale of the process.
package struct TarReader {
    private var input: InputWindow
    /// Of the present member's data and padding, what was not read.
    private var left: Int64 = 0
    private var padding: Int64 = 0
    /// The bytes of all holes of the files so far.
    private var holes: Int64 = 0
    private var isFirst = true
    package private(set) var member = TarMember()

    package init(_ source: any ByteStream) { input = InputWindow(source, size: 512 << 10) }

    static let damaged = LayerError(.damaged, "the layer's archive is damaged")

    private var truncated: LayerError {
        isFirst
            ? LayerError(.notAnArchive, "the layer is not a tar archive")
            : LayerError(.truncated, "the layer's archive ends in the middle of '\(member.displayName)'")
    }

    /// The position of the source: after the header of the present member, at the beginning of its content.
    package var offset: Int64 { input.consumed }

    /// Goes to the next member; `false` at the end of the archive.
    package mutating func next() throws -> Bool {
        // One after the other: their sum may be more than a number holds.
        try skip(left)
        left = 0
        // Some programs, such as umoci, end an archive with the content of its last member. Go's reader takes it so.
        let isComplete = try skipAtMost(padding)
        padding = 0
        guard isComplete else { return false }
        var records = TarRecords()
        var longName: [UInt8]?
        var longLink: [UInt8]?
        while let block = try nextHeader() {
            guard TarMember.hasValidChecksum(block) else {
                throw isFirst ? LayerError(.notAnArchive, "the layer is not a tar archive") : Self.damaged
            }
            member = try TarMember(block)
            isFirst = false
            switch member.type {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): records = try TarRecords(parsing: try special())
            case UInt8(ascii: "L"): longName = Array(try special().prefix { $0 != 0 })
            case UInt8(ascii: "K"): longLink = Array(try special().prefix { $0 != 0 })
            case UInt8(ascii: "g"), UInt8(ascii: "V"):
                try skip(member.size)
                try skip(Int64(Tar.padding(after: member.size)))
            default:
                if let longName { member.name = longName }
                if let longLink { member.linkName = longLink }
                try begin(block, records)
                return true
            }
        }
        guard longName == nil, longLink == nil, records.values.isEmpty else { throw truncated }
        return false
    }

    /// Passes on the rest of the present member's content; of a hole its length in bytes.
    mutating func readContent(_ body: (Span<UInt8>) throws -> Void, hole: (Int64) throws -> Void) throws {
        guard let map = member.sparse else { return try data(left, body) }
        member.sparse = nil
        var position: Int64 = 0
        for part in map.parts {
            if part.offset > position { try hole(part.offset - position) }
            try data(part.length, body)
            position = part.offset + part.length
        }
        if map.fileSize > position { try hole(map.fileSize - position) }
    }

    /// Reads what is behind the end of the archive, so that the source is read to its end.
    mutating func drain() throws {
        while try input.fill() { input.advance(input.count) }
    }

    // MARK: Headers

    /// The next block; `nil` at the end of the archive, which two blocks of zeros mark or the end of the file.
    private mutating func nextHeader() throws -> [UInt8]? {
        guard let block = try block() else { return nil }
        guard block.allSatisfy({ $0 == 0 }) else { return block }
        guard let second = try self.block() else { return nil }
        guard second.allSatisfy({ $0 == 0 }) else { throw Self.damaged }
        return nil
    }

    /// A whole block; `nil` at the end of the file.
    private mutating func block() throws -> [UInt8]? {
        guard try input.fill() else { return nil }
        return try bytes(Tar.block)
    }

    /// The content of a member that describes the next one.
    private mutating func special() throws -> [UInt8] {
        guard member.size <= Tar.maximumRecords else {
            throw LayerError(.unsupported, "the layer has a header of \(member.size) bytes, more than 1 MiB")
        }
        let content = try bytes(Int(member.size))
        try skip(Int64(Tar.padding(after: member.size)))
        return content
    }

    private mutating func begin(_ block: [UInt8], _ records: TarRecords) throws {
        try records.apply(to: &member)
        switch member.type {
        case 0, UInt8(ascii: "7"):
            // Before there was a type for directories, a slash at the end of the name made one.
            let isDirectory = member.type == 0 && member.name.last == UInt8(ascii: "/")
            member.type = isDirectory ? UInt8(ascii: "5") : UInt8(ascii: "0")
        case UInt8(ascii: "S"):
            member.type = UInt8(ascii: "0")
            member.sparse = try oldSparseMap(block)
        case UInt8(ascii: "0"): break
        case UInt8(ascii: "1")...UInt8(ascii: "6"):
            // These have no data, whatever the size says.
            member.size = 0
            member.sparse = nil
        case UInt8(ascii: "D"): member.type = UInt8(ascii: "5")
        default:
            let type = String(decoding: [member.type], as: UTF8.self)
            throw LayerError(.unsupported, "'\(member.displayName)' in the layer has the unknown type '\(type)'")
        }
        left = member.size
        padding = Int64(Tar.padding(after: member.size))
        if member.sparse != nil, records.hasMapInData { try readSparseMap() }
        if let map = member.sparse {
            try map.validate(against: left)
            try spendHoles(map.fileSize - left)
        }
    }

    /// A few bytes of an archive may stand for any number of zeros, so there is a limit to these.
    private mutating func spendHoles(_ count: Int64) throws {
        guard count <= Tar.maximumHoles - holes else {
            throw LayerError(
                .unsupported, "the holes of '\(member.displayName)' and the files before it take more than 1 TiB")
        }
        holes += count
    }
}

// MARK: Files with holes

extension TarReader {
    /// The map in the header of the old GNU format and in the blocks behind it.
    private mutating func oldSparseMap(_ header: [UInt8]) throws -> SparseMap {
        var map = SparseMap(fileSize: try TarMember.number(header, 483..<495))
        try Self.append(4, of: header, at: 386, to: &map)
        var continues = header[482] != 0
        while continues {
            guard map.parts.count < Tar.maximumRecords / 16 else { throw Self.damaged }
            let block = try bytes(Tar.block)
            try Self.append(21, of: block, at: 0, to: &map)
            continues = block[504] != 0
        }
        return map
    }

    private static func append(_ count: Int, of block: [UInt8], at start: Int, to map: inout SparseMap) throws {
        for offset in stride(from: start, to: start + count * 24, by: 24) where block[offset] != 0 {
            map.parts.append(
                SparseMap.Part(
                    offset: try TarMember.number(block, offset..<offset + 12),
                    length: try TarMember.number(block, offset + 12..<offset + 24)))
        }
    }

    /// The map in front of the data: decimal numbers in lines, their count first, in whole blocks.
    private mutating func readSparseMap() throws {
        var numbers: [Int64] = []
        var digits: [UInt8] = []
        var expected = 1
        var used: Int64 = 0
        while numbers.count < expected {
            guard used + Int64(Tar.block) <= left, used <= Tar.maximumRecords else { throw Self.damaged }
            let block = try bytes(Tar.block)
            used += Int64(Tar.block)
            for byte in block where numbers.count < expected {
                if byte != UInt8(ascii: "\n") {
                    digits.append(byte)
                    continue
                }
                guard let number = TarRecords.number(digits[...]) else { throw Self.damaged }
                digits = []
                if numbers.isEmpty {
                    guard number <= Tar.maximumRecords / 4 else { throw Self.damaged }
                    expected = 1 + 2 * Int(number)
                }
                numbers.append(number)
            }
        }
        for index in stride(from: 1, to: numbers.count, by: 2) {
            member.sparse?.parts.append(SparseMap.Part(offset: numbers[index], length: numbers[index + 1]))
        }
        left -= used
    }

    /// Passes on so many zeros.
    static func zeros(_ count: Int64, _ body: (Span<UInt8>) throws -> Void) throws {
        let block = [UInt8](repeating: 0, count: Int(min(count, 64 << 10)))
        var left = count
        while left > 0 {
            let size = min(left, Int64(block.count))
            try body(block.span.extracting(0..<Int(size)))
            left -= size
        }
    }
}

// MARK: Bytes

extension TarReader {
    private mutating func bytes(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            guard try input.fill() else { throw truncated }
            let missing = count - bytes.count
            input.withBytes(limit: missing) { piece in
                unsafe piece.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
            }
            input.advance(min(missing, input.count))
        }
        return bytes
    }

    private mutating func data(_ count: Int64, _ body: (Span<UInt8>) throws -> Void) throws {
        var missing = count
        while missing > 0 {
            guard try input.fill() else { throw truncated }
            let size = Int(min(missing, Int64(input.count)))
            try input.withBytes(limit: size, body)
            input.advance(size)
            missing -= Int64(size)
            left -= Int64(size)
        }
    }

    private mutating func skip(_ count: Int64) throws {
        guard try skipAtMost(count) else { throw truncated }
    }

    /// Passes over bytes; `false` when the archive ends before that.
    private mutating func skipAtMost(_ count: Int64) throws -> Bool {
        var missing = count
        while missing > 0 {
            if input.count == 0 {
                missing -= try input.skip(missing)
                if missing == 0 { break }
            }
            guard try input.fill() else { return false }
            let size = Int(min(missing, Int64(input.count)))
            input.advance(size)
            missing -= Int64(size)
        }
        return true
    }
}
