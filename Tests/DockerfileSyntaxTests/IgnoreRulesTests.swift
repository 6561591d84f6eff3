import DockerfileSyntax
import Testing

@Suite struct IgnoreRulesTests {
    static let paths = [
        "a", "a/b", "a/b/c", "b", "b/a", "foo.go", "x/foo.go", "x/y/foo.go", "node_modules", "x/node_modules/z",
        ".git", "Dockerfile", ".dockerignore", "README.md", "docs/README.md", "a*", "foo",
    ]

    @Test("Each path is ignored or not as the rules say", arguments: try Table("ignore").rows)
    func table(_ row: Row) throws {
        let (input, output) = row.sides
        if output[0] == "error" {
            let error = try #require(throws: DockerfileError.self) { try IgnoreRules(parsing: input[0].bytes) }
            #expect(error.message == output[1])
            #expect(error.range?.lines == 1...1)
            return
        }
        let rules = try IgnoreRules(parsing: input[0].bytes)
        #expect(rules.patterns.map { ($0.isException ? "!" : "") + $0.text } == Array(input[2...]))
        let expected = output[0] == "all" ? Self.paths : output[0] == "none" ? [] : output
        #expect(Self.paths.filter { rules.ignores($0) } == expected)
        #expect(Self.paths.filter { rules.ignores(Self.walk(rules, to: $0)) } == expected)
    }

    private static func walk(_ rules: IgnoreRules, to path: String) -> IgnoreRules.State {
        var state = rules.root
        let bytes = path.bytes
        for end in 1...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: "/") {
            state = rules.state(of: Array(bytes[..<end]), in: state)
        }
        return state
    }

    /// Each row: a pattern, paths it matches by itself, paths it does not.
    @Test(
        arguments: [
            ("**foo", ["foo", "xfoo", "a/xfoo"], ["foox"]), ("a**", ["a", "ab", "ab/c"], ["ba"]),
            ("a**b", ["ab", "ax/b", "a/x/b"], ["axb"]), ("*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.txt2"]),
            ("**/*.txt", ["a.txt", "a/b.txt"], ["a.tx"]), ("a/*/c", ["a/b/c"], ["a/b/d/c", "a/c"]),
            ("a/**/c", ["a/c", "a/b/c", "a/b/d/c"], ["a/bc", "ac"]), ("**/a/b", ["a/b", "x/a/b"], ["xa/b", "b"]),
            ("?é?", ["aéb", "éée"], ["aé", "a/b"]), ("[é-ü]", ["é", "ö"], ["e", "éé"]), ("[^a-c]x", ["dx"], ["ax"]),
            ("a.b", ["a.b"], ["axb"]),
            ("(a|b)+$", ["(a|b)+$"], ["a", "ab"]),
            ("\\*", ["*"], ["a"]),
            ("A", ["A"], ["a"]),
            ("*a*a*", ["aa", "xaxax"], ["a", "bab"]), ("**/\\*", ["*", "a/*"], ["a", "x*"]), ("*/b", ["a/b"], ["b"]),
            ("**/x/*", ["x/y", "a/x/y"], ["x", "y"]), ("[\\]]", ["]"], ["["]), ("***/x", ["a/x", "b/a/x"], ["x"]),
        ])
    func patterns(_ pattern: String, _ matching: [String], _ others: [String]) throws {
        let rules = try IgnoreRules(patterns: [pattern])
        #expect((matching + others).filter { rules.ignores($0) } == matching)
    }

    @Test("A malformed pattern is refused", arguments: ["[", "[]", "[a", "a\\", "[-]", "[a-]", "x[]y]"])
    func rejects(_ pattern: String) throws {
        let error = try #require(throws: DockerfileError.self) { try IgnoreRules(patterns: [pattern]) }
        #expect(error.message == "syntax error in pattern")
    }

    /// Patterns are bytes, so a file in Latin-1 names its files.
    @Test func patternsNeedNotBeUTF8() throws {
        let rules = try IgnoreRules(parsing: [0xE9, UInt8(ascii: "*")])
        #expect(rules.ignores([0xE9, UInt8(ascii: "a")]))
        #expect(!rules.ignores([0xE8, UInt8(ascii: "a")]))
        #expect(throws: DockerfileError.self) {
            try IgnoreRules(parsing: [UInt8(ascii: "["), 0xE9, UInt8(ascii: "]")])
        }
    }

    /// The index of many patterns must decide as trying them one by one does.
    @Test func manyPatternsDecideAsFewDo() throws {
        let few = ["*a*b", "!**/x?", "[a-c]*", "d/**/e*f", "*", "!a*", "**/*.txt", "ab/c", "!?b/*", "**/x", "ab*cd*ef"]
        let fill = (0..<100).map { "zz*\($0)*zz" }
        var random = SystemRandomNumberGenerator()
        for count in 1...few.count {
            let rules = try IgnoreRules(patterns: Array(few.prefix(count)))
            let many = try IgnoreRules(patterns: fill + few.prefix(count))
            for _ in 0..<300 {
                let letters = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    ["a", "b", "c", "d", "e", "f", "x", "/", ".txt"].randomElement(using: &random) ?? "a"
                }
                let path = letters.joined().split(separator: "/").joined(separator: "/")
                if path.isEmpty { continue }
                #expect(rules.ignores(path) == many.ignores(path), "\(path) with \(count)")
            }
        }
    }

    @Test func manyPatternsTakeLittleTime() throws {
        let rules = try IgnoreRules(patterns: (0..<10_000).map { "**/d*\($0)/f*_\($0 % 100).?" })
        let start = ContinuousClock.now
        var ignored = 0
        for number in 0..<2_000 where rules.ignores("a/dir\(number)/file_\(number % 100).c") { ignored += 1 }
        #expect(ignored == 2_000)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func knowsWhoDecided() throws {
        let rules = try IgnoreRules(parsing: "# all\n*\r\n\n! keep/this \nkeep/this/not\n".bytes)
        #expect(rules.decidingPattern(for: "x/y")?.line == 2)
        #expect(rules.decidingPattern(for: "keep/this/file")?.line == 4)
        #expect(rules.decidingPattern(for: "keep/this/file")?.text == "keep/this")
        #expect(rules.decidingPattern(for: "keep/this/not/x")?.line == 5)
        #expect(try IgnoreRules(patterns: ["a"]).decidingPattern(for: "b") == nil)
        #expect(rules.hasExceptions && !rules.isEmpty)
    }

    @Test(
        arguments: [
            ("a", "a", true),
            ("a", "b", false),
            ("a\n!a/b", "a", false),
            ("a\n!ab/c", "a", true),
            ("!a/b\na", "a", true),
            ("a\n!**/x", "a", false),
            ("a\n!a/*/x", "a/b", false),
            ("a\n!c/*/x", "a", true),
            ("a\n!a/b/c", "a/b", false),
            ("a\n!a", "a", false), ("*\n!a/b", "c", true), ("*\n!a/b", "a", false), ("a\n!ab*", "a", true),
            ("a\n!a*", "a", false),
        ])
    func skipsDirectories(_ file: String, _ directory: String, _ canSkip: Bool) throws {
        let rules = try IgnoreRules(parsing: file.bytes)
        #expect(rules.canSkipDirectory(directory.bytes, Self.walk(rules, to: directory)) == canSkip)
    }

    @Test func pathsAreBytes() throws {
        let rules = try IgnoreRules(parsing: "*.log\n".bytes)
        #expect(rules.ignores([0xFF, 0xFE] + ".log".bytes))
        #expect(!rules.ignores([0xFF, 0x2F] + "a.log".bytes))
        #expect(try IgnoreRules(patterns: ["?"]).ignores([0xFF]))
        // Two spellings of one letter are two names.
        #expect(!(try IgnoreRules(patterns: ["e\u{301}"]).ignores("\u{E9}")))
    }
}

@Suite struct GlobTests {
    @Test(
        "A pattern matches whole names",
        arguments: [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("ab[c]", "abc", true), ("ab[b-d]", "abc", true), ("ab[^c]", "abc", false), ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true), ("a\\*b", "ab", false), ("a?b", "a☺b", true), ("a[^a][^a]b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("*x", "xxx", true), ("", "", true), ("", "x", false), ("**", "a/b", false), ("[!a]", "!", true),
        ])
    func matches(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try Glob(pattern).matches(name.bytes) == expected)
    }

    @Test(
        "A malformed pattern is refused",
        arguments: ["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a["])
    func rejects(_ pattern: String) throws {
        #expect(throws: DockerfileError.self) { try Glob(pattern) }
    }

    @Test func onlyAWildcardThatIsNotEscapedMakesAPattern() {
        #expect(["*", "a?", "[a]", "\\a*", "\\\\*", "\\*?"].allSatisfy(Glob.isPattern))
        #expect(!["", "a/b", "a]", "{a}", "\\a", "a\\", "\\*", "\\?\\[", "\\\\"].contains(where: Glob.isPattern))
    }
}
