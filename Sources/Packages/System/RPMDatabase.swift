import Diagnostics

/// The headers in a database of rpm: of SQLite or of rpm's own kind ndb, told by its first bytes.
///
/// Source: rpm, lib/backend/sqlite.c and lib/backend/ndb/rpmpkg.c.
enum RPMDatabase {
    private static let packageLimit = 200_000

    /// Throws ``PackagesError``.
    static func headers(in bytes: [UInt8]) throws -> [RPMHeader] {
        if bytes.starts(with: SQLiteTable.magic) {
            return try SQLiteTable.rows(of: "Packages", in: bytes, limit: packageLimit).compactMap { row in
                guard case .blob(let blob)? = row.last else { return nil }
                return RPMHeader(Array(blob))
            }
        }
        if bytes.starts(with: "RpmP".utf8) { return try blocks(bytes) }
        guard !isBerkeley(bytes) else {
            throw PackagesError(
                .unsupported, "it is a database of Berkeley DB, which is not read",
                hint: "Convert it in the image: rpmdb --rebuilddb --define '_db_backend sqlite'.")
        }
        throw PackagesError(.badDatabase, "it is no database of rpm")
    }

    /// A hash of Berkeley DB, in either byte order.
    private static func isBerkeley(_ bytes: [UInt8]) -> Bool {
        let magic = ByteReader(bytes).number(at: 12, size: 4)
        return magic == 0x0006_1561 || magic == 0x6115_0600
    }

    /// The headers of ndb: pages of slots, each of which names a range of blocks of 16 bytes.
    private static func blocks(_ bytes: [UInt8]) throws -> [RPMHeader] {
        let data = ByteReader(bytes)
        let damaged = PackagesError(.badDatabase, "the database of rpm is damaged")
        guard data.number(at: 4, size: 4) == 0, let pages = data.count(at: 12, size: 4), pages > 0, pages <= 2048 else {
            throw damaged
        }
        var headers: [RPMHeader] = []
        // The first two places are the header of the file.
        for slot in 2..<(pages * 4096 / 16) {
            let place = slot * 16
            guard data.matches("Slot", at: place), let package = data.number(at: place + 4, size: 4),
                let offset = data.count(at: place + 8, size: 4)
            else { throw damaged }
            if package == 0 { continue }
            let block = offset * 16
            guard data.matches("BlbS", at: block), data.number(at: block + 4, size: 4) == package,
                let length = data.count(at: block + 12, size: 4), let blob = data.slice(at: block + 16, count: length),
                headers.count < packageLimit, let header = RPMHeader(Array(blob))
            else { throw damaged }
            headers.append(header)
        }
        return headers
    }
}
