import DockerfileSyntax
import Testing

@Suite struct WordExpanderTests {
    static let environment = [
        "A": "alpha", "P": "/usr/lib/foo.tar.gz", "E": "", "SP": "one two  three", "GLOB": "a*b?c", "1": "pos",
    ]

    private func expand(_ word: String, _ mode: WordExpander.Mode = .word) throws -> ExpandedWord {
        try WordExpander().expand(word, mode: mode) { Self.environment[$0] }
    }

    @Test("Each word expands as BuildKit expands it", arguments: try Table("words").rows)
    func table(_ row: Row) throws {
        let (input, output) = row.sides
        let unset = output.firstIndex(of: "unset").map { output[$0 + 1] }
        let results = Array(output.prefix { $0 != "unset" })
        func check(_ expand: () throws -> ([String], [String])) throws {
            if results.first == "error" {
                let error = try #require(throws: DockerfileError.self) { _ = try expand() }
                #expect(error.message == results[1])
            } else {
                let (words, unmatched) = try expand()
                #expect(words == results)
                #expect(unmatched == (unset.map { [$0] } ?? []))
            }
        }
        let modes: [String: WordExpander.Mode] = ["word": .word, "show": .display, "body": .heredocBody, "tick": .word]
        let expander = WordExpander(escape: input[0] == "tick" ? .backtick : .backslash)
        try check {
            guard let mode = modes[input[0]] else {
                let result = try expander.words(input[1]) { Self.environment[$0] }
                return (result.words, result.unmatched)
            }
            let result = try expander.expand(input[1], mode: mode) { Self.environment[$0] }
            return ([result.text], result.unmatched)
        }
    }

    @Test(
        "Patterns in modifiers remove and replace text",
        arguments: [
            ("${P//*/x}", "x"), ("${E//*/x}", "x"), ("${A//a?/-}", "-pha"),
            ("${A//a/<a>}", "<a>lph<a>"), ("${A///.}", ".a.l.p.h.a."), ("${P##*/}", "foo.tar.gz"), ("${A%a*}", "alph"),
            ("${A%%a*}", ""), ("${A#*a}", "lpha"), ("${A##*a}", ""), ("${A#\"al\"}", "pha"), ("${A/a*a/x}", "x"),
            ("${A/l?h/\\/}", "a\\/a"), ("${A/\\/x/y}", "alpha"), ("${A%?}", "alph"), ("${A//[/x}", "alpha"),
        ])
    func patterns(_ word: String, _ result: String) throws {
        #expect(try expand(word).text == result)
    }

    @Test(
        arguments: [
            ("${A:#a}", "unsupported modifier (:#) in substitution"),
            ("${A#\\a}", "invalid pattern (\\a) in substitution: invalid escape '\\a'"),
            ("${A:-x", "syntax error: missing '}'"), ("${", "syntax error: missing '}'"),
            ("${{A}}", "syntax error: bad substitution"), ("${A/x/y", "syntax error: missing '}'"),
            ("${A:", "syntax error: missing '}'"),
        ])
    func rejects(_ word: String, _ reason: String) throws {
        let error = try #require(throws: DockerfileError.self) { try expand(word) }
        #expect(error.message.hasSuffix(": \(reason)"))
    }

    @Test func listsEachUnsetVariableOnce() throws {
        #expect(try expand("$B${C:-$B}$A$C").unmatched == ["B", "C"])
    }

    @Test func refusesHostileNesting() throws {
        let deep = String(repeating: "${A:-", count: 100_000) + String(repeating: "}", count: 100_000)
        #expect(throws: DockerfileError.self) { try expand(deep) }
        let deepest = String(repeating: "${X:-", count: 100) + "x" + String(repeating: "}", count: 100)
        #expect(try expand(deepest).text == "x")
    }

    @Test func largeInputsTakeLinearTime() throws {
        let text = String(repeating: "a${A}\\b 'c' \"$P\" ", count: 50_000)
        #expect(try expand(text).text.utf8.count == 50_000 * "aalphab c /usr/lib/foo.tar.gz ".utf8.count)
        let value = String(repeating: "ab", count: 50_000)
        let replaced = try WordExpander().expand("${V//a/xy}") { _ in value }
        #expect(replaced.text == String(repeating: "xyb", count: 50_000))
        #expect(try WordExpander().expand("${V//a*c/x}") { _ in value }.text == value)
    }
}
