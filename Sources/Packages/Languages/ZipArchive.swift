import Layers

/// The members of a zip archive, by its directory.
///
/// Source: PKWARE, APPNOTE.TXT. Archives of more than 4 GiB and encrypted members are not read.
struct ZipArchive {
    struct Member {
        let name: String
        let size: Int
        fileprivate let method: Int
        fileprivate let packedSize: Int
        fileprivate let header: Int
    }

    private static let memberLimit = 200_000
    private static let endSize = 22

    private let data: ByteReader
    let members: [Member]

    /// `nil` for bytes that are no archive.
    init?(_ bytes: [UInt8]) {
        data = ByteReader(bytes)
        guard let end = Self.end(data), let count = data.count(at: end + 10, size: 2),
            let start = data.count(at: end + 16, size: 4), start < bytes.count, count <= Self.memberLimit
        else { return nil }
        var members: [Member] = []
        var place = start
        for _ in 0..<count {
            guard data.number(at: place, size: 4) == 0x0201_4b50, let flags = data.number(at: place + 8, size: 2),
                let method = data.count(at: place + 10, size: 2), let packed = data.count(at: place + 20, size: 4),
                let size = data.count(at: place + 24, size: 4), let nameLength = data.count(at: place + 28, size: 2),
                let extra = data.count(at: place + 30, size: 2), let comment = data.count(at: place + 32, size: 2),
                let header = data.count(at: place + 42, size: 4),
                let name = data.slice(at: place + 46, count: nameLength)
            else { return nil }
            if flags & 1 == 0 {
                members.append(
                    Member(
                        name: String(decoding: name, as: UTF8.self), size: size, method: method, packedSize: packed,
                        header: header))
            }
            place += 46 + nameLength + extra + comment
        }
        self.members = members
    }

    /// The record at the end, behind which a comment may stand.
    private static func end(_ data: ByteReader) -> Int? {
        let last = data.bytes.count - endSize
        guard last >= 0 else { return nil }
        for place in stride(from: last, through: max(0, last - 65_535), by: -1)
        where data.bytes[place] == 0x50 && data.number(at: place, size: 4) == 0x0605_4b50 { return place }
        return nil
    }

    /// The bytes of a member; `nil` for one that is larger than `limit`, or damaged.
    func bytes(of member: Member, limit: Int) -> [UInt8]? {
        guard member.size <= limit, data.number(at: member.header, size: 4) == 0x0403_4b50,
            let name = data.count(at: member.header + 26, size: 2),
            let extra = data.count(at: member.header + 28, size: 2),
            let packed = data.slice(at: member.header + 30 + name + extra, count: member.packedSize)
        else { return nil }
        switch member.method {
        case 0: return packed.count == member.size ? Array(packed) : nil
        case 8: return try? Inflater.inflate(packed, format: .raw, limit: member.size)
        default: return nil
        }
    }
}
