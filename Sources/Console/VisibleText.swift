/// Names of files and other foreign bytes as text in which every byte can be seen.
///
/// Control characters and bytes that are not UTF-8 become `\x1b`, `\n` and the like, characters that reorder or hide text
/// `\u{202e}`, and a backslash is doubled: different names stay different, and no name does anything to a terminal.
package enum VisibleText {
    /// Without `doublingBackslashes` the text is for reading only, as with the content of a file.
    package static func escaped(_ bytes: some Collection<UInt8>, doublingBackslashes: Bool = true) -> String {
        let backslash: UInt8? = doublingBackslashes ? UInt8(ascii: "\\") : nil
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != backslash }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = ""
        var rest = bytes[...]
        while let byte = rest.first {
            let length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
            if let piece = String(validating: rest.prefix(length), as: UTF8.self),
                let scalar = piece.unicodeScalars.first,
                piece.unicodeScalars.count == 1
            {
                text += scalar == "\\" && !doublingBackslashes ? "\\" : escaped(scalar)
                rest = rest.dropFirst(length)
            } else {
                text += hexadecimal(byte)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x0a: "\\n"
        case 0x09: "\\t"
        case 0x0d: "\\r"
        case 0x5c: "\\\\"
        case 0..<0x20, 0x7f: hexadecimal(UInt8(scalar.value))
        case 0x80..<0xa0, 0xad, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb,
            0xe0000...0xe007f:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
    }
}
