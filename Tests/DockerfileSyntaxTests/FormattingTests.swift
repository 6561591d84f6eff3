import DockerfileSyntax
import Testing

/// The meaning of a file: the tree without places, letters of keywords and blanks between words.
struct Meaning: Equatable, CustomStringConvertible {
    let directives: [String]
    let globals: [String]
    let stages: [[String]]

    init(_ file: Dockerfile) {
        directives = file.directives.map { "\($0.name)=\($0.value)" }
        globals = file.globalArguments.map(Self.text)
        stages = file.stages.map { stage in [Self.text(stage.from)] + stage.instructions.map(Self.text) }
    }

    private static func text(_ instruction: Instruction) -> String {
        let heredocs = instruction.heredocs.map { "\($0)" }
        let rest = "\(instruction.flags) \(instruction.isJSON) \(heredocs) \(instruction.comments)"
        guard case .from(let from) = instruction.kind else { return "\(instruction.kind) \(instruction.words) \(rest)" }
        return "FROM \(from.base) \(from.platform ?? "-") \(from.originalName ?? "-") \(rest)"
    }

    var description: String { "\(directives) \(globals) \(stages)" }
}

@Suite struct FormattingTests {
    static func format(_ text: String) throws -> String {
        String(decoding: try Dockerfile.formatted(text.bytes), as: UTF8.self)
    }

    /// Every file of the tables that is right, with a stage in front where it only shows a part.
    static func corpus() throws -> [String] {
        let whole = try Table("files").rows.map { $0.sides.input[1] }
        let parts = try Table("parser").blocks.map { Row($0[0]).fields[1] }
        let old = try Table("format").rows.map { $0.sides.input[0] }
        return (whole + parts + old).filter { (try? Dockerfile(parsing: $0.bytes)) != nil }
    }

    @Test("Each file is printed in the usual form", arguments: try Table("format").rows)
    func table(_ row: Row) throws {
        let (input, output) = row.sides
        #expect(try Self.format(input[0]) == output[0])
    }

    @Test(arguments: try corpus())
    func keepsMeaningAndIsStable(_ text: String) throws {
        let formatted = try Self.format(text)
        #expect(try Meaning(Dockerfile(parsing: formatted.bytes)) == Meaning(Dockerfile(parsing: text.bytes)))
        #expect(try Self.format(formatted) == formatted)
    }

    @Test func corpusIsThere() throws { #expect(try Self.corpus().count > 150) }

    @Test func commandsStayAsTheyAre() throws {
        let command = "a  &&\\\n      b   'c  \\\n d' \\\n\tx"
        let before = try Dockerfile(parsing: "FROM a\nRUN \(command)\nCMD \(command)".bytes)
        let after = try Dockerfile(parsing: Dockerfile.formatted("FROM a\nrun   \(command)  \ncmd \(command)".bytes))
        #expect(before.stages[0].instructions.map(\.originalText) == after.stages[0].instructions.map(\.originalText))
    }

    @Test func bytesOfHeredocsStay() throws {
        let body = "\t x \r\n".bytes + [0xFF, 0x01, 0x20, 0x0A, 0x0A, 0x0A, 0x0A]
        let text = "FROM a\ncopy <<E /x\n".bytes + body + "E".bytes
        #expect(try Dockerfile.formatted(text) == "FROM a\nCOPY <<E /x\n".bytes + body + "E\n".bytes)
    }

    @Test("A file with an error is not formatted", arguments: ["", "FROM", "RUN x", "FROM a\nRUN <<E\nx"])
    func rejects(_ text: String) throws {
        let error = try #require(throws: DockerfileError.self) { try Dockerfile.formatted(text.bytes) }
        #expect(error == #expect(throws: DockerfileError.self) { try Dockerfile(parsing: text.bytes) })
    }
}
