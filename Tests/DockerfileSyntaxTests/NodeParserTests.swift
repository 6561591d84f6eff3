import Testing

@testable import DockerfileSyntax

/// One block of the table: a file and what it is split into.
struct ParserCase: Sendable, CustomTestStringConvertible {
    let file: String
    let expected: [String]

    init(_ block: [String]) {
        file = Row(block[0]).fields[1]
        expected = Array(block.dropFirst())
    }

    var testDescription: String { file.quoted }
}

@Suite struct NodeParserTests {
    @Test("Each file has its nodes", arguments: try Table("parser").blocks.map(ParserCase.init))
    func table(_ item: ParserCase) throws {
        #expect(Self.dump(item.file) == item.expected)
    }

    private static func dump(_ file: String) -> [String] {
        do {
            let parser = try NodeParser(parsing: file.bytes)
            let warnings = parser.warnings.map { "warning \($0.line) \($0.message.quoted)" }
            return parser.nodes.map { "\($0.range.start.line)-\($0.range.end.line) " + dump($0) } + warnings
        } catch {
            return ["error \(error.message.quoted)"]
        }
    }

    private static func dump(_ node: Node) -> String {
        // The table shows unprintable characters of a keyword as escapes, but leaves its quotes alone.
        let name = String(node.name.quoted.dropFirst().dropLast())
        var parts = [name.replacing("\\\"", with: "\"")]
        if !node.flags.isEmpty { parts.append("[\(list(node.flags))]") }
        switch node.arguments {
        case .words(let words, let isJSON):
            if !words.isEmpty { parts.append(list(words)) }
            if isJSON { parts.append("json") }
        case .pairs(let assignments):
            let mark = assignments.isLegacy ? "" : "="
            parts.append(list(assignments.pairs.flatMap { [$0.key, $0.value, mark] }))
        case .instruction(let inner):
            parts.append("(\(dump(inner).replacing(" json", with: "")))")
        }
        for heredoc in node.heredocs {
            var words = [heredoc.name.quoted]
            if heredoc.fileDescriptor != 0 { words.append(String(heredoc.fileDescriptor)) }
            if heredoc.expand { words.append("expand") }
            if heredoc.chomp { words.append("chomp") }
            parts.append("{\((words + [heredoc.body.quoted]).joined(separator: " "))}")
        }
        if !node.comments.isEmpty { parts.append("comments [\(list(node.comments))]") }
        return parts.joined(separator: " ")
    }

    private static func list(_ words: [String]) -> String {
        words.map(\.quoted).joined(separator: " ")
    }

    @Test func rejectsLinesThatAreTooLong() throws {
        let longest = "RUN " + String(repeating: "x", count: LineReader.longestLine - 4)
        #expect(try NodeParser(parsing: "FROM a\n\(longest)\nCMD y".bytes).nodes.count == 3)
        for tail in ["", "\n", "\nCMD y\n"] {
            let error = try #require(throws: DockerfileError.self) {
                try NodeParser(parsing: "FROM a\n\(longest)x\(tail)".bytes)
            }
            #expect(error.message == "dockerfile line greater than max allowed size of 65535")
            #expect(error.range?.start.line == 2)
        }
    }

    @Test func locatesErrors() throws {
        let error = try #require(throws: DockerfileError.self) {
            try NodeParser(parsing: "FROM a\n  RUN <<E\nx\ny".bytes)
        }
        #expect(error.message == "unterminated heredoc")
        #expect(error.range?.lines == 2...4)
        #expect(error.range?.start.column == 3)
    }

    @Test func rangesAreInBytes() throws {
        let nodes = try NodeParser(parsing: "FROM a\n\t RUN é \\\n  ü\r\n".bytes).nodes
        #expect(nodes[1].range.start == SourcePosition(line: 2, column: 3))
        #expect(nodes[1].range.end == SourcePosition(line: 3, column: 5))
    }

    @Test func keepsBytesOfHeredocs() throws {
        let bytes = "FROM a\nCOPY <<'E' /x\n".bytes + [0xFF, 0x00, 0xC3, 0x0A] + "E\n".bytes
        #expect(try NodeParser(parsing: bytes).nodes[1].heredocs[0].bytes == [0xFF, 0x00, 0xC3, 0x0A])
    }

    @Test(
        "The markers of here-documents are found",
        arguments: [
            ("<<EOF", "EOF 0 expand"), ("<<- E", "E 0 expand chomp"), ("7<<'E'", "E 7"), ("<<\"a b\"", "a b 0"),
            ("<<a b", nil), ("x<<E", nil), ("<EOF", nil), ("<<E<F", nil), ("<<${X}", "${X} 0 expand"), ("<<'E", nil),
            ("<<\\\"E", "\"E 0 expand"),
        ] as [(String, String?)])
    func markers(_ word: String, _ expected: String?) {
        let shown = HeredocMarker(word).map {
            "\($0.name) \($0.fileDescriptor)" + ($0.expand ? " expand" : "") + ($0.chomp ? " chomp" : "")
        }
        #expect(shown == expected)
    }

    @Test func findsEveryMarker() {
        let names = HeredocMarker.markers(in: "RUN <<A cat > f && << B x '<<C' \"<<D\" 3<<-'E' y<<F <<'G' <<-H").map(
            \.name)
        #expect(names == ["A", "B", "E", "G", "H"])
    }
}
