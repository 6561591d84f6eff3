import Diagnostics
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
        // The time is asked for before, and its error would come without the warnings.
        #expect(try EpochSource(dockerfile, BuildOptions()) == EpochSource.none)
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
        // Of the malformed instruction itself, what is looked at before it is parsed.
        ("FROM scratch AS x\nmaintainer", ["MaintainerDeprecated"]),
        ("FROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER", []),
        ("FROM --nope scratch AS X", ["StageNameCasing"]),
        ("FROM scratch as X-!", ["StageNameCasing", "FromAsCasing"]),
        ("FROM scratch as X y", ["FromAsCasing"]),
        ("FROM scratch\nRUN true\nfrom scratch AS X y", ["FromAsCasing"]),
        ("FROM scratch X", []),
        // The continuation lines of the whole file are known.
        ("FROM scratch\nUSER\nRUN a \\\n\n b", ["NoEmptyContinuation"]),
    ])
    func warningsStandBesideAParseError(_ text: String, _ rules: [String]) async throws {
        let log = WarningLog()
        #expect(throws: FrontendError.self) { try parse(text + "\n") }
        check(beginningOf: Array((text + "\n").utf8), BuildOptions(), log: log)
        #expect(log.warnings.map(\.rule) == rules)
    }

    /// The checks of an instruction up to the place where it fails, in BuildKit's order.
    @Test(
        arguments: [
            ("COPY x http://h/f y /d/", ["CopyIgnoredFile"], "source can't be a URL for COPY"),
            ("COPY http://h/f x /d/", [], "source can't be a URL for COPY"),
            ("COPY --chmod=99999 x /d/", [], "invalid chmod parameter"),
            ("COPY $U ${V?no} $W /d/", ["UndefinedVar"], "no"),
            ("COPY --chown=${V?no} $U /d/", [], "no"),
            ("COPY --chmod=$U ${V?no} /d/", ["UndefinedVar"], "no"),
            ("COPY <<E $U\n${V?no}\nE", ["UndefinedVar"], "no"),
            ("ADD x git@host:a/b.git?nope=1 /d/", ["CopyIgnoredFile"], "unexpected query"),
            ("ENV PASSWORD $U", ["UndefinedVar", "LegacyKeyValueFormat", "SecretsUsedInArgOrEnv"], nil),
            ("ENV PASSWORD=${V?no}", [], "no"), ("ARG PASSWORD=${V?no}", ["SecretsUsedInArgOrEnv"], "no"),
            ("EXPOSE 80/TCP 81:x", ["ExposeProtoCasing", "ExposeInvalidFormat"], "invalid containerPort: x"),
            ("WORKDIR $U", ["UndefinedVar", "WorkdirRelativePath"], nil), ("WORKDIR ${V?no}", [], "no"),
            (
                "CMD x\nVOLUME $U", ["JSONArgsRecommended", "UndefinedVar"],
                "VOLUME specified can not be an empty string"
            ),
            ("STOPSIGNAL $U", ["UndefinedVar"], "invalid signal"),
        ] as [(String, [String], String?)])
    func warningsOfTheInstructionThatFails(_ text: String, _ rules: [String], _ message: String?) async throws {
        var options = BuildOptions()
        options.ignoreRules = try IgnoreRules(patterns: ["x", "y"])
        let log = WarningLog()
        var error: (any Error)?
        let dockerfile = try parse("FROM scratch\n\(text)\n")
        do { _ = try await lower(dockerfile, options, resolver: FakeResolver(), log: log) } catch let thrown {
            error = thrown
        }
        #expect(log.warnings.map(\.rule) == rules)
        #expect((error == nil) == (message == nil))
        if let message {
            #expect((error as? FrontendError)?.message.contains(message) == true, "\(String(describing: error))")
        }
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
