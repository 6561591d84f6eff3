/// Decides whether a text is a JSON array of strings. Strict: what is not exactly JSON is something else.
struct JSONStringArray {
    enum Result: Equatable {
        case strings([String])

        /// A valid array, but not of strings only.
        case otherValues
        case notAnArray
    }

    /// Deeper nesting is not an array to Go's decoder either.
    private static let deepest = 10_000

    private let text: Text
    private var index: Int

    static func parse(_ text: Text) -> Result {
        let text = text.trimmingLeadingSpace()
        guard text.first == UInt8(ascii: "[") else { return .notAnArray }
        var parser = JSONStringArray(text: text, index: text.startIndex)
        return parser.array() ?? .notAnArray
    }

    /// Reads the outer array; inner arrays and objects are only checked, with `open` as the stack of their brackets.
    private mutating func array() -> Result? {
        var strings: [String] = []
        var isStringsOnly = true
        var open: [UInt8] = []
        var expectsValue = true
        repeat {
            skipSpace()
            guard let byte = peek() else { return nil }
            if expectsValue {
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    index += 1
                    if !open.isEmpty { isStringsOnly = false }
                    open.append(byte)
                    if open.count > Self.deepest { return nil }
                    skipSpace()
                    if let next = peek(), next == byte + 2 {
                        expectsValue = false
                    } else if byte == UInt8(ascii: "{"), !key() {
                        return nil
                    }
                case UInt8(ascii: "\""):
                    guard let string = string() else { return nil }
                    if open.count == 1 { strings.append(string) }
                    expectsValue = false
                default:
                    guard literal() || number() else { return nil }
                    isStringsOnly = false
                    expectsValue = false
                }
            } else if let last = open.last, byte == last + 2 {
                index += 1
                open.removeLast()
            } else if byte == UInt8(ascii: ",") {
                index += 1
                if open.last == UInt8(ascii: "{"), !key() { return nil }
                expectsValue = true
            } else {
                return nil
            }
        } while !open.isEmpty
        skipSpace()
        guard index == text.endIndex else { return nil }
        return isStringsOnly ? .strings(strings) : .otherValues
    }

    private func peek() -> UInt8? { index < text.endIndex ? text[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    /// Reads `"name" :` of an object.
    private mutating func key() -> Bool {
        skipSpace()
        guard string() != nil else { return false }
        skipSpace()
        return take(UInt8(ascii: ":"))
    }

    private mutating func literal() -> Bool {
        for word in ["true", "false", "null"] where text[index...].starts(with: word.utf8) {
            index += word.utf8.count
            return true
        }
        return false
    }

    private mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) && !digits() { return false }
        if take(UInt8(ascii: ".")) && !digits() { return false }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            return digits()
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = index
        while peek()?.isDigit == true { index += 1 }
        return index > start
    }

    private mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        while let byte = peek() {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                bytes.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            case 0..<0x20: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = peek() else { return nil }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return unicodeEscape()
        default: return nil
        }
    }

    /// Reads the digits behind `\u` and joins surrogates; half a pair becomes the replacement character.
    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let high = hexDigits() else { return nil }
        if let scalar = Unicode.Scalar(high) { return scalar }
        let start = index
        if high < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = hexDigits(),
            (0xDC00...0xDFFF).contains(low)
        {
            return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        }
        index = start
        return "\u{FFFD}"
    }

    private mutating func hexDigits() -> UInt32? {
        guard index + 4 <= text.endIndex else { return nil }
        let digits = text[index..<(index + 4)]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        index += 4
        return UInt32(digits.string, radix: 16)
    }
}
