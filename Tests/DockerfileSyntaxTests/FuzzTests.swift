import DockerfileSyntax
import Testing

/// Random input made of what matters to each grammar. Nothing is checked but that there is an answer, the same each
/// time, and that the two ways to ask about a path agree.
@Suite struct FuzzTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state ^ (state >> 29)) &* 0xBF58_476D_1CE4_E5B9
        }

        mutating func text(of pieces: [[UInt8]], upTo count: Int) -> [UInt8] {
            (0..<Int.random(in: 0...count, using: &self)).flatMap { _ in
                pieces.randomElement(using: &self) ?? []
            }
        }
    }

    private static let raw: [[UInt8]] = [
        [0xFF], [0xC3], [0xE2, 0x80], [0], [0xC2, 0xA0], "é".bytes, "\u{2028}".bytes,
    ]

    @Test(arguments: 0..<20 as Range<UInt64>)
    func dockerfiles(_ seed: UInt64) {
        var random = Random(state: seed)
        let words = [
            "FROM a\n", "FROM", "RUN ", "COPY ", "ADD ", "ENV ", "ARG ", "ONBUILD ", "HEALTHCHECK ", "CMD ", "SHELL ",
            "LABEL ",
            "\n", "\n", "\n", " ", "\t", "\\\n", "\\", "`", "# escape=`\n", "#", "<<EOF", "<<-", "EOF\n", "'", "\"",
            "[\"a\",",
            "]", "{\"a\":", "}", "--x=", "--from=", "--mount=", "=", "$", "${", "a", "b", "1", "-", "\r\n", "\\u00",
            "\u{FEFF}",
        ]
        let pieces = words.map(\.bytes) + Self.raw
        for _ in 0..<100 {
            let bytes = random.text(of: pieces, upTo: 40)
            let results = (0..<2).map { _ in "\(Result { try Dockerfile(parsing: bytes) })" }
            #expect(results[0] == results[1])
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func words(_ seed: UInt64) {
        var random = Random(state: seed)
        let words = [
            "$", "${", "}", "A", "B", ":-", ":+", "?", "#", "##", "%", "/", "//", "*", "\\", "`", "'", "\"", " ", "<<",
            "é", "1", "x",
        ]
        let pieces = words.map(\.bytes)
        let environment = ["A": "a*b/c é", "B": "", "1": "aaa"]
        for _ in 0..<200 {
            let word = String(decoding: random.text(of: pieces, upTo: 30), as: UTF8.self)
            for mode in [WordExpander.Mode.word, .display, .heredocBody] {
                let expander = WordExpander(escape: Bool.random(using: &random) ? .backtick : .backslash)
                let results = (0..<2).map { _ in
                    "\(Result { try expander.expand(word, mode: mode) { environment[$0] } })"
                }
                #expect(results[0] == results[1])
            }
            let text = Result { try WordExpander().expand(word) { environment[$0] } }
            let split = Result { try WordExpander().words(word) { environment[$0] } }
            #expect(((try? text.get()) == nil) == ((try? split.get()) == nil))
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func ignoreRules(_ seed: UInt64) throws {
        var random = Random(state: seed)
        let pieces =
            ["*", "**", "?", "/", "a", "b", ".", "..", "[", "]", "^", "-", "\\", "!", "\n", "\n", "#", " "].map(\.bytes)
            + Self.raw
        let names = ["a", "b", "ab", ".", "*", "é", "]"].map(\.bytes) + [[0xFF], [0xE2, 0x80]]
        for _ in 0..<100 {
            guard let rules = try? IgnoreRules(parsing: random.text(of: pieces, upTo: 20)) else { continue }
            for _ in 0..<10 {
                var state = rules.root
                var path: [UInt8] = []
                var skipped = false
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                    path += names.randomElement(using: &random) ?? []
                    state = rules.state(of: path, in: state)
                    #expect(rules.ignores(state) == rules.ignores(path))
                    if skipped { #expect(rules.ignores(state)) }
                    skipped = skipped || rules.canSkipDirectory(path, state)
                }
            }
        }
    }
}
