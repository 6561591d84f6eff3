/// Reads of numbers from bytes that may be anything. All offsets are checked.
struct ByteReader: Sendable {
    let bytes: [UInt8]
    var isBigEndian = false

    init(_ bytes: [UInt8], isBigEndian: Bool = false) {
        self.bytes = bytes
        self.isBigEndian = isBigEndian
    }

    /// A number of `size` bytes; `nil` behind the end.
    func number(at offset: Int, size: Int) -> UInt64? {
        guard offset >= 0, size <= 8, offset <= bytes.count - size else { return nil }
        var value: UInt64 = 0
        for index in 0..<size {
            let byte = bytes[offset + (isBigEndian ? index : size - 1 - index)]
            value = value << 8 | UInt64(byte)
        }
        return value
    }

    /// The same for a number that counts or points; `nil`, too, for more than 1 TiB, so that a few may be added up.
    func count(at offset: Int, size: Int) -> Int? {
        number(at: offset, size: size).flatMap { $0 <= 1 << 40 ? Int($0) : nil }
    }

    func slice(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return bytes[offset..<(offset + count)]
    }

    /// The text up to the next NUL, of at most `limit` bytes.
    func text(at offset: Int, limit: Int) -> String? {
        guard offset >= 0, offset < bytes.count else { return nil }
        let rest = bytes[offset..<min(bytes.count, offset + limit)]
        guard let end = rest.firstIndex(of: 0) else { return nil }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    func matches(_ text: String, at offset: Int) -> Bool {
        slice(at: offset, count: text.utf8.count).map { $0.elementsEqual(text.utf8) } ?? false
    }
}

/// Lines of text, without their ends.
enum TextLines {
    static func split(_ bytes: [UInt8]) -> [Substring] {
        String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
    }
}
