/// The part of a source file around a range, printed the way BuildKit prints it.
///
/// The context is two lines on each side of a single line and one on each side of several, as far as there are any.
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
        let shown = window.count > Self.lineLimit ? window.prefix(Self.lineLimit) : window[...]
        var body = shown.map { number in
            let marker = (first...last).contains(number) ? ">>>" : "   "
            let label = String(number)
            let padding = String(repeating: " ", count: max(0, 3 - label.count))
            return " \(padding)\(label) | \(marker) \(Self.cut(source[number - 1]))"
        }
        if shown.count < window.count { body.append("     | ... and \(window.count - shown.count) lines more") }
        return ["\(range.file):\(first)", rule] + body + [rule]
    }

    /// An instruction of more lines, or a line of more characters, would push the message off the screen.
    private static let lineLimit = 30
    private static let widthLimit = 400

    private static func cut(_ line: String) -> String {
        line.utf8.count <= widthLimit ? line : String(line.prefix(widthLimit)) + "…"
    }

    private static func window(around lines: ClosedRange<Int>, count: Int) -> ClosedRange<Int> {
        let padding = lines.count == 1 ? 2 : 1
        return max(1, lines.lowerBound - padding)...min(count, lines.upperBound + padding)
    }
}
