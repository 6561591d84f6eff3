/// Quoting as Go's `strconv.Quote` and `%q` do it.
package enum GoQuoting {
    /// The text in double quotes, with Go's escapes.
    package static func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map(escaped).joined() + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\u{07}": return "\\a"
        case "\u{08}": return "\\b"
        case "\u{0C}": return "\\f"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\u{0B}": return "\\v"
        case _ where isPrintable(scalar): return String(scalar)
        case _ where scalar.value < 0x80: return "\\x" + hexadecimal(scalar.value, width: 2)
        case _ where scalar.value < 0x10000: return "\\u" + hexadecimal(scalar.value, width: 4)
        default: return "\\U" + hexadecimal(scalar.value, width: 8)
        }
    }

    private static func hexadecimal(_ value: UInt32, width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Go prints letters, marks, numbers, punctuation, symbols and the ASCII space unescaped.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}

extension String {
    /// The text in double quotes, as Go's `%q` prints it.
    var quoted: String { GoQuoting.quoted(self) }
}
