import Console
import Testing

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("plain", "plain"),
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("\u{1b}[2J\u{1b}[1;1Hgone", "gone"),
        ("\u{1b}]0;title\u{7}after", "after"),
        ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}P1$r0m\u{1b}\\x", "x"),
        ("\u{1b}]unclosed string", "unclosed string"),
        ("\u{1b}(Bx\u{1b}7y\u{1b}cz", "xyz"),
        ("a\u{0}b\u{7}c\u{8}d\u{7f}e", "abcde"),
        ("\u{9b}31mC1", "31mC1"),
        ("a\tb", "a       b"),
        ("1234567\t8", "1234567 8"),
        ("end\u{1b}", "end"),
        ("end\u{1b}[", "end"),
        ("end\u{1b}[31", "end"),
        ("\u{1b}\u{1b}[31mx", "x"),
        ("\u{1b}[31\u{1b}[32mx", "x"),
        ("größe – 日本", "größe – 日本"),
    ])
    func neutralises(_ text: String, _ expected: String) {
        #expect(TerminalText.neutralised(text) == expected)
    }

    @Test(arguments: [
        ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m"),
        ("\u{1b}[2K\u{1b}[32mok", "\u{1b}[32mok"),
        ("\u{1b}[?25lm", "m"),
        ("\u{1b}[>4mx", "x"),
        ("\u{1b}]0;t\u{7}m", "m"),
    ])
    func keepsOnlyColours(_ text: String, _ expected: String) {
        let bytes = TerminalText.strippingEscapes(Array(text.utf8), keeping: .colours)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test func keepsBytesThatAreNotText() {
        #expect(TerminalText.strippingEscapes([0xff, 0x1b, 0x63, 0xfe, 0xc2], keeping: .none) == [0xff, 0xfe, 0xc2])
    }

    @Test func randomBytesLeaveNothingThatControls() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<40).map { _ in
                // Half of them from what sequences are made of.
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator)
                    : Array("\u{1b}[]P;m\\0\u{7}".utf8).randomElement() ?? 0
            }
            let text = TerminalText.neutralised(String(decoding: bytes, as: UTF8.self))
            let harmful = text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
            #expect(!harmful, "\(bytes)")
        }
    }

    @Test(
        "The width of a text counts columns",
        arguments: [("abc", 3), ("日本", 4), ("e\u{301}", 1), ("🚀", 2), ("…", 1), ("\u{200b}", 0), ("한글", 4)])
    func width(_ text: String, _ columns: Int) {
        #expect(TerminalText.width(of: text) == columns)
    }

    @Test func splitsLines() {
        #expect(TerminalText.lines("a\r\nb\n\nc\u{1b}[2J") == ["a", "b", "", "c"])
        #expect(TerminalText.line("a\nb") == "a b")
    }

    @Test(
        "A text that is too long ends with an ellipsis",
        arguments: [
            ("hello", 5, "hello"), ("hello!", 5, "hell…"), ("日本語", 6, "日本語"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
            ("x", 0, "…"), ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"),
        ])
    func ellipsis(_ text: String, _ columns: Int, _ expected: String) {
        #expect(text.ellipsized(to: columns) == expected)
    }
}
