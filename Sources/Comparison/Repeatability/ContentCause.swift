/// Tells why the bytes of a file differ between two builds, by what is equal in them.
package struct ContentCause: Sendable {
    /// Values that are known to differ between the builds, the first's and the second's.
    package struct Variation: Hashable, Sendable {
        package let cause: DifferenceCause
        package let old: String
        package let new: String

        package init(_ cause: DifferenceCause, old: String, new: String) {
            self.cause = cause
            self.old = old
            self.new = new
        }
    }

    private let variations: [Variation]

    package init(_ variations: [Variation] = []) { self.variations = variations.filter { !$0.old.isEmpty } }

    /// `path` is the file's.
    package func cause(_ old: [UInt8], _ new: [UInt8], path: String) -> ExplainedCause {
        if let known = Self.format(old, new, path: path) { return known }
        for variation in variations where replaced(old, variation) == new {
            return variation.cause == .hostName ? .hostName : .buildPath
        }
        if let known = ByProduct.cause(of: path) { return known }
        guard let one = Self.text(old), let other = Self.text(new) else { return .content }
        if Self.lines(one).sorted() == Self.lines(other).sorted() { return .order }
        if Self.skeleton(one, isDigit: { $0.isASCII && $0.isNumber })
            == Self.skeleton(other, isDigit: { $0.isASCII && $0.isNumber })
        {
            return .numbers
        }
        if Self.words(one).count == Self.words(other).count, Self.differInRandomWords(one, other) {
            return .randomValue
        }
        return .content
    }

    // MARK: Formats with times

    private static func format(_ old: [UInt8], _ new: [UInt8], path: String) -> ExplainedCause? {
        func equal(_ blank: ([UInt8]) -> [UInt8]?) -> Bool {
            guard let one = blank(old), let other = blank(new) else { return false }
            return one == other
        }
        if path.hasSuffix(".pyc"), old.count >= 16, old.count == new.count, old.dropFirst(12) == new.dropFirst(12) {
            return ExplainedCause(
                .time, "times in compiled Python: set PYTHONDONTWRITEBYTECODE=1, or compile with hashes")
        }
        if equal(blankGzip) { return ExplainedCause(.time, "the time in the header of gzip: use gzip -n") }
        if equal(blankArchive) {
            return ExplainedCause(.time, "times in an archive of ar: use ar with the modifier D, or ranlib -D")
        }
        if equal(blankTar) {
            return ExplainedCause(
                .time, "times in an archive of tar: use tar --sort=name --mtime=@$SOURCE_DATE_EPOCH")
        }
        if equal(blankZip) {
            return ExplainedCause(.time, "times in a zip or jar: set the times of the files first, or use zip -X")
        }
        return nil
    }

    private static func blank(_ bytes: inout [UInt8], _ range: Range<Int>) {
        guard range.upperBound <= bytes.count else { return }
        for index in range { bytes[index] = 0 }
    }

    private static func blankGzip(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.starts(with: [0x1f, 0x8b]), bytes.count > 18 else { return nil }
        var copy = bytes
        blank(&copy, 4..<8)
        return copy
    }

    /// Blanks times and owners in the headers of the members, of 60 bytes each.
    private static func blankArchive(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.starts(with: "!<arch>\n".utf8) else { return nil }
        var copy = bytes
        var place = 8
        while place + 60 <= copy.count {
            let size = String(decoding: copy[(place + 48)..<(place + 58)], as: UTF8.self).prefix { $0 != " " }
            guard let size = Int(size), size >= 0, size <= copy.count else { break }
            blank(&copy, (place + 16)..<(place + 40))
            place += 60 + size + size % 2
        }
        return copy
    }

    /// Blanks the times and the checksums of headers, wherever one stands.
    private static func blankTar(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= 512, bytes[257..<262].elementsEqual("ustar".utf8) else { return nil }
        var copy = bytes
        for place in stride(from: 0, to: copy.count - 511, by: 512)
        where copy[(place + 257)..<(place + 262)].elementsEqual("ustar".utf8) {
            blank(&copy, (place + 136)..<(place + 156))
        }
        return copy
    }

    /// Blanks the times of members, in front of them and in the directory at the end.
    private static func blankZip(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) else { return nil }
        var copy = bytes
        for place in 0..<max(0, bytes.count - 30) where bytes[place] == 0x50 && bytes[place + 1] == 0x4b {
            if bytes[place + 2] == 3, bytes[place + 3] == 4 { blank(&copy, (place + 10)..<(place + 14)) }
            if bytes[place + 2] == 1, bytes[place + 3] == 2 { blank(&copy, (place + 12)..<(place + 16)) }
        }
        return copy
    }

    // MARK: Texts

    private func replaced(_ bytes: [UInt8], _ variation: Variation) -> [UInt8]? {
        let (old, new) = (Array(variation.old.utf8), Array(variation.new.utf8))
        var result: [UInt8] = []
        var isFound = false
        var place = 0
        while place < bytes.count {
            if bytes[place] == old[0], bytes[place...].starts(with: old) {
                result += new
                place += old.count
                isFound = true
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return isFound ? result : nil
    }

    /// `nil` for bytes that are no text.
    private static func text(_ bytes: [UInt8]) -> String? {
        bytes.prefix(8192).contains(0) ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0.isNewline }
    }

    /// The text with each run of digits as one mark.
    private static func skeleton(_ text: String, isDigit: (Character) -> Bool) -> String {
        var result = ""
        var wasDigit = false
        for character in text {
            let isDigit = isDigit(character)
            if !isDigit { result.append(character) } else if !wasDigit { result.append("#") }
            wasDigit = isDigit
        }
        return result
    }

    private static func words(_ text: String) -> [Substring] {
        text.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) && $0 != "+" && $0 != "/" }
    }

    /// Whether the words that differ are of one length, and long enough to be made up.
    private static func differInRandomWords(_ one: String, _ other: String) -> Bool {
        let changed = zip(words(one), words(other)).filter { $0 != $1 }
        return !changed.isEmpty && changed.allSatisfy { $0.count == $1.count && $0.count >= 6 }
    }
}
