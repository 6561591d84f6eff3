/// Texts as Go's `fmt` prints them: history entries are compared by people and tools, so they must look the same.
enum GoFormat {
    /// `%v` of a list of strings: `[a b]`.
    static func list(_ items: [String]) -> String { "[\(items.joined(separator: " "))]" }

    /// `%q` of a list of strings: `["a" "b"]`.
    static func quotedList(_ items: [String]) -> String { list(items.map(quoted)) }

    /// `%q` of a string.
    static func quoted(_ text: String) -> String {
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
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Go prints letters, marks, numbers, punctuation, symbols and the ASCII space as they are.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    /// A duration in nanoseconds: `1h2m3.5s`, `1.5ms`, `0s`.
    static func duration(_ nanoseconds: Int64) -> String {
        let sign = nanoseconds < 0 ? "-" : ""
        let amount = nanoseconds.magnitude
        switch amount {
        case 0: return "0s"
        case ..<1_000: return "\(sign)\(amount)ns"
        case ..<1_000_000: return sign + decimal(amount, unit: 1_000) + "µs"
        case ..<1_000_000_000: return sign + decimal(amount, unit: 1_000_000) + "ms"
        default: break
        }
        let second: UInt64 = 1_000_000_000
        let minutes = amount / (60 * second)
        var text = sign
        if minutes >= 60 { text += "\(minutes / 60)h" }
        if minutes > 0 { text += "\(minutes % 60)m" }
        return text + decimal(amount % (60 * second), unit: second) + "s"
    }

    private static func decimal(_ amount: UInt64, unit: UInt64) -> String {
        guard amount % unit != 0 else { return String(amount / unit) }
        let width = String(unit).count - 1
        let rest = String(amount % unit)
        var fraction = String(repeating: "0", count: width - rest.count) + rest
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(amount / unit).\(fraction)"
    }
}
