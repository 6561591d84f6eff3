import DockerfileSyntax

/// Texts in the form that Go's `fmt` gives them.
///
/// People and tools compare history entries with BuildKit's, so both must have one form.
package enum GoFormat {
    /// `%v` of a list of strings: `[a b]`.
    package static func list(_ items: [String]) -> String { "[\(items.joined(separator: " "))]" }

    /// `%q` of a list of strings: `["a" "b"]`.
    package static func quotedList(_ items: [String]) -> String { list(items.map(quoted)) }

    /// `%q` of a string.
    package static func quoted(_ text: String) -> String { GoQuoting.quoted(text) }

    /// The text of a duration in nanoseconds: `1h2m3.5s`, `1.5ms`, `0s`.
    package static func duration(_ nanoseconds: Int64) -> String {
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
