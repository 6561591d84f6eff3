import DockerfileSyntax
import Testing

@testable import Frontend

/// The checks beyond what the table of Dockerfiles covers.
@Suite struct LintTests {
    @Test(
        "The page of a rule is BuildKit's",
        arguments: [
            (LintRule.jsonArgumentsRecommended, "json-args-recommended"), (.stageNameCasing, "stage-name-casing"),
            (.secretsUsed, "secrets-used-in-arg-or-env"), (.exposeProtocolCasing, "expose-proto-casing"),
            (.constantPlatform, "from-platform-flag-const-disallowed"), (.undefinedVariable, "undefined-var"),
        ])
    func url(_ rule: LintRule, _ page: String) {
        #expect(rule.url == "https://docs.docker.com/go/dockerfile/rule/\(page)/")
    }

    @Test func ruleWithoutPage() {
        #expect(LintRule.invalidBaseImagePlatform.url == nil)
    }

    @Test(
        "Each rule finds what breaks it",
        arguments: [
            ("FROM --platform=$TARGETPLATFORM scratch", ["RedundantTargetPlatform"]),
            ("FROM --platform=${TARGETPLATFORM:-linux} scratch", []),
            ("FROM --platform=linux/arm64 scratch AS x-arm64", []),
            ("FROM --platform=linux/arm64 scratch AS x", ["FromPlatformFlagConstDisallowed"]),
            ("FROM ${BASEE:-scratch}", ["UndefinedArgInFrom"]),
            ("FROM scratch As x", ["FromAsCasing"]),
            ("From scratch as x", ["ConsistentInstructionCasing"]),
            ("from scratch\nrun x\nRUN y\nRUN z", ["ConsistentInstructionCasing", "ConsistentInstructionCasing"]),
            ("# check=skip=all\nFROM scratch as X", []),
            ("# check=skip=FromAsCasing,StageNameCasing because it is old\nFROM scratch as X", []),
            ("# CHECK=skip=all\nFROM scratch as X", []),
            ("#!x\n# Check = skip=all why\nFROM scratch as X", []),
            ("# other\n# check=skip=FromAsCasing, StageNameCasing\nFROM scratch as X", ["StageNameCasing"]),
            ("# other\n# CHECK = skip=FromAsCasing,StageNameCasing for now\nFROM scratch as X", []),
            (
                "# check=experimental=InvalidDefinitionDescription\n\n# other\nARG A B\nFROM scratch",
                ["InvalidDefinitionDescription"]
            ),
            ("# other\nARG A B\nFROM scratch", []),
            ("FROM scratch\nCOPY <<E /x\n$NOPE\nE", ["UndefinedVar"]),
            ("FROM scratch\nARG NOPE\nCOPY $NOPE /x", []),
            ("FROM scratch AS a\nWORKDIR /x\nFROM a\nWORKDIR y", []),
        ])
    func rules(_ text: String, _ rules: [String]) async throws {
        #expect(try await plan(text + "\n").warnings.map(\.rule) == rules)
    }

    /// A default that is replaced is not expanded, not even for a check.
    @Test func replacedDefaultIsNotExpanded() async throws {
        let options = BuildOptions(buildArguments: [(name: "N", value: "scratch")])
        #expect(try await plan("ARG N=${N:?missing}\nFROM $N\n", options).warnings.isEmpty)
    }

    @Test(arguments: [
        ("FROM ${X:?nope}", ["InvalidDefaultArgInFrom", "UndefinedArgInFrom"]),
        ("ARG X\nFROM $X", ["InvalidDefaultArgInFrom"]),
        ("FROM $X", ["InvalidDefaultArgInFrom", "UndefinedArgInFrom"]),
        ("FROM --platform=$X scratch", ["UndefinedArgInFrom"]),
    ])
    func warningsStandBesideTheError(_ text: String, _ rules: [String]) async throws {
        let log = WarningLog()
        let dockerfile = try parse(text + "\n")
        await #expect(throws: FrontendError.self) {
            try await lower(dockerfile, BuildOptions(), resolver: FakeResolver(), log: log)
        }
        #expect(log.warnings.map(\.rule) == (text.contains(":?") ? ["UndefinedArgInFrom"] : rules))
    }

    @Test(arguments: [
        ("FROM scratch AS X\nRUNN x", ["StageNameCasing"]),
        ("FROM scratch as x\nMAINTAINER me\nCOPY a\nMAINTAINER you", ["FromAsCasing", "MaintainerDeprecated"]),
        ("FROM scratch\nRUN a \\\n\n b\nUSER\n", ["NoEmptyContinuation"]),
        ("# check=skip=StageNameCasing\nFROM scratch AS X\nRUNN x", []),
        (
            "# check=experimental=InvalidDefinitionDescription\n\n# other\nARG A\nRUN x",
            ["InvalidDefinitionDescription"]
        ),
        // What is said of the whole file needs the whole file.
        ("From scratch AS x\nFROM scratch AS x\nRUNN x", []),
        ("RUNN x\nFROM scratch AS X", []),
    ])
    func warningsStandBesideAParseError(_ text: String, _ rules: [String]) async throws {
        let log = WarningLog()
        #expect(throws: FrontendError.self) { try parse(text + "\n") }
        check(beginningOf: Array((text + "\n").utf8), BuildOptions(), log: log)
        #expect(log.warnings.map(\.rule) == rules)
    }

    @Test(
        arguments: [
            ("x", "x", "x"), ("x", "./x/", "x"), ("x", "a/../x", "x"), ("x", "/x", nil), ("x", "../x", nil),
            ("x", "y", nil), ("*", ".", "."), ("*", "/", "/"), ("x", ".", nil), ("x/y", "x//y", "x/y"),
        ] as [(String, String, String?)])
    func ignoredSource(_ pattern: String, _ source: String, _ shown: String?) async throws {
        var options = BuildOptions()
        options.ignoreRules = try IgnoreRules(patterns: [pattern])
        let messages = try await plan("FROM scratch\nCOPY \(source) /d/\n", options).warnings.map(\.message)
        let expected = shown.map { "Attempting to Copy file \"\($0)\" that is excluded by .dockerignore" }
        #expect(messages == (expected.map { [$0] } ?? []))
    }

    @Test func buildArgumentReplacesTheDirective() async throws {
        let options = BuildOptions(buildArguments: [
            (name: "BUILDKIT_DOCKERFILE_CHECK", value: "skip=StageNameCasing;error=true")
        ])
        let plan = try await plan("# check=error=true;skip=X\nFROM scratch AS X\n", options)
        #expect(plan.warnings.isEmpty)
    }

    @Test func warningsOfUnusedStagesNeedTheWholeFile() async throws {
        let text = "FROM scratch AS a\nCMD x\nFROM scratch\n"
        #expect(try await plan(text).warnings.isEmpty)
        let all = try await plan(text, BuildOptions(checksAllStages: true))
        #expect(all.warnings.map(\.rule) == ["JSONArgsRecommended"])
        #expect(all.steps.isEmpty)
    }
}
