import Console
import Testing

@Suite struct VisibleTextTests {
    @Test(
        arguments: [
            (Array("plain.txt".utf8), "plain.txt"), (Array("日本é".utf8), "日本é"),
            (Array("a\u{1b}[31mb".utf8), "a\\x1b[31mb"),
            (Array("a\nb\tc\rd".utf8), "a\\nb\\tc\\rd"), (Array("a\\b".utf8), "a\\\\b"), ([0xff, 0x61], "\\xffa"),
            (Array("e\u{301}".utf8), "e\u{301}"), (Array("\u{9b}31m".utf8), "\\u{9b}31m"),
            ([0xe6, 0x97], "\\xe6\\x97"),
            (Array("a\u{202e}b".utf8), "a\\u{202e}b"), ([0x7f, 0], "\\x7f\\x00"), ([0xc0, 0xaf], "\\xc0\\xaf"),
            (Array("😀".utf8), "😀"), ([], ""),
        ] as [([UInt8], String)])
    func everyByteCanBeSeen(_ bytes: [UInt8], _ text: String) {
        #expect(VisibleText.escaped(bytes) == text)
        #expect(!VisibleText.escaped(bytes).unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f })
    }

    @Test func linesOfFilesKeepBackslashesAndHaveNoTabs() {
        #expect(TerminalText.visibleLine(Array("a\\b\tc\u{1b}c".utf8)) == "a\\b     c\\x1bc")
        #expect(TerminalText.visibleLine(Array("日\tx".utf8)) == "日      x")
    }
}
