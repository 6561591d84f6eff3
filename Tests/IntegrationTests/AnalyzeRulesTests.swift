import SystemPackage
import Testing

/// The rules of `lamina analyze --ci`.
@Suite("Rules for images", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct AnalyzeRulesTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            "FROM lamina/base\nRUN head -c 100000 /dev/zero > /big\nRUN rm /big; echo key > /.netrc\n")
        try lamina.build(context, "-t", "ruled")
    }

    private func analyze(_ words: String..., environment: [String: String] = [:]) throws -> Finished {
        try lamina.with(lamina.environment.merging(environment) { $1 })
            .start(["analyze"] + words + ["ruled"], in: scratch.path).wait()
    }

    @Test func aBrokenRuleIsStatusOne() throws {
        let strict = try analyze("--ci")
        #expect(strict.status == 1)
        #expect(strict.outputText.contains("FAIL: highestUserWastedPercent: too many bytes wasted, relative to"))
        #expect(strict.outputLines.last == "FAIL [pass:1 fail:1 skip:1]")
        #expect(try analyze("--ci", "--highestUserWastedPercent", "off").status == 0)
        #expect(try analyze("--ci", "--highestUserWastedPercent=off", "--highestWastedBytes", "99999").status == 1)
        #expect(try analyze("--ci", "--highestUserWastedPercent=off", "--highestWastedBytes", "1MB").status == 0)
        #expect(
            try analyze("--ci", "--lowestEfficiency", "2").errorText.contains("takes a number from 0 to 1, not '2'"))
    }

    @Test func theDocumentOfDiveIsPrinted() throws {
        let document = try JSONValue(parsing: analyze("--dive-json", environment: ["CI": "true"]).outputText)
        #expect(document["layer"]?.array?.count == 3)
        #expect(document["image"]?["fileReference"]?.array?.first?["file"]?.string == "/big")
        #expect(try analyze("--dive-json", "--format", "json").status == 2)
    }

    @Test func theEnvironmentOfContinuousIntegrationSwitchesRulesOn() throws {
        for value in ["true", "1", "yes"] { #expect(try analyze(environment: ["CI": value]).status == 1) }
        for value in ["", "false", "0"] { #expect(try analyze(environment: ["CI": value]).status == 0) }
        let document = try analyze("--format", "json", environment: ["CI": "true"])
        #expect(document.status == 0 && !document.outputText.contains("evaluation"))
    }

    @Test func theFileInTheWorkingDirectoryHasTheRules() throws {
        try scratch.write("rules:\n  highestUserWastedPercent: off\n", to: ".dive-ci")
        #expect(try analyze("--ci").status == 0)
        try scratch.write("rules:\n  highestUserWastedPercent: off\n  secrets: forbidden\n", to: "other")
        let secrets = try analyze("--ci", "--ci-config", "other")
        #expect(
            secrets.status == 1
                && secrets.outputText.contains("    /.netrc (layer 3, the name says that it is a secret)"))
        try scratch.write("rules:\n  lowest: 1\n", to: ".dive-ci")
        let unknown = try analyze("--ci")
        #expect(unknown.status == 1 && unknown.errorText.contains("line 2 of the rules: there is no rule 'lowest'"))
        #expect(try analyze("--ci", "--ci-config", "missing").errorText.contains("missing"))
    }

    @Test func growthIsAgainstAnotherImage() throws {
        try scratch.write("rules:\n  highestUserWastedPercent: off\n  highest-growth: 100kB\n", to: ".dive-ci")
        #expect(try analyze("--ci").outputText.contains("SKIP: highest-growth: no --baseline to compare with"))
        let grown = try analyze("--ci", "--baseline", "lamina/base")
        #expect(grown.status == 1 && grown.outputText.contains("FAIL: highest-growth: the image grew by 100004 bytes"))
        #expect(try analyze("--ci", "--baseline", "ruled").status == 0)
    }

    @Test(.enabled(if: Machine.has("python3"), "needs python3")) func reportsAreWhatTheirReadersTake() throws {
        for (format, check) in [
            ("junit", "import sys, xml.dom.minidom as x; x.parse(sys.argv[1])"),
            ("sarif", "import sys, json; assert json.load(open(sys.argv[1]))['version'] == '2.1.0'"),
            ("json", "import sys, json; assert not json.load(open(sys.argv[1]))['evaluation']['passes']"),
            ("markdown", "import sys; assert '| rule |' in open(sys.argv[1]).read()"),
        ] {
            let report = try analyze("--ci", "--format", format)
            #expect(report.status == 1)
            let file = try scratch.write(report.outputText, to: "report.\(format)")
            #expect(try run("python3", "-c", check, file.string).status == 0, "\(format)")
        }
        #expect(try analyze("--format", "junit").status == 1)
    }
}
