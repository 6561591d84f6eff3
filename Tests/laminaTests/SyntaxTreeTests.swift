import Contexts
import DockerfileSyntax
import Linux
import OCI
import SystemPackage
import Testing

@testable import Engine
@testable import lamina

@Suite struct SyntaxTreeTests {
    private static func tree(_ text: String) throws -> JSON {
        JSON.syntaxTree(try Dockerfile(parsing: Array(text.utf8)))
    }

    /// The keys are an interface: this test changes only when one is added.
    @Test func wholeDocument() throws {
        let tree = try Self.tree("# syntax=x\nARG V\nFROM --platform=p b:$V AS N\n# c\nrun <<-E \\\n\n  cat\n\tx\nE\n")
        let expected = """
            {"directives":[{"name":"syntax","value":"x","line":1}],"escape":"\\\\","globalArguments":[{"keyword":"ARG",\
            "written":"ARG","flags":[],"arguments":["V"],"json":false,"pairs":[{"key":"V","value":null}],"heredocs":[],\
            "comments":[],"text":"ARG V","startLine":2,"startColumn":1,"endLine":2,"endColumn":6}],"stages":[{"index":0,\
            "name":"n","base":"b:$V","platform":"p","startLine":3,"endLine":9,"instructions":[{"keyword":"FROM",\
            "written":"FROM","flags":["--platform=p"],"arguments":["b:$V","AS","N"],"json":false,"heredocs":[],\
            "comments":[],"text":"FROM --platform=p b:$V AS N","startLine":3,"startColumn":1,"endLine":3,"endColumn":28},\
            {"keyword":"RUN","written":"run","flags":[],"arguments":["\\u003c\\u003c-E   cat"],"json":false,\
            "heredocs":[{"name":"E","content":"x\\n","expand":true,"chomp":true,"fileDescriptor":0}],"comments":["c"],\
            "text":"run \\u003c\\u003c-E   cat","startLine":5,"startColumn":1,"endLine":9,"endColumn":2}]}],\
            "warnings":[{"message":"Empty continuation line found in: run \\u003c\\u003c-E   cat","line":7}]}
            """
        #expect(tree.text() == expected)
    }

    @Test("The tree of an ONBUILD has the instruction inside")
    func triggers() throws {
        let tree = try Self.tree("FROM a\nONBUILD copy [\"a\", \"b\"]\nONBUILD nonsense\n")
        let instructions = try #require(tree["stages"]?.array?.first?["instructions"]?.array)
        #expect(instructions[1]["trigger"]?["keyword"] == .string("COPY"))
        #expect(instructions[1]["trigger"]?["json"] == .bool(true))
        #expect(instructions[2]["trigger"] == .null)
        #expect(instructions[0]["trigger"] == nil)
    }

    @Test("The listing says why a file is in the context or not")
    func reasons() throws {
        func reason(ignored: Bool, exists: Bool = true, visible: Bool, line: Int? = nil) throws -> String {
            let rules = try IgnoreRules(parsing: Array("#\n*.log\n!a.log\n".utf8))
            let decision = ContextListing.Decision(
                path: "a.log", pattern: rules.patterns.first { $0.line == line }, isIgnored: ignored, exists: exists,
                isVisible: visible)
            return ContextReason(decision, ignoreFile: "x/.dockerignore").text
        }
        #expect(
            try reason(ignored: true, exists: false, visible: false, line: 2)
                == "a.log: ignored, by line 2 of x/.dockerignore: *.log (there is no such file)")
        #expect(
            try reason(ignored: false, visible: true, line: 3)
                == "a.log: not ignored, by line 3 of x/.dockerignore: !a.log")
        #expect(
            try reason(ignored: false, visible: true) == "a.log: not ignored, as nothing in x/.dockerignore matches it")
    }
}
