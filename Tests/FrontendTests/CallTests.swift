import Diagnostics
import DockerfileSyntax
import FoundationEssentials
import OCI
import Testing

@testable import Frontend

/// The answers to questions about a Dockerfile, as text and as JSON.
@Suite struct CallTests {
    private func file() throws -> (Dockerfile, DockerfileSource) {
        let text = try testData("call.Dockerfile")
        return (try parse(text), DockerfileSource(name: "Dockerfile", bytes: Array(text.utf8)))
    }

    private func outline(_ target: String? = nil, arguments: [(String, String)] = []) async throws -> Outline {
        let (dockerfile, source) = try file()
        let options = BuildOptions(
            target: target, buildArguments: arguments.map { (name: $0.0, value: Optional($0.1)) })
        return try await Outline(dockerfile, options, source: source, resolver: FakeResolver())
    }

    /// Without the text of the Dockerfile, which is the same everywhere.
    private func short(_ json: JSON) -> String {
        guard var object = json.object else { return json.text() }
        object["sources"] = nil
        return JSON.object(object).text()
    }

    @Test func outlineAsText() async throws {
        #expect(
            try await outline().lines == [
                "TARGET:      app", "DESCRIPTION: The whole application", "",
                "BUILD ARG   VALUE     DESCRIPTION",
                "VERSION     1.2       The version to package",
                "JOBS        4         ",
                "TLS                   Set to 1 for encryption",
                "NAME        app-1.2   ", "",
                "SECRET   REQUIRED", "token    true", "",
                "SSH       REQUIRED", "default   ", "git       true", "",
            ])
    }

    @Test func outlineAsJSON() async throws {
        let expected = """
            {"name":"tools","description":"What the build needs",\
            "args":[{"name":"JOBS","value":"8","location":{"ranges":[{"start":{"line":9},"end":{"line":9}}]}}],\
            "secrets":[{"name":"token","location":{"ranges":[{"start":{"line":10},"end":{"line":10}}]}}],\
            "ssh":[{"name":"default","location":{"ranges":[{"start":{"line":10},"end":{"line":10}}]}}]}
            """
        #expect(try await short(outline("tools", arguments: [("JOBS", "8")]).json) == expected)
    }

    @Test(arguments: [
        ("pkg", [("VERSION", "9")], ["VERSION=9", "FULL=9-r0"]), ("pkg", [("FULL", "3")], ["FULL=3"]),
        ("lib", [], []), ("app", [("TLS", "1")], ["VERSION=1.2", "JOBS=4", "TLS=1", "NAME=app-1.2"]),
    ])
    func arguments(_ target: String, _ given: [(String, String)], _ expected: [String]) async throws {
        #expect(try await outline(target, arguments: given).arguments.map { "\($0.name)=\($0.value)" } == expected)
    }

    @Test func outlineOfAFileWithoutAnything() async throws {
        let source = DockerfileSource(name: "Dockerfile", bytes: Array("FROM scratch\n".utf8))
        let outline = try await Outline(
            parse("FROM scratch\n"), BuildOptions(), source: source, resolver: FakeResolver())
        #expect(outline.lines.isEmpty)
        #expect(outline.json.text() == "{\"sources\":[\"RlJPTSBzY3JhdGNoCg==\"]}")
    }

    /// The environment of the base counts, and so do its triggers; without the base the rest is still there.
    @Test(arguments: [true, false])
    func outlineOnABase(_ isKnown: Bool) async throws {
        let text = "FROM base\nARG WHERE=$HOME/x\nENV A=1\nARG B=$A\n"
        let base = try image {
            $0.config.environment = ["HOME=/h"]
            $0.config.onBuild = ["ARG DEPTH=3", "RUN --mount=type=secret,id=key x"]
        }
        let source = DockerfileSource(name: "Dockerfile", bytes: Array(text.utf8))
        let outline = try await Outline(
            parse(text), BuildOptions(), source: source,
            resolver: FakeResolver(isKnown ? ["docker.io/library/base:latest": base] : [:]))
        #expect(
            Set(outline.arguments.map { "\($0.name)=\($0.value)" })
                == (isKnown ? ["DEPTH=3", "WHERE=/h/x", "B=1"] : ["WHERE=/x", "B=1"]))
        #expect(outline.secrets.map(\.id) == (isKnown ? ["key"] : []))
    }

    @Test func outlineWithTriggersOfAStage() async throws {
        let text = "FROM scratch AS a\nONBUILD ARG T=1\nFROM a AS b\nFROM b\n"
        let source = DockerfileSource(name: "Dockerfile", bytes: Array(text.utf8))
        let outline = try await Outline(parse(text), BuildOptions(), source: source, resolver: FakeResolver())
        #expect(outline.arguments.map(\.name) == ["T"])
    }

    @Test func callsThatCanBeMade() {
        let names = CallList().lines.dropFirst().map { String($0.prefix { $0 != " " }) }
        #expect(names == ["outline", "targets", "subrequests.describe"])
        #expect(CallList().json.array?.count == 3)
    }

    @Test func outlineOfAnUnknownTarget() async {
        await #expect(throws: FrontendError.self) { try await outline("nope") }
    }

    @Test func targetsAsText() throws {
        let (dockerfile, source) = try file()
        #expect(
            TargetList(dockerfile, source: source).lines == [
                "TARGET          DESCRIPTION", "tools           What the build needs",
                "lib             The library, without programs", "pkg             ",
                "app (default)   The whole application",
            ])
        let unnamed = TargetList(try parse("FROM scratch\nFROM scratch\n"), source: source)
        #expect(unnamed.lines == ["TARGET      DESCRIPTION", "            ", "(default)   "])
    }

    @Test func targetsAsJSON() throws {
        let text = "# a First\nFROM --platform=linux/$A scratch AS A\n\nFROM b\n"
        let list = TargetList(
            try parse(text), source: DockerfileSource(name: "Dockerfile", bytes: Array(text.utf8)))
        let expected = """
            {"targets":[{"name":"a","description":"First","base":"scratch","platform":"linux/$A",\
            "location":{"ranges":[{"start":{"line":2},"end":{"line":2}}]}},\
            {"default":true,"base":"b","location":{"ranges":[{"start":{"line":4},"end":{"line":4}}]}}]}
            """
        #expect(short(list.json) == expected)
    }

    // MARK: Check

    private func check(_ text: String) async throws -> CheckReport {
        let log = WarningLog()
        var options = BuildOptions(checksAllStages: true)
        options.givesAdvice = true
        var failure: (any Error)?
        do { _ = try await lower(parse(text), options, resolver: FakeResolver(), log: log) } catch { failure = error }
        return CheckReport(
            warnings: log.warnings, source: DockerfileSource(name: "Dockerfile", bytes: Array(text.utf8)),
            error: failure)
    }

    @Test func cleanFile() async throws {
        let report = try await check("FROM scratch\n")
        #expect(report.lines == ["Check complete, no warnings found."])
        #expect(report.errorLines.isEmpty)
        #expect(report.status == 0)
        let expected = """
            {"warnings":[],"sources":[{"filename":"Dockerfile","data":"RlJPTSBzY3JhdGNoCg==","language":"Dockerfile"}]}
            """
        #expect(report.json.text() == expected)
    }

    @Test func warningsAsText() async throws {
        let report = try await check("FROM scratch\nCMD x\nFROM scratch AS Y\n")
        #expect(report.status == 1)
        #expect(
            report.lines == [
                "Check complete, 2 warnings have been found!", "",
                "WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/",
                "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
                "Dockerfile:2", "--------------------", "   1 |     FROM scratch", "   2 | >>> CMD x",
                "   3 |     FROM scratch AS Y", "   4 |     ", "--------------------", "",
                "WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/",
                "Stage name 'Y' should be lowercase",
                "Dockerfile:3", "--------------------", "   1 |     FROM scratch", "   2 |     CMD x",
                "   3 | >>> FROM scratch AS Y", "   4 |     ", "--------------------",
            ])
    }

    /// Advice is listed, but what passes with docker passes here.
    @Test func adviceAlone() async throws {
        let report = try await check("FROM scratch\nADD a /\n")
        #expect(report.status == 0)
        #expect(report.lines.prefix(1) == ["Check complete, 1 warning has been found!"])
        #expect(report.lines.contains("WARNING: AddInsteadOfCopy - lamina help AddInsteadOfCopy"))
        let warning = report.json["warnings"]?.array?.first
        #expect(warning?["url"] == nil)
        #expect(warning?["description"]?.string?.hasSuffix(" (see lamina help AddInsteadOfCopy)") == true)
    }

    @Test func warningAsJSON() async throws {
        let report = try await check("FROM scratch\nMAINTAINER \\\n x\n")
        let expected = """
            [{"ruleName":"MaintainerDeprecated",\
            "description":"The label org.opencontainers.image.authors has replaced MAINTAINER",\
            "url":"https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/",\
            "detail":"Maintainer instruction is deprecated in favor of using label",\
            "location":{"ranges":[{"start":{"line":2},"end":{"line":3}}]}}]
            """
        #expect(report.json["warnings"]?.text() == expected)
        #expect(report.json["buildError"] == nil)
    }

    @Test("Errors of a file are part of the result of a check")
    func errors() async throws {
        let report = try await check("FROM scratch\nCMD x\nSTOPSIGNAL nope\n")
        #expect(report.status == 1)
        #expect(report.warnings.map(\.rule) == ["JSONArgsRecommended"])
        #expect(
            report.errorLines == [
                "invalid signal: nope", "Dockerfile:3", "--------------------", "   1 |     FROM scratch",
                "   2 |     CMD x", "   3 | >>> STOPSIGNAL nope", "   4 |     ", "--------------------",
            ])
        let expected = """
            {"message":"invalid signal: nope","location":{"ranges":[{"start":{"line":3},"end":{"line":3}}]}}
            """
        #expect(report.json["buildError"]?.text() == expected)
        #expect(try await check("FROM scratch\nRUNN x\n").lines.isEmpty)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 255])
    func base64(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8($0 * 7 % 256) }
        let text = DockerfileSource(name: "x", bytes: bytes).base64
        #expect(text == Data(bytes).base64EncodedString())
    }
}
