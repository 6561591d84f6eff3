import OCI

/// Go's `fmt.Sprintf` for the verbs that formats of command lines use: `%s %v %q %d %x %f %t %c %%`, with flags,
/// width and precision.
enum GoPrintf {
    /// No field is padded to more.
    private static let maximumWidth = 1000

    private struct Verb {
        var isLeft = false
        var isZero = false
        var isSigned = false
        var width = 0
        var precision: Int?
    }

    static func format(_ format: String, _ arguments: ArraySlice<JSON>) -> String {
        var result = ""
        var rest = format.unicodeScalars[...]
        var arguments = arguments
        while let next = rest.popFirst() {
            guard next == "%" else {
                result.unicodeScalars.append(next)
                continue
            }
            let verb = parse(&rest)
            guard let letter = rest.popFirst() else {
                result += "%!(NOVERB)"
                break
            }
            if letter == "%" {
                result += "%"
            } else if let argument = arguments.popFirst() {
                result += pad(text(argument, letter, verb), verb)
            } else {
                result += "%!\(letter)(MISSING)"
            }
        }
        if !arguments.isEmpty {
            result += "%!(EXTRA \(arguments.map { "\($0.goType)=\($0.goText)" }.joined(separator: ", ")))"
        }
        return result
    }

    private static func parse(_ rest: inout Substring.UnicodeScalarView) -> Verb {
        var verb = Verb()
        while let flag = rest.first, "-0+# ".unicodeScalars.contains(flag) {
            if flag == "-" { verb.isLeft = true }
            if flag == "0" { verb.isZero = true }
            if flag == "+" { verb.isSigned = true }
            rest.removeFirst()
        }
        verb.width = number(&rest)
        if rest.first == "." {
            rest.removeFirst()
            verb.precision = number(&rest)
        }
        return verb
    }

    private static func number(_ rest: inout Substring.UnicodeScalarView) -> Int {
        var value = 0
        while let digit = rest.first, ("0"..."9").contains(digit) {
            value = min(maximumWidth, value * 10 + Int(digit.value - 48))
            rest.removeFirst()
        }
        return value
    }

    private static func text(_ value: JSON, _ letter: Unicode.Scalar, _ verb: Verb) -> String {
        let wrong = "%!\(letter)(\(value.goType)=\(value.goText))"
        switch letter {
        case "s", "v":
            let text = letter == "s" && value.double != nil ? wrong : value.goText
            return verb.precision.map { String(text.prefix($0)) } ?? text
        case "q": return value.string.map(GoFormat.quoted) ?? wrong
        case "d":
            guard let number = value.integer else { return wrong }
            return verb.isSigned && number >= 0 ? "+\(number)" : "\(number)"
        case "x", "X":
            let text =
                value.integer.map { String($0, radix: 16) }
                ?? value.string.map { $0.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() } ?? wrong
            return letter == "X" ? text.uppercased() : text
        case "f": return value.double?.fixed(verb.precision ?? 6) ?? wrong
        case "t": return value.bool == nil ? wrong : value.goText
        case "c": return value.integer.flatMap { Unicode.Scalar(UInt32(clamping: $0)) }.map { String($0) } ?? wrong
        default: return wrong
        }
    }

    private static func pad(_ text: String, _ verb: Verb) -> String {
        let missing = verb.width - text.count
        guard missing > 0 else { return text }
        if verb.isLeft { return text + String(repeating: " ", count: missing) }
        if verb.isZero, let sign = text.first, sign == "-" || sign == "+" {
            return String(sign) + String(repeating: "0", count: missing) + text.dropFirst()
        }
        return String(repeating: verb.isZero ? "0" : " ", count: missing) + text
    }
}
