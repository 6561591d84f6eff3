/// An index of many patterns by short texts that their matches must have in them.
///
/// It makes the time for a path depend on the length of the path and on the patterns that come near to matching it, not
/// on the number of patterns.
struct IgnorePatternIndex: Sendable {
    /// A list of fewer patterns is tried one by one.
    private static let fewestPatterns = 32

    /// The longest text looked up.
    private static let longestKey = 4

    /// The patterns by one text of one to four bytes; see ``key(_:)``.
    private var patterns: [UInt64: [Int]] = [:]

    /// The patterns that may match anything, such as `*` and `[a-z]?`.
    private var others: [Int] = []

    /// The lengths of the texts that are in ``patterns``.
    private var lengths: [Int] = []

    /// An index of the matchers by their place; `nil` if they are few.
    init?(_ matchers: [IgnorePattern]) {
        guard matchers.count >= Self.fewestPatterns else { return nil }
        let choices = matchers.map { Self.keys(of: $0) }
        var uses: [UInt64: Int] = [:]
        for keys in choices { for key in Set(keys) { uses[key, default: 0] += 1 } }
        for (index, keys) in choices.enumerated() {
            // The rarest text leaves the fewest patterns to try.
            guard let key = keys.min(by: { uses[$0, default: 0] < uses[$1, default: 0] }) else {
                others.append(index)
                continue
            }
            patterns[key, default: []].append(index)
        }
        lengths = Set(patterns.keys.map { Int($0 >> 32) }).sorted()
    }

    /// The places of the patterns behind `floor` that may match, the last one first.
    func candidates(in path: ArraySlice<UInt8>, above floor: Int) -> [Int] {
        var found = others.filter { $0 > floor }
        for length in lengths where length <= path.count {
            for start in path.startIndex...(path.endIndex - length) {
                guard let indices = patterns[Self.key(path[start..<(start + length)])] else { continue }
                for index in indices where index > floor { found.append(index) }
            }
        }
        // A text may occur in a path more than once, and a pattern tried twice does no harm.
        return found.sorted(by: >)
    }

    /// All texts of the greatest useful length in the pattern's literals.
    private static func keys(of matcher: IgnorePattern) -> [UInt64] {
        guard let longest = matcher.literals.map(\.count).max(), longest > 0 else { return [] }
        let length = min(longest, longestKey)
        return matcher.literals.flatMap { literal -> [UInt64] in
            guard literal.count >= length else { return [] }
            return (0...(literal.count - length)).map { key(literal[$0..<($0 + length)]) }
        }
    }

    /// Up to four bytes and their number as one value.
    private static func key(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(UInt64(bytes.count) << 32) { key, byte in
            key & 0xFF_0000_0000 | (key & 0xFF_FFFF) << 8 | UInt64(byte)
        }
    }
}
