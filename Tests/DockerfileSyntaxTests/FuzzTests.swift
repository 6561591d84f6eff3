import DockerfileSyntax
import Glibc
import Testing

/// Random input made of what matters to each grammar, and damaged examples of it. What is checked holds for any input:
/// that there is an answer, the same each time, and that two ways to the same answer agree.
@Suite struct FuzzTests {
    /// Twenty, or as many as LAMINA_FUZZ_SEEDS says, from LAMINA_FUZZ_FIRST on: `scripts/attack` runs these tests for hours.
    /// They come in twenty parts, as a test case for each seed would take more time and memory than what it tests.
    static let parts: [StrideTo<UInt64>] = {
        let (first, count) = (number("LAMINA_FUZZ_FIRST") ?? 0, number("LAMINA_FUZZ_SEEDS") ?? 20)
        return (0..<min(20, count)).map { stride(from: first + $0, to: first + count, by: 20) }
    }()

    private static func number(_ variable: String) -> UInt64? {
        unsafe getenv(variable).flatMap { unsafe UInt64(String(cString: $0)) }
    }

    /// Made once: to read a table takes longer than the inputs of a seed.
    private static let dockerfileMutator = Result {
        let pieces = [
            "\n", "\n\n", "\\\n", " \\\n  ", "\\", "`", " ", "  ", "\t", "\r\n", "\r", "#", "\n# x\n", "# escape=`\n",
            "'", "\"",
            "<<E ", "\nE\n", "FROM b as c\n", "ENV a=1  b=2 ", "COPY a  b /c", "--link ", "\u{A0}", "\u{B}", "=", "$A",
        ]
        return Mutator(corpus: try FormattingTests.corpus().map(\.bytes), pieces: pieces.map(\.bytes))
    }
    private static let wordMutator = Result {
        Mutator(
            corpus: try Table("words").rows.map { $0.sides.input[1].bytes },
            pieces: ["$", "${", "}", ":-", "#", "%", "/", "\\", "'", "\"", " ", "A"].map(\.bytes))
    }
    private static let ignoreMutator = Result {
        Mutator(
            corpus: try Table("ignore").rows.map { $0.sides.input[0].bytes },
            pieces: ["*", "**/", "?", "/", "[", "]", "!", "\n", "\n!", "a"].map(\.bytes))
    }

    private static let raw: [[UInt8]] = [
        [0xFF], [0xC3], [0xE2, 0x80], [0], [0xC2, 0xA0], "é".bytes, "\u{2028}".bytes,
    ]

    @Test("Random bytes and damaged Dockerfiles do not crash the parser", arguments: Self.parts)
    func dockerfiles(_ seeds: StrideTo<UInt64>) {
        for seed in seeds { dockerfiles(seed: seed) }
    }

    private func dockerfiles(seed: UInt64) {
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
        for number in 0..<100 {
            let bytes = random.text(of: pieces, upTo: 40)
            let result = Result { try Dockerfile(parsing: bytes) }
            // To describe a file takes many times as long as to parse it.
            guard number % 10 == 0 else { continue }
            #expect("\(result)" == "\(Result { try Dockerfile(parsing: bytes) })")
        }
    }

    /// Parsing, printing in the usual form and parsing again says the same, and printing again changes nothing.
    @Test(arguments: Self.parts)
    func mutatedDockerfiles(_ seeds: StrideTo<UInt64>) throws {
        // One that is not parsed says nothing.
        let accepted = try seeds.reduce(0) { try $0 + mutatedDockerfiles(seed: $1) }
        #expect(accepted > 5 * seeds.underestimatedCount)
    }

    /// Returns how many of the files were parsed.
    private func mutatedDockerfiles(seed: UInt64) throws -> Int {
        var random = Random(state: seed)
        let mutator = try Self.dockerfileMutator.get()
        var accepted = 0
        for _ in 0..<60 {
            let bytes = mutator.mutant(using: &random)
            guard let file = try? Dockerfile(parsing: bytes) else { continue }
            accepted += 1
            let printed = try Dockerfile.formatted(bytes)
            let shown = Comment(rawValue: String(decoding: bytes, as: UTF8.self).debugDescription)
            #expect(try Meaning(Dockerfile(parsing: printed)) == Meaning(file), shown)
            #expect(try Dockerfile.formatted(printed) == printed, shown)
        }
        return accepted
    }

    @Test("Random words do not crash the expander", arguments: Self.parts)
    func words(_ seeds: StrideTo<UInt64>) {
        for seed in seeds { words(seed: seed) }
    }

    private func words(seed: UInt64) {
        var random = Random(state: seed)
        let words = [
            "$", "${", "}", "A", "B", ":-", ":+", "?", "#", "##", "%", "/", "//", "*", "\\", "`", "'", "\"", " ", "<<",
            "é", "1", "x",
        ]
        let pieces = words.map(\.bytes)
        for _ in 0..<200 {
            let word = String(decoding: random.text(of: pieces, upTo: 30), as: UTF8.self)
            Self.check(word: word, escape: Bool.random(using: &random) ? .backtick : .backslash)
        }
    }

    @Test(arguments: Self.parts)
    func mutatedWords(_ seeds: StrideTo<UInt64>) throws {
        for seed in seeds { try mutatedWords(seed: seed) }
    }

    private func mutatedWords(seed: UInt64) throws {
        var random = Random(state: seed)
        let mutator = try Self.wordMutator.get()
        for _ in 0..<100 {
            let word = String(decoding: mutator.mutant(using: &random), as: UTF8.self)
            Self.check(word: word, escape: Bool.random(using: &random) ? .backtick : .backslash)
        }
    }

    /// Each mode gives one answer, and splitting fails when and only when expanding does.
    private static func check(word: String, escape: EscapeCharacter) {
        let environment = ["A": "a*b/c é", "B": "", "1": "aaa"]
        let expander = WordExpander(escape: escape)
        for mode in [WordExpander.Mode.word, .display, .heredocBody] {
            let results = (0..<2).map { _ in
                Result { () throws(DockerfileError) in
                    try expander.expand(word, mode: mode) { environment[$0] }
                }
            }
            if results[0] != results[1] { Issue.record("\(word.debugDescription) has two results") }
        }
        let text = Result { try expander.expand(word) { environment[$0] } }
        let split = Result { try expander.words(word) { environment[$0] } }
        #expect(((try? text.get()) == nil) == ((try? split.get()) == nil))
    }

    @Test(arguments: Self.parts)
    func ignoreRules(_ seeds: StrideTo<UInt64>) throws {
        for seed in seeds { try ignoreRules(seed: seed) }
    }

    private func ignoreRules(seed: UInt64) throws {
        var random = Random(state: seed)
        let pieces =
            ["*", "**", "?", "/", "a", "b", ".", "..", "[", "]", "^", "-", "\\", "!", "\n", "\n", "#", " "].map(\.bytes)
            + Self.raw
        let names = ["a", "b", "ab", ".", "*", "é", "]"].map(\.bytes) + [[0xFF], [0xE2, 0x80]]
        for _ in 0..<100 {
            Self.check(ignoreFile: random.text(of: pieces, upTo: 20), names: names, using: &random)
        }
    }

    @Test(arguments: Self.parts)
    func mutatedIgnoreRules(_ seeds: StrideTo<UInt64>) throws {
        for seed in seeds { try mutatedIgnoreRules(seed: seed) }
    }

    private func mutatedIgnoreRules(seed: UInt64) throws {
        var random = Random(state: seed)
        let mutator = try Self.ignoreMutator.get()
        let names = ["a", "b", "foo.go", "x", "node_modules", ".git", "README.md", "docs"].map(\.bytes)
        for _ in 0..<50 { Self.check(ignoreFile: mutator.mutant(using: &random), names: names, using: &random) }
    }

    /// A walk and a question about the whole path agree, and nothing is visible below what a walk may skip.
    private static func check(ignoreFile: [UInt8], names: [[UInt8]], using random: inout Random) {
        guard let rules = try? IgnoreRules(parsing: ignoreFile) else { return }
        for _ in 0..<10 {
            var state = rules.root
            var path: [UInt8] = []
            var skipped = false
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                path += names.randomElement(using: &random) ?? []
                state = rules.state(of: path, in: state)
                let isIgnored = rules.ignores(state)
                // An expectation for each of them would take most of the time.
                guard isIgnored == rules.ignores(path), isIgnored || !skipped else {
                    Issue.record("\(ignoreFile) and \(path) have two results")
                    return
                }
                skipped = skipped || rules.canSkipDirectory(path, state)
            }
        }
    }
}
