import Console
import Testing

@Suite struct RedrawnLinesTests {
    private let window = WindowSize(columns: 10, rows: 5)

    @Test func theFirstFrameMovesNothing() {
        var screen = RedrawnLines()
        #expect(screen.draw(["ab"], in: window) == "\u{1b}[?25l\rab\u{1b}[K\n\u{1b}[J\u{1b}[?25h")
    }

    @Test func theNextFrameBeginsWhereTheLastOneDid() {
        var screen = RedrawnLines()
        _ = screen.draw(["a", "b"], in: window)
        #expect(screen.draw(["c"], in: window).hasPrefix("\u{1b}[?25l\r\u{1b}[2A"))
    }

    @Test func linesThatANarrowerWindowWrapsCountAsSeveral() {
        var screen = RedrawnLines()
        _ = screen.draw(["\u{1b}[31m123456789\u{1b}[0m"], in: window)
        #expect(screen.draw([], in: WindowSize(columns: 4, rows: 5)).hasPrefix("\u{1b}[?25l\r\u{1b}[3A"))
    }

    @Test(arguments: [WindowSize(columns: 0, rows: 0), WindowSize(columns: 1, rows: 1)])
    func aWindowWithoutRoomIsNoTrap(_ window: WindowSize) {
        var screen = RedrawnLines()
        _ = screen.draw(["abc"], in: window)
        #expect(screen.draw(["abc"], in: window).contains("\u{1b}[1A"))
    }

    @Test(arguments: [
        ("name", "1.0s", 20, "name            1.0s"), ("a long name here", "1.0s", 18, "a long name h 1.0s"),
        ("a long name here", "1.0s", 16, "a long name here"), ("name", "", 20, "name"),
        ("日本語日本語日本語", "9s", 16, "日本語日本語  9s"),
    ])
    func aLineHasItsRightPartAtTheEdge(_ left: String, _ right: String, _ columns: Int, _ expected: String) {
        #expect(TerminalText.line(left, right: right, columns: columns) == expected)
    }
}
