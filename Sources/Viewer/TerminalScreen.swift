import Console
import Glibc
import Linux

/// A terminal that shows whole screens, until this is dropped: then it is as it was before.
struct TerminalScreen: ~Copyable {
    private let output = OutputTerminal.standardOutput
    private let theme: TerminalTheme
    private var raw: RawTerminal?
    /// The lines on the terminal.
    private var drawn: [String] = []

    /// The other screen, no cursor, reports of the mouse in numbers, marks around pasted text.
    private static let begin = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?1000h\u{1b}[?1006h\u{1b}[?2004h\u{1b}[2J"
    private static let end = "\u{1b}[?2004l\u{1b}[?1006l\u{1b}[?1000l\u{1b}[?25h\u{1b}[0m\u{1b}[?1049l"

    /// `nil` when the standard input is no terminal.
    init?(theme: TerminalTheme) {
        guard let raw = RawTerminal(STDIN_FILENO) else { return nil }
        self.raw = consume raw
        self.theme = theme
        output.write(Self.begin)
    }

    deinit { if raw != nil { output.write(Self.end) } }

    /// Gives the terminal back for a while.
    mutating func leave() {
        output.write(Self.end)
        raw = nil
    }

    mutating func enter() {
        raw = RawTerminal(STDIN_FILENO)
        output.write(Self.begin)
        drawn = []
    }

    var size: WindowSize { output.size ?? WindowSize(columns: 80, rows: 24) }

    /// Draws the lines that are not there already.
    mutating func draw(_ screen: [StyledLine]) {
        let lines = screen.map(theme.render)
        var text = ""
        for (row, line) in lines.enumerated() where row >= drawn.count || drawn[row] != line {
            text += "\u{1b}[\(row + 1);1H\(line)"
        }
        drawn = lines
        if !text.isEmpty { output.write(text) }
    }

    /// Clears the terminal, so that everything is drawn anew; returns the event that tells the size of the window.
    mutating func resized() -> TerminalEvent {
        drawn = []
        output.write("\u{1b}[2J")
        return .resize(columns: size.columns, rows: size.rows)
    }
}
