import GoCompat
import Testing

@Suite struct GoFormatTests {
    @Test(
        "A duration is printed as Go prints it",
        arguments: [
            (0, "0s"), (1, "1ns"), (1_500, "1.5µs"), (2_000_000, "2ms"), (5_000_000_000, "5s"),
            (60_000_000_000, "1m0s"),
            (3_723_500_000_000, "1h2m3.5s"), (3_600_000_000_000, "1h0m0s"), (-1_500_000_000, "-1.5s"),
            (.max, "2562047h47m16.854775807s"), (.min, "-2562047h47m16.854775808s"),
        ] as [(Int64, String)])
    func duration(_ nanoseconds: Int64, _ text: String) {
        #expect(GoFormat.duration(nanoseconds) == text)
    }

    @Test(
        "A text is quoted as Go quotes it",
        arguments: [
            ("a b", #""a b""#), ("\"\\", #""\"\\""#), ("\n\t\u{1}", #""\n\t\x01""#), ("é世", #""é世""#),
            ("\u{A0}", #""\u00a0""#), ("\u{10FFFF}", #""\U0010ffff""#),
        ])
    func quoted(_ text: String, _ quoted: String) {
        #expect(GoFormat.quoted(text) == quoted)
    }

    @Test("Lists are printed as Go prints them")
    func lists() {
        #expect(GoFormat.list(["a", "b c"]) == "[a b c]")
        #expect(GoFormat.quotedList(["a", "\""]) == #"["a" "\""]"#)
        #expect(GoFormat.list([]) == "[]")
    }
}

@Suite struct ByteSizeTests {
    @Test(
        "A quoted text is read as Go reads it",
        arguments: [
            ("0", 0), ("4096", 4096), ("64m", 64 << 20), ("1.5GiB", 3 << 29), ("2 kb", 2048), ("1P", 1 << 50),
            ("", nil), ("m", nil), ("1x", nil), ("-1", nil), (".", nil), ("1e3", nil), ("99999999999999999999p", nil),
        ] as [(String, UInt64?)])
    func parses(_ text: String, _ bytes: UInt64?) { #expect(ByteSize.parse(text) == bytes) }

    @Test(
        "A value is printed as Go prints it",
        arguments: [
            (0, "0 bytes"), (1, "1 bytes"), (1024, "1 KiB"), (64 << 20, "64 MiB"), (1025, "1025 bytes"),
            (.max, "18446744073709551615 bytes"),
        ] as [(UInt64, String)])
    func text(_ bytes: UInt64, _ text: String) { #expect(ByteSize.text(bytes) == text) }
}
