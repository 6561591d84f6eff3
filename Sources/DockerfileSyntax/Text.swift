/// Source text as bytes: positions are cheap, and bytes that are not UTF-8 stay as they are.
typealias Text = ArraySlice<UInt8>

extension Text {
    init(_ string: String) { self = Array(string.utf8)[...] }

    /// The text, with U+FFFD for what is not UTF-8.
    var string: String { String(decoding: self, as: UTF8.self) }

    var isUTF8: Bool { String(validating: self, as: UTF8.self) != nil }

    /// The length in bytes of the Unicode white space character at `index`, 0 if there is none.
    func spaceLength(at index: Int) -> Int {
        let byte = self[index]
        if byte < 0x80 { return byte == 0x20 || (0x09...0x0D).contains(byte) ? 1 : 0 }
        let second = index + 1 < endIndex ? self[index + 1] : 0
        if byte == 0xC2 { return second == 0x85 || second == 0xA0 ? 2 : 0 }
        guard index + 2 < endIndex else { return 0 }
        let third = self[index + 2]
        let isSpace =
            switch (byte, second) {
            case (0xE1, 0x9A), (0xE3, 0x80): third == 0x80
            case (0xE2, 0x80): (0x80...0x8A).contains(third) || third == 0xA8 || third == 0xA9 || third == 0xAF
            case (0xE2, 0x81): third == 0x9F
            default: false
            }
        return isSpace ? 3 : 0
    }

    func trimmingLeadingSpace() -> Text {
        var index = startIndex
        while index < endIndex {
            let length = spaceLength(at: index)
            if length == 0 { break }
            index += length
        }
        return self[index...]
    }

    func trimmingSpace() -> Text {
        var result = trimmingLeadingSpace()
        while let length = (1...3).first(where: { result.endsInSpace(of: $0) }) {
            result.removeLast(length)
        }
        return result
    }

    private func endsInSpace(of length: Int) -> Bool {
        count >= length && spaceLength(at: endIndex - length) == length
    }

    /// Without the line feeds and carriage returns at its end.
    func trimmingLineEnd() -> Text {
        var result = self
        while result.last == UInt8(ascii: "\n") || result.last == UInt8(ascii: "\r") { result.removeLast() }
        return result
    }

    /// Cuts off an escape character at the end of a line, with the blanks behind it, and tells whether there was one.
    ///
    /// An escape character behind another one is not a continuation, whatever is in front of the two.
    func splitContinuation(_ escape: EscapeCharacter) -> (line: Text, continues: Bool) {
        var rest = self
        while rest.last == UInt8(ascii: " ") || rest.last == UInt8(ascii: "\t") { rest.removeLast() }
        guard rest.last == escape.rawValue else { return (self, false) }
        rest.removeLast()
        return rest.last == escape.rawValue ? (self, false) : (rest, true)
    }

    /// Without spaces, tabs and carriage returns at its end.
    func trimmingTrailingBlanks() -> Text {
        var result = self
        while let last = result.last, [0x20, 0x09, 0x0D].contains(last) { result.removeLast() }
        return result
    }

    /// The parts between runs of ASCII blanks, at most `limit`; a blank at either end makes an empty part.
    func splitAtBlanks(limit: Int = .max) -> [Text] {
        var parts: [Text] = []
        var start = startIndex
        var index = startIndex
        while index < endIndex && parts.count + 1 < limit {
            guard self[index].isBlank else {
                index += 1
                continue
            }
            parts.append(self[start..<index])
            while index < endIndex && self[index].isBlank { index += 1 }
            start = index
        }
        parts.append(self[start...])
        return parts
    }
}

extension UInt8 {
    /// Whether it separates a keyword or a plain word from the next: tab, vertical tab, form feed, return or space.
    var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) && self != 0x0A }

    var isDigit: Bool { (0x30...0x39).contains(self) }

    var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
}
