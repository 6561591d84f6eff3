/// The part of a source file around a range, printed the way BuildKit prints it.
///
/// The context is two lines around a range of several lines and four around a single line, shifted at the file's edges.
package struct SourceExcerpt: Sendable {
    package let range: SourceRange
    /// All lines of the file, without their terminators.
    package let source: [String]

    package init(_ range: SourceRange, of source: [String]) {
        self.range = range
        self.source = source
    }

    /// The excerpt as lines: `Dockerfile:7`, a rule, numbered source lines with `>>>` before those meant, a rule.
    package func render() -> [String] {
        let first = max(1, min(range.lines.lowerBound, source.count))
        let last = max(first, min(range.lines.upperBound, source.count))
        let rule = String(repeating: "-", count: 20)
        guard !source.isEmpty else { return ["\(range.file):\(first)", rule, rule] }
        let window = Self.window(around: first...last, count: source.count)
        let body = window.map { number in
            let marker = (first...last).contains(number) ? ">>>" : "   "
            let label = String(number)
            let padding = String(repeating: " ", count: max(0, 3 - label.count))
            return " \(padding)\(label) | \(marker) \(source[number - 1])"
        }
        return ["\(range.file):\(first)", rule] + body + [rule]
    }

    private static func window(around lines: ClosedRange<Int>, count: Int) -> ClosedRange<Int> {
        // BuildKit grows the window line by line, at the end first, until it has its padding or the file ends.
        let padding = lines.lowerBound == lines.upperBound ? 4 : 2
        var low = lines.lowerBound
        var high = lines.upperBound
        var grown = 0
        while grown < padding {
            let before = grown
            if high < count {
                high += 1
                grown += 1
            }
            if low > 1, grown < padding || high == count {
                low -= 1
                grown += 1
            }
            if grown == before { break }
        }
        return low...high
    }
}
