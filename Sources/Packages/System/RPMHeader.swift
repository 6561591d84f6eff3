/// One header of rpm, as its databases hold it: tagged values about a package.
///
/// Source: rpm, docs/manual/hregions.md and lib/header.c. In a database it has no magic number before it.
struct RPMHeader {
    private struct Entry {
        let type: UInt32
        let offset: Int
        let count: Int
    }

    /// The tags that are looked at.
    enum Tag: UInt32 {
        case name = 1000
        case version = 1001
        case release = 1002
        case epoch = 1003
        case size = 1009
        case vendor = 1011
        case license = 1014
        case architecture = 1022
        case sourcePackage = 1044
        case directoryIndexes = 1116
        case baseNames = 1117
        case directoryNames = 1118
        case longSize = 5009
    }

    private static let entryLimit = 65_535
    private static let fileLimit = 1_000_000

    private let data: ByteReader
    private let start: Int
    private var entries: [UInt32: Entry] = [:]

    /// `nil` for bytes that are no header.
    init?(_ bytes: [UInt8]) {
        data = ByteReader(bytes, isBigEndian: true)
        guard let count = data.count(at: 0, size: 4), let size = data.count(at: 4, size: 4),
            count > 0, count <= Self.entryLimit, 8 + count * 16 <= bytes.count, size <= bytes.count - 8 - count * 16
        else { return nil }
        start = 8 + count * 16
        for index in 0..<count {
            let place = 8 + index * 16
            guard let tag = data.number(at: place, size: 4), let type = data.number(at: place + 4, size: 4),
                let offset = data.count(at: place + 8, size: 4), let count = data.count(at: place + 12, size: 4)
            else { return nil }
            // A later entry replaces one of the signed region.
            entries[UInt32(truncatingIfNeeded: tag)] = Entry(
                type: UInt32(truncatingIfNeeded: type), offset: offset, count: count)
        }
    }

    /// The first string of a tag: a string, or one in the language of no locale.
    func text(_ tag: Tag) -> String? {
        guard let entry = entries[tag.rawValue], [6, 8, 9].contains(entry.type), entry.count > 0 else { return nil }
        return data.text(at: start + entry.offset, limit: 4096)
    }

    /// The numbers of a tag.
    func numbers(_ tag: Tag) -> [Int] {
        guard let entry = entries[tag.rawValue], entry.count <= Self.fileLimit,
            let size = [3: 2, 4: 4, 5: 8][entry.type]
        else { return [] }
        var numbers: [Int] = []
        for index in 0..<entry.count {
            guard let number = data.count(at: start + entry.offset + index * size, size: size) else { return [] }
            numbers.append(number)
        }
        return numbers
    }

    func texts(_ tag: Tag) -> [String] {
        guard let entry = entries[tag.rawValue], entry.type == 8, entry.count <= Self.fileLimit else { return [] }
        var texts: [String] = []
        var place = start + entry.offset
        for _ in 0..<entry.count {
            guard let text = data.text(at: place, limit: 4096) else { return [] }
            texts.append(text)
            place += text.utf8.count + 1
        }
        return texts
    }

    /// The package; `nil` for one without a name and a version, and for a key that packages are signed with.
    var package: InstalledSoftware? {
        guard let name = text(.name), name != "gpg-pubkey", let version = text(.version), let release = text(.release)
        else { return nil }
        let epoch = numbers(.epoch).first.map { "\($0):" } ?? ""
        guard var package = InstalledSoftware(.rpm, name: name, version: "\(epoch)\(version)-\(release)") else {
            return nil
        }
        package.architecture = text(.architecture).flatMap { $0 == "(none)" ? nil : $0 } ?? ""
        package.license = text(.license)
        package.vendor = text(.vendor).flatMap { $0 == "(none)" ? nil : $0 }
        package.source = text(.sourcePackage).flatMap { $0 == "(none)" ? nil : .init(name: $0) }
        package.size = (numbers(.longSize).first ?? numbers(.size).first).flatMap { Int64(exactly: $0) }
        return package
    }

    /// The paths of the files that belong to the package.
    var files: [String] {
        let directories = texts(.directoryNames)
        return zip(texts(.baseNames), numbers(.directoryIndexes)).compactMap { name, index in
            directories.indices.contains(index) ? directories[index] + name : nil
        }
    }
}
