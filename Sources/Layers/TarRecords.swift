import Diagnostics
import Linux

/// The fields of an extended (pax) header for the member after it.
///
/// Source: POSIX.1-2017, pax, "pax Extended Header"; GNU tar, "Storing Sparse Files".
struct TarRecords {
    private(set) var values: [PathBytes: [UInt8]] = [:]
    private var attributes: [PathBytes: [UInt8]] = [:]
    /// The bytes of the names of the attributes, each with a NUL.
    private var namesSize = 0
    /// The map of the oldest format for files with holes, which repeats its keys: offsets and lengths in turn.
    private var pairs: [Int64] = []

    init() {}

    private var isEmpty: Bool { values.isEmpty && attributes.isEmpty && pairs.isEmpty }

    init(parsing body: [UInt8]) throws {
        var position = 0
        while position < body.count {
            // Some programs fill up with NULs.
            if body[position...].allSatisfy({ $0 == 0 }) { break }
            guard let blank = body[position...].firstIndex(of: UInt8(ascii: " ")),
                let length = Self.number(body[position..<blank]),
                length > Int64(blank - position + 1), length <= body.count - position,
                body[position + Int(length) - 1] == UInt8(ascii: "\n"),
                let equals = body[blank..<position + Int(length)].firstIndex(of: UInt8(ascii: "=")),
                equals > blank + 1
            else { throw TarReader.damaged }
            let end = position + Int(length) - 1
            try add(PathBytes(body[(blank + 1)..<equals]), Array(body[(equals + 1)..<end]))
            position = end + 1
        }
    }

    // The limits of Linux for the attributes of a file, in bytes; see xattr(7).
    private static let maximumNames = 65536
    private static let maximumName = 255
    private static let maximumValue = 65536

    private mutating func add(_ key: PathBytes, _ value: [UInt8]) throws {
        if key.bytes.starts(with: Tar.attributePrefix.utf8) {
            let name = PathBytes(key.bytes[Tar.attributePrefix.utf8.count...])
            guard !name.isEmpty, !name.bytes.contains(0) else { throw TarReader.damaged }
            if attributes.updateValue(value, forKey: name) == nil { namesSize += name.bytes.count + 1 }
            guard namesSize <= Self.maximumNames, name.bytes.count <= Self.maximumName,
                value.count <= Self.maximumValue
            else {
                throw LayerError(
                    .unsupported,
                    "a file in the layer has more extended attributes than Linux takes, or a longer one")
            }
        } else if key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes" {
            guard let number = Self.number(value[...]) else { throw TarReader.damaged }
            // Offsets stand at even places.
            guard pairs.count.isMultiple(of: 2) == (key == "GNU.sparse.offset") else { throw TarReader.damaged }
            pairs.append(number)
        } else {
            values[key] = value.isEmpty ? nil : value
        }
    }

    /// Puts what the records say into the member.
    func apply(to member: inout TarMember) throws {
        if isEmpty { return }
        if let path = values["path"] { member.name = path }
        if let link = values["linkpath"] { member.linkName = link }
        if let owner = try number("uid") { member.owner = owner }
        if let group = try number("gid") { member.group = group }
        if let size = try number("size") { member.size = size }
        if let time = values["mtime"] {
            guard let time = Self.time(time) else { throw TarReader.damaged }
            member.modified = time
        }
        if let name = values["uname"] { member.userName = name }
        if let name = values["gname"] { member.groupName = name }
        member.accessed = values["atime"].flatMap(Self.time)
        member.changed = values["ctime"].flatMap(Self.time)
        member.attributes = attributes.map { ExtendedAttribute(name: $0.key, value: $0.value) }
            .sorted { $0.name < $1.name }
        try applySparse(to: &member)
    }

    /// Whether the map of the file's holes stands in front of its data.
    var hasMapInData: Bool {
        values["GNU.sparse.major"] == Array("1".utf8) && values["GNU.sparse.minor"] == Array("0".utf8)
    }

    private func applySparse(to member: inout TarMember) throws {
        let size = try number("GNU.sparse.realsize") ?? number("GNU.sparse.size")
        guard let size else { return }
        if let name = values["GNU.sparse.name"] { member.name = name }
        var map = SparseMap(fileSize: size)
        var numbers = pairs
        if let text = values["GNU.sparse.map"] {
            numbers = try text.split(separator: UInt8(ascii: ",")).map {
                guard let number = Self.number($0) else { throw TarReader.damaged }
                return number
            }
        }
        guard numbers.count.isMultiple(of: 2) else { throw TarReader.damaged }
        for index in stride(from: 0, to: numbers.count, by: 2) {
            map.parts.append(SparseMap.Part(offset: numbers[index], length: numbers[index + 1]))
        }
        member.sparse = map
    }

    private func number(_ key: PathBytes) throws -> Int64? {
        guard let text = values[key] else { return nil }
        guard let number = Self.number(text[...]) else { throw TarReader.damaged }
        return number
    }

    /// A decimal number that is not negative.
    static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count < 20 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// Seconds since the epoch, maybe negative, maybe with a fraction.
    static func time(_ text: [UInt8]) -> FileTime? {
        let isNegative = text.first == UInt8(ascii: "-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let seconds = number(whole) else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            let digits = parts[1].prefix(9) + [UInt8](repeating: UInt8(ascii: "0"), count: max(0, 9 - parts[1].count))
            guard let fraction = number(digits) else { return nil }
            nanoseconds = fraction
        }
        guard isNegative else { return FileTime(seconds: seconds, nanoseconds: nanoseconds) }
        return nanoseconds == 0
            ? FileTime(seconds: -seconds) : FileTime(seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds)
    }
}
