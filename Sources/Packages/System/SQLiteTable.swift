import Diagnostics

/// Reads the rows of one table from the bytes of a database of SQLite. Nothing of the file is executed.
///
/// Source: https://www.sqlite.org/fileformat2.html.
struct SQLiteTable {
    enum Value: Hashable {
        case null
        case integer(Int64)
        case text(String)
        case blob(ArraySlice<UInt8>)
    }

    static let magic = Array("SQLite format 3\0".utf8)

    private let data: ByteReader
    private let pageSize: Int
    /// The bytes of a page that hold anything.
    private let usable: Int

    /// The rows of a table, at most `limit`; none if there is no such table. Throws ``PackagesError`` `.badDatabase`.
    static func rows(of name: String, in bytes: [UInt8], limit: Int) throws -> [[Value]] {
        let file = try SQLiteTable(bytes)
        let schema = try file.rows(root: 1, limit: 10_000)
        for row in schema {
            guard row.count >= 4, row[0] == .text("table"), row[1] == .text(name), case .integer(let root) = row[3],
                let page = Int(exactly: root)
            else { continue }
            return try file.rows(root: page, limit: limit)
        }
        return []
    }

    private init(_ bytes: [UInt8]) throws {
        data = ByteReader(bytes, isBigEndian: true)
        guard bytes.starts(with: Self.magic), let size = data.count(at: 16, size: 2),
            let reserved = data.count(at: 20, size: 1), let encoding = data.number(at: 56, size: 4), encoding <= 1
        else { throw Self.damaged }
        pageSize = size == 1 ? 65536 : size
        usable = pageSize - reserved
        guard pageSize >= 512, pageSize & (pageSize - 1) == 0, usable >= 480 else { throw Self.damaged }
    }

    private static var damaged: PackagesError { PackagesError(.badDatabase, "the database of SQLite is damaged") }

    /// The rows below a page of a table, in the order of their numbers. A page that is reached twice is an error.
    private func rows(root: Int, limit: Int) throws -> [[Value]] {
        var rows: [[Value]] = []
        var seen: Set<Int> = []
        var pending = [root]
        while let page = pending.popLast() {
            guard page > 0, page <= data.bytes.count / pageSize, seen.insert(page).inserted else { throw Self.damaged }
            let start = (page - 1) * pageSize
            let header = start + (page == 1 ? 100 : 0)
            guard let kind = data.number(at: header, size: 1), let count = data.count(at: header + 3, size: 2) else {
                throw Self.damaged
            }
            let isLeaf = kind == 0x0d
            guard isLeaf || kind == 0x05, count * 2 <= pageSize else { throw Self.damaged }
            let cells = header + (isLeaf ? 8 : 12)
            var children: [Int] = []
            for index in 0..<count {
                guard let offset = data.count(at: cells + index * 2, size: 2), offset < pageSize else {
                    throw Self.damaged
                }
                if isLeaf {
                    guard rows.count < limit else { throw Self.damaged }
                    rows.append(try record(at: start + offset))
                } else if let child = data.count(at: start + offset, size: 4) {
                    children.append(child)
                }
            }
            if !isLeaf, let last = data.count(at: header + 8, size: 4) { children.append(last) }
            pending += children.reversed()
        }
        return rows
    }

    /// A cell of a leaf: its length, its number, and the record, of which a part may be in other pages.
    private func record(at offset: Int) throws -> [Value] {
        var place = offset
        let length = try count(&place)
        _ = try varint(&place)
        guard length <= data.bytes.count else { throw Self.damaged }
        var local = length
        if length > usable - 35 {
            let least = (usable - 12) * 32 / 255 - 23
            local = least + (length - least) % (usable - 4)
            if local > usable - 35 { local = least }
        }
        guard let first = data.slice(at: place, count: local) else { throw Self.damaged }
        var payload = Array(first)
        var next = local < length ? data.count(at: place + local, size: 4) ?? 0 : 0
        var steps = 0
        while payload.count < length {
            steps += 1
            let start = (next - 1) * pageSize
            let part = min(length - payload.count, usable - 4)
            guard next > 0, steps <= data.bytes.count / pageSize, let following = data.count(at: start, size: 4),
                let bytes = data.slice(at: start + 4, count: part)
            else { throw Self.damaged }
            payload += bytes
            next = following
        }
        return try SQLiteTable.values(of: payload)
    }

    /// The columns of a record.
    private static func values(of payload: [UInt8]) throws -> [Value] {
        let data = ByteReader(payload, isBigEndian: true)
        var place = 0
        let header = try varint(data, &place)
        guard header <= UInt64(payload.count) else { throw damaged }
        var content = Int(header)
        var values: [Value] = []
        while place < Int(header) {
            let type = try varint(data, &place)
            guard let type = Int(exactly: type), values.count < 64 else { throw damaged }
            let size = type >= 12 ? (type - 12) / 2 : [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type]
            guard let bytes = data.slice(at: content, count: size) else { throw damaged }
            switch type {
            case 0, 7, 10, 11: values.append(.null)
            case 8, 9: values.append(.integer(Int64(type - 8)))
            case 1...6:
                let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let shift = 64 - size * 8
                values.append(.integer(Int64(bitPattern: bits << UInt64(shift)) >> Int64(shift)))
            case _ where type % 2 == 0: values.append(.blob(bytes))
            default: values.append(.text(String(decoding: bytes, as: UTF8.self)))
            }
            content += size
        }
        return values
    }

    private func varint(_ place: inout Int) throws -> UInt64 { try Self.varint(data, &place) }

    private func count(_ place: inout Int) throws -> Int {
        guard let count = Int(exactly: try varint(&place)) else { throw Self.damaged }
        return count
    }

    /// A number of one to nine bytes, seven bits in each but the ninth.
    private static func varint(_ data: ByteReader, _ place: inout Int) throws -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard let byte = data.number(at: place, size: 1) else { throw damaged }
            place += 1
            if index == 8 { return value << 8 | byte }
            value = value << 7 | byte & 0x7f
            if byte & 0x80 == 0 { return value }
        }
        return value
    }
}
