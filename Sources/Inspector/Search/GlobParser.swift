import Diagnostics

/// Reads the patterns of shells; see ``PathPattern/init(glob:)``.
enum GlobParser {
    static func parse(_ text: String) throws(InspectorError) -> PatternNode {
        let slash = ByteSet([UInt8(ascii: "/")])
        var rest = Array(text.utf8)[...]
        let isPath = rest.contains(UInt8(ascii: "/"))
        // Paths of images begin at the root, with or without the slash.
        if rest.first == UInt8(ascii: "/") { rest.removeFirst() }
        var parts: [PatternNode] = [isPath ? .start : .choice([.start, .bytes(slash)])]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*") where rest.first == UInt8(ascii: "*"):
                rest.removeFirst()
                if rest.first == UInt8(ascii: "/") {
                    rest.removeFirst()
                    let directories = PatternNode.sequence([.repeated(any, atLeast: 0, atMost: nil), .bytes(slash)])
                    parts.append(.repeated(directories, atLeast: 0, atMost: 1))
                } else {
                    parts.append(.repeated(any, atLeast: 0, atMost: nil))
                }
            case UInt8(ascii: "*"): parts.append(.repeated(.character(besides: slash), atLeast: 0, atMost: nil))
            case UInt8(ascii: "?"): parts.append(.character(besides: slash))
            case UInt8(ascii: "["): parts.append(try set(&rest))
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else {
                    throw InspectorError(.badPattern, "the pattern ends with a '\\'")
                }
                parts.append(.bytes(ByteSet([next])))
            default: parts.append(.bytes(ByteSet([byte])))
            }
        }
        return .sequence(parts + [.end])
    }

    private static let any = PatternNode.bytes(ByteSet(0...0xff as ClosedRange<UInt8>))

    private static func set(_ rest: inout ArraySlice<UInt8>) throws(InspectorError) -> PatternNode {
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest.removeFirst() }
        var set = ByteSet()
        var isFirst = true
        while let low = rest.popFirst() {
            if low == UInt8(ascii: "]"), !isFirst {
                guard isNegated else { return .bytes(set) }
                set.insert(UInt8(ascii: "/"))
                return .character(besides: set)
            }
            isFirst = false
            guard low < 0x80 else { throw InspectorError(.badPattern, "'[…]' takes ASCII characters only") }
            var high = low
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
                rest.removeFirst(2)
                high = end
            }
            guard low <= high, high < 0x80 else {
                throw InspectorError(.badPattern, "a range in '[…]' is not one of ASCII characters in their order")
            }
            set.formUnion(ByteSet(low...high))
        }
        throw InspectorError(.badPattern, "a '[' of the pattern has no ']'")
    }
}
