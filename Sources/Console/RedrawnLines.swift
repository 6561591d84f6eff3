/// Lines that are drawn again in place, each over the line before it, so that nothing flickers.
package struct RedrawnLines: Sendable {
    /// The widths of the lines on the screen.
    private var drawn: [Int] = []

    package init() {}

    /// The bytes that replace the lines drawn before, as one text for one write.
    ///
    /// The cursor is hidden meanwhile. `lines` may contain colours and end nowhere in an escape sequence.
    package mutating func draw(_ lines: [String], in window: WindowSize) -> String {
        // A window that became narrower has wrapped the lines of the frame before.
        let columns = max(1, window.columns)
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / columns) }
        var text = "\u{1b}[?25l\r"
        if rows > 0 { text += "\u{1b}[\(max(1, min(rows, window.rows - 1)))A" }
        for line in lines { text += "\(line)\u{1b}[K\n" }
        text += "\u{1b}[J\u{1b}[?25h"
        drawn = lines.map { TerminalText.width(of: TerminalText.neutralised($0)) }
        return text
    }
}
