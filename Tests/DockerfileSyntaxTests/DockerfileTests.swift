import DockerfileSyntax
import Testing

@Suite struct DockerfileTests {
    static func parse(_ text: String) throws -> Dockerfile { try Dockerfile(parsing: text.bytes) }

    /// The instructions behind a `FROM scratch`.
    static func instructions(_ text: String) throws -> [Instruction] {
        try parse("FROM scratch\n" + text).stages[0].instructions
    }

    /// Comments and the files of COPY may be in any encoding; what becomes text may not.
    @Test(arguments: [
        ("FROM a\nRUN echo \u{1}", false), ("FROM a\nENV A=\u{1}", false), ("FROM \u{1}", false),
        ("FROM a\nCOPY x\u{1} /", false), ("FROM a\nRUN x \\\n  \u{1}", false),
        ("FROM a\nONBUILD RUN <<E\n\u{1}\nE", false), ("# \u{1}\nFROM a", true), ("FROM a\nCOPY <<E /\n\u{1}\nE", true),
        ("FROM a\nRUN x \\\n# \u{1}\n y", true),
    ])
    func bytesThatAreNotUTF8(_ text: String, _ isAccepted: Bool) throws {
        let bytes = text.utf8.map { $0 == 1 ? 0xE9 : $0 }
        do throws(DockerfileError) {
            _ = try Dockerfile(parsing: bytes)
            #expect(isAccepted)
        } catch {
            #expect(!isAccepted)
            let line = error.range?.start.line ?? 0
            #expect(
                error.message == "dockerfile parse error on line \(line): the instruction is not valid UTF-8; "
                    + "save the Dockerfile as UTF-8")
        }
    }

    static func message(_ text: String) throws -> String {
        try #require(throws: DockerfileError.self) { try parse(text) }.message
    }

    @Test("Each malformed file has BuildKit's message", arguments: try Table("files").rows)
    func table(_ row: Row) throws {
        let (input, output) = row.sides
        if output[0] == "ok" {
            #expect(throws: Never.self) { try Self.parse(input[1]) }
        } else {
            #expect(try Self.message(input[1]) == output[1])
        }
    }

    @Test(
        arguments: [
            ("", "the Dockerfile cannot be empty"), ("\n# x\n", "file with no instructions"),
            ("ARG a\n", "dockerfile contains no stages to build"),
            ("ARG\nRUN x\n", "dockerfile parse error on line 1: ARG requires at least one argument"),
            (
                "FROM a\nCOPY --chwon=1 a b",
                "dockerfile parse error on line 2: unknown flag: --chwon (did you mean chown?)"
            ),
            ("FROM a\n\nrunn", "dockerfile parse error on line 3: unknown instruction: runn (did you mean run?)"),
            ("FROM a\nXYZZY q", "dockerfile parse error on line 2: unknown instruction: XYZZY"),
            ("FROM a\nCMD --x", "dockerfile parse error on line 2: unknown flag: --x"),
            ("FROM a\nENV", "dockerfile parse error on line 2: ENV requires at least one argument"),
            ("FROM a\nLABEL =b", "dockerfile parse error on line 2: LABEL names can not be blank"),
            ("FROM a\nADD x <<E\nE", "dockerfile parse error on line 2: ADD cannot accept a heredoc as a destination"),
            ("FROM a\nMAINTAINER", "dockerfile parse error on line 2: MAINTAINER requires exactly one argument"),
            (
                "FROM a\nONBUILD MAINTAINER x",
                "dockerfile parse error on line 2: MAINTAINER isn't allowed as an ONBUILD trigger"
            ),
            ("FROM a\nRUN --network= x", "dockerfile parse error on line 2: invalid network mode \"\""),
            (
                "FROM a\nHEALTHCHECK --retries=x CMD y",
                "dockerfile parse error on line 2: strconv.ParseInt: parsing \"x\": invalid syntax"
            ),
            (
                "FROM a\nHEALTHCHECK --timeout=-1s CMD y",
                "dockerfile parse error on line 2: Interval \"timeout\" cannot be less than 1ms"
            ),
            (
                "FROM a\nHEALTHCHECK --timeout=5 CMD y",
                "dockerfile parse error on line 2: time: missing unit in duration \"5\""
            ),
            (
                "FROM a\nHEALTHCHECK --timeout=5d CMD y",
                "dockerfile parse error on line 2: time: unknown unit \"d\" in duration \"5d\""
            ),
            ("FROM a\nHEALTHCHECK CMD []", "dockerfile parse error on line 2: Missing command after HEALTHCHECK CMD"),
            ("FROM a\nONBUILD ENV a=1 b", "Syntax error - can't find = in \"b\". Must be of the form: name=value"),
        ])
    func rejects(_ text: String, _ message: String) throws {
        #expect(try Self.message(text) == message)
    }

    @Test("The stages have their bases, names, platforms and instructions")
    func stages() throws {
        let file = try Self.parse(
            "ARG V=1\n# base\nfrom --platform=$P \"$B\" AS Build-1\nRUN x\nFROM scratch\n\nFROM build-1\n  CMD y \\\n z\n"
        )
        #expect(file.globalArguments.count == 1)
        #expect(file.stages.map(\.index) == [0, 1, 2])
        #expect(file.stages.map(\.name) == ["build-1", nil, nil])
        let first = file.stages[0]
        #expect(first.originalName == "Build-1")
        #expect(first.base == "\"$B\"")
        #expect(first.platform == "$P")
        #expect(first.comments == ["base"])
        #expect(first.header.asKeyword == "AS")
        #expect(first.from.keyword == "from")
        #expect(file.stages.map(\.range.lines) == [3...4, 5...5, 7...9])
        #expect(file.stages[2].instructions[0].originalText == "CMD y  z")
        #expect(file.sourceLines[7] == "  CMD y \\")
    }

    @Test("Directives are read at the top of the file, each once")
    func directives() throws {
        let plain = try Self.parse("# syntax=docker/dockerfile:1\n# check=skip=all\n# escape=`\nFROM a\nENV x=`$y\n")
        #expect(plain.directives.map(\.name) == [.syntax, .check, .escape])
        #expect(plain.directives.map(\.value) == ["docker/dockerfile:1", "skip=all", "`"])
        #expect(plain.directives.map(\.line) == [1, 2, 3])
        #expect(plain.escape == .backtick)
        // Whoever looks for a frontend passes over an interpreter line, and does not accept indented lines.
        let script = try Self.parse("#!/usr/bin/env x\n# syntax=a\n# escape=`\nFROM a\n")
        #expect(script.directives.map(\.name) == [.syntax])
        #expect(script.directives.map(\.line) == [2])
        #expect(script.escape == .backslash)
        let indented = try Self.parse(" # syntax=a\n # escape=`\nFROM a\n")
        #expect(indented.directives.map(\.name) == [.escape])
        #expect(try Self.message("# check=a\n# check=b\nFROM a") == "only one check parser directive can be used")
    }

    @Test("An empty continuation line is a warning with its line")
    func warnings() throws {
        let file = try Self.parse("FROM a\nRUN b \\\n\n c\n")
        #expect(file.warnings.map(\.kind) == [.emptyContinuationLine])
        #expect(file.warnings.map(\.line) == [4])
    }

    @Test func isDeterministic() throws {
        for row in try Table("files").rows {
            let text = row.sides.input[1]
            let results = (0..<2).map { _ in Result { try Self.parse(text) } }.map { "\($0)" }
            #expect(results[0] == results[1])
        }
    }
}
