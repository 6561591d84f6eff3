import Diagnostics

/// Reads regular expressions; see ``PathPattern`` for their syntax.
struct RegularExpressionParser {
    private var rest: ArraySlice<Unicode.Scalar>
    private var depth = 0

    /// Groups are read with a call a level.
    private static let depthLimit = 50
    /// As in RE2.
    private static let repeatLimit = 1000

    init(_ text: String) { rest = Array(text.unicodeScalars)[...] }

    private static func bad(_ message: String) -> InspectorError { InspectorError(.badPattern, message) }

    mutating func parse() throws(InspectorError) -> PatternNode {
        let node = try choice()
        guard rest.isEmpty else { throw Self.bad("the regular expression has a ')' without a '('") }
        return node
    }

    private mutating func choice() throws(InspectorError) -> PatternNode {
        var parts = [try sequence()]
        while rest.first == "|" {
            rest.removeFirst()
            parts.append(try sequence())
        }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(InspectorError) -> PatternNode {
        var parts: [PatternNode] = []
        while let next = rest.first, next != "|", next != ")" {
            let part = try atom()
            parts.append(try repeated(part))
        }
        return .sequence(parts)
    }

    private mutating func repeated(_ part: PatternNode) throws(InspectorError) -> PatternNode {
        var node = part
        while let next = rest.first {
            switch next {
            case "*": node = .repeated(node, atLeast: 0, atMost: nil)
            case "+": node = .repeated(node, atLeast: 1, atMost: nil)
            case "?": node = .repeated(node, atLeast: 0, atMost: 1)
            case "{":
                guard let (bounds, count) = try counts() else { return node }
                node = .repeated(node, atLeast: bounds.0, atMost: bounds.1)
                rest.removeFirst(count - 1)
            default: return node
            }
            rest.removeFirst()
            // Lazy forms find the same paths.
            if rest.first == "?" { rest.removeFirst() }
        }
        return node
    }

    /// The bounds in `{m}`, `{m,}` or `{m,n}` with the length of the text; `nil` for a brace that is only a brace.
    private func counts() throws(InspectorError) -> ((Int, Int?), Int)? {
        guard let close = rest.firstIndex(of: "}") else { return nil }
        let text = String(String.UnicodeScalarView(rest[rest.startIndex + 1..<close]))
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.isEmpty, first.allSatisfy(\.isWholeNumber) else { return nil }
        guard let least = Int(first), least <= Self.repeatLimit else { throw Self.bad("{\(text)} repeats too often") }
        let length = close - rest.startIndex + 1
        guard parts.count == 2 else { return ((least, least), length) }
        if parts[1].isEmpty { return ((least, nil), length) }
        guard parts[1].allSatisfy(\.isWholeNumber) else { return nil }
        guard let most = Int(parts[1]), most <= Self.repeatLimit else { throw Self.bad("{\(text)} repeats too often") }
        guard most >= least else { throw Self.bad("{\(text)} has its bounds in the wrong order") }
        return ((least, most), length)
    }

    private mutating func atom() throws(InspectorError) -> PatternNode {
        guard let next = rest.popFirst() else { return .sequence([]) }
        switch next {
        case ".": return .character(besides: ByteSet([UInt8(ascii: "\n")]))
        case "^": return .start
        case "$": return .end
        case "(": return try group()
        case "[": return try set()
        case "\\": return try escape()
        case "*", "+", "?": throw Self.bad("'\(next)' has nothing to repeat")
        default: return Self.literal(next)
        }
    }

    private static func literal(_ scalar: Unicode.Scalar) -> PatternNode {
        .sequence(String(scalar).utf8.map { .bytes(ByteSet([$0])) })
    }

    private mutating func group() throws(InspectorError) -> PatternNode {
        depth += 1
        guard depth <= Self.depthLimit else { throw Self.bad("the groups are nested too deep") }
        if rest.first == "?" {
            guard rest.dropFirst().first == ":" else { throw Self.bad("groups begin with '(' or '(?:'") }
            rest.removeFirst(2)
        }
        let node = try choice()
        guard rest.popFirst() == ")" else { throw Self.bad("a '(' has no ')'") }
        depth -= 1
        return node
    }

    private mutating func escape() throws(InspectorError) -> PatternNode {
        guard let next = rest.popFirst() else { throw Self.bad("the regular expression ends with a '\\'") }
        if let set = Self.classes(next) { return .bytes(set) }
        if let set = Self.oppositeClasses(next) { return .character(besides: set) }
        return Self.literal(try Self.escaped(next))
    }

    private static func classes(_ letter: Unicode.Scalar) -> ByteSet? {
        switch letter {
        case "d": .digits
        case "w": .word
        case "s": .space
        default: nil
        }
    }

    private static func oppositeClasses(_ letter: Unicode.Scalar) -> ByteSet? {
        switch letter {
        case "D": .digits
        case "W": .word
        case "S": .space
        default: nil
        }
    }

    private static func escaped(_ letter: Unicode.Scalar) throws(InspectorError) -> Unicode.Scalar {
        switch letter {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        default:
            guard
                letter.value >= 0x80 || !letter.properties.isAlphabetic && !("0"..."9" as ClosedRange).contains(letter)
            else { throw bad("'\\\(letter)' is not supported") }
            return letter
        }
    }

    private mutating func set() throws(InspectorError) -> PatternNode {
        var isNegated = false
        if rest.first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        var ascii = ByteSet()
        var others: [PatternNode] = []
        var isFirst = true
        while let next = rest.popFirst() {
            if next == "]", !isFirst {
                guard isNegated else { return .choice([.bytes(ascii)] + others) }
                guard others.isEmpty else { throw Self.bad("'[^…]' takes ASCII characters only") }
                return .character(besides: ascii)
            }
            isFirst = false
            var low = next
            if next == "\\" {
                guard let letter = rest.popFirst() else { break }
                if let set = Self.classes(letter) {
                    ascii.formUnion(set)
                    continue
                }
                low = try Self.escaped(letter)
            }
            let high = try rangeEnd() ?? low
            guard low.value < 0x80, high.value < 0x80 else {
                guard low == high else { throw Self.bad("ranges in '[…]' are of ASCII characters only") }
                others.append(Self.literal(low))
                continue
            }
            guard low <= high else { throw Self.bad("the range \(low)-\(high) has its ends in the wrong order") }
            ascii.formUnion(ByteSet(UInt8(low.value)...UInt8(high.value)))
        }
        throw Self.bad("a '[' has no ']'")
    }

    /// The end of a range in a set, if the rest begins with one.
    private mutating func rangeEnd() throws(InspectorError) -> Unicode.Scalar? {
        guard rest.first == "-", let end = rest.dropFirst().first, end != "]" else { return nil }
        rest.removeFirst(2)
        guard end == "\\" else { return end }
        guard let letter = rest.popFirst() else { throw Self.bad("a '[' has no ']'") }
        return try Self.escaped(letter)
    }
}
