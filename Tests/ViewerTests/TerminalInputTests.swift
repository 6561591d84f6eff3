import Testing

@testable import Viewer

@Suite struct TerminalInputTests {
    @Test(
        arguments: [
            ("a", [.key(.character("a"))]),
            ("é日😀", [.key(.character("é")), .key(.character("日")), .key(.character("😀"))]),
            ("\u{1b}[A\u{1b}[B\u{1b}[C\u{1b}[D", [.key(.up), .key(.down), .key(.right), .key(.left)]),
            ("\u{1b}OA\u{1b}OH\u{1b}OF", [.key(.up), .key(.home), .key(.end)]),
            (
                "\u{1b}[5~\u{1b}[6~\u{1b}[1~\u{1b}[4~\u{1b}[3~",
                [.key(.pageUp), .key(.pageDown), .key(.home), .key(.end), .key(.delete)]
            ),
            ("\u{1b}[1;5A", [.key(.up)]), ("\r\n", [.key(.enter), .key(.enter)]),
            ("\t\u{1b}[Z", [.key(.tab), .key(.backTab)]),
            ("\u{7f}\u{8}", [.key(.backspace), .key(.backspace)]),
            (
                "\u{1}\u{c}\0\u{1f}",
                [
                    .key(.control("a")), .key(.control("l")), .key(.control(" ")), .key(.control("/")),
                ]
            ),
            ("\u{1b}[<0;5;7M\u{1b}[<0;5;7m", [.click(column: 4, row: 6)]),
            ("\u{1b}[<64;1;2M\u{1b}[<65;1;2M", [.wheel(-3, column: 0, row: 1), .wheel(3, column: 0, row: 1)]),
            ("\u{1b}[<0;0;1Mx", [.key(.character("x"))]),
            ("\u{1b}[200~q\u{1b}[A\u{1b}[201~j", [.paste("q\u{1b}[A"), .key(.character("j"))]),
            ("\u{1b}[99Xa", [.key(.character("a"))]), ("\u{1b}\u{1b}[A", [.key(.escape), .key(.up)]),
            ("\u{1b}x", [.key(.escape), .key(.character("x"))]),
        ] as [(String, [TerminalEvent])])
    func bytesBecomeEvents(_ text: String, _ events: [TerminalEvent]) {
        var whole = TerminalInput()
        #expect(whole.decode(Array(text.utf8)) == events)
        #expect(!whole.isIncomplete)
        // In pieces of one byte, as over a slow line.
        var pieces = TerminalInput()
        #expect(text.utf8.flatMap { pieces.decode([$0]) } == events)
    }

    @Test func aLoneEscapeIsAKeyWhenNothingFollows() {
        var input = TerminalInput()
        #expect(input.decode([0x1b]) == [] && input.isIncomplete)
        #expect(input.finish() == [.key(.escape)] && !input.isIncomplete)
        #expect(input.decode(Array("\u{1b}[".utf8)) == [])
        #expect(input.finish() == [.key(.escape), .key(.character("["))])
    }

    @Test(
        arguments: [[0xff], [0xc3, 0x28], [0x80], Array("\u{1b}[".utf8) + [UInt8](repeating: 0x30, count: 100)]
            as [[UInt8]])
    func rubbishIsDropped(_ bytes: [UInt8]) {
        var input = TerminalInput()
        let events = input.decode(bytes + Array("q".utf8))
        #expect(events.last == .key(.character("q")) || !input.isIncomplete)
    }

    @Test(
        arguments: [
            (["NO_COLOR": "1", "COLORTERM": "truecolor"], TerminalTheme.Colours.none),
            (["COLORTERM": "truecolor"], .all), (["TERM": "xterm-256color"], .many), (["TERM": "vt100"], .sixteen),
            ([:], .sixteen),
        ] as [([String: String], TerminalTheme.Colours)])
    func coloursFollowTheEnvironment(_ variables: [String: String], _ colours: TerminalTheme.Colours) {
        let theme = TerminalTheme { variables[$0] }
        #expect(theme.colours == colours)
        for style in TextStyle.allCases {
            let text = theme.render(StyledLine("x", style))
            #expect(text == "x" || text.hasPrefix("\u{1b}[") && text.hasSuffix("mx\u{1b}[0m"))
            let hasColour = ["3", "4"].contains {
                text.contains(";\($0)") || text.hasPrefix("\u{1b}[\($0)") && !text.hasPrefix("\u{1b}[4m")
            }
            if colours == .none { #expect(!hasColour, "\(style) has a colour") }
        }
    }
}
