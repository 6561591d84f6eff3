/// Escapes of Go's interpreted string literals, as `strconv.Unquote` resolves them.
enum GoUnquoting {
    private static let simple: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
        UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0B, UInt8(ascii: "\\"): 0x5C,
        UInt8(ascii: "\""): 0x22,
    ]

    /// The text between the quotes with its escapes resolved; `nil` if one is malformed.
    ///
    /// Bytes that are not UTF-8, which only `\x` and octal escapes can make, become U+FFFD.
    static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard let letter = rest.popFirst() else { return nil }
            switch letter {
            case UInt8(ascii: "x"):
                guard let value = number(&rest, digits: 2, radix: 16) else { return nil }
                result.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let digits = letter == UInt8(ascii: "u") ? 4 : 8
                guard let value = number(&rest, digits: digits, radix: 16), let scalar = Unicode.Scalar(value) else {
                    return nil
                }
                result += String(scalar).utf8
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                rest = bytes[(rest.startIndex - 1)...]
                guard let value = number(&rest, digits: 3, radix: 8), value < 256 else { return nil }
                result.append(UInt8(value))
            default:
                guard let value = simple[letter] else { return nil }
                result.append(value)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int, radix: Int) -> UInt32? {
        let text = String(decoding: rest.prefix(digits), as: UTF8.self)
        guard text.utf8.count == digits, text.utf8.first != UInt8(ascii: "+"), text.utf8.first != UInt8(ascii: "-")
        else { return nil }
        rest = rest.dropFirst(digits)
        return UInt32(text, radix: radix)
    }
}
