import Diagnostics
import DockerfileSyntax
import Graph
import OCI
import Testing

@testable import Frontend

/// Errors: where they point, and which code they have.
@Suite struct ErrorTests {
    @Test(
        "An error has the location of its instruction",
        arguments: [
            ("FROM scratch\nRUNN\n", FrontendCode.syntax, 2...2),
            ("FROM scratch\n\nENV a=b \\\n  c='\n", .invalid, 3...4),
            ("FROM scratch\nRUN <<E\nx\nE\nCOPY --from=7 <<A /\nx\nA\n", .unknownStage, 5...7),
            ("ARG A='\nFROM scratch\n", .invalid, 1...1),
            ("FROM scratch AS a\n\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y\n", .circular, 3...3),
            ("FROM scratch\nRUN true\nRUN --mount=type=bind,target=/ \\\n true\n", .invalid, 3...4),
            ("FROM scratch\nCOPY git@h:r.git /\n", .invalid, 2...2),
            ("# escape=`\n# syntax=r2d4/mockerfile\nFROM scratch\n", .unsupported, 2...2),
            ("FROM scratch AS a\nONBUILD nope\nFROM a\n", .invalid, 3...3),
            ("# check=nope=1\nFROM scratch\n", .invalid, 1...1),
            ("# check=error=true\nFROM scratch\nRUN x\nCMD x\n", .lint, 4...4),
            ("FROM scratch\nFROM Upper\n", .invalid, 2...2),
        ])
    func location(_ text: String, _ code: FrontendCode, _ lines: ClosedRange<Int>) async throws {
        let error = try await failure(text, BuildOptions(fileName: "dir/File"))
        #expect(error.code == code)
        #expect(error.location == SourceRange(file: "dir/File", lines: lines))
    }

    @Test(arguments: [
        (
            "FROM --platform=bogus scratch",
            "failed to parse platform bogus: \"bogus\": unknown operating system or "
                + "architecture: invalid argument"
        ),
        ("FROM scratch\nRUN --mount=type=tmpf,target=/t x", "unsupported mount type \"tmpf\" (did you mean tmpfs?)"),
        ("FROM scratch\nRUN --mount=type=nothing,target=/t x", "unsupported mount type \"nothing\""),
        (
            "FROM scratch\nRUN --mount=type=cache,target=/t,sharing=lock x",
            "unsupported sharing value \"lock\" (did you mean locked?)"
        ),
    ])
    func message(_ text: String, _ message: String) async throws {
        #expect(try await failure(text + "\n").message == message)
    }

    @Test(arguments: [
        ("BUILDKIT_ATTEST_SBOM", "generator=x"), ("BUILDKIT_ATTEST_PROVENANCE", ""),
        ("BUILDKIT_SANDBOX_HOSTNAME", "a b"), ("BUILDKIT_SANDBOX_HOSTNAME", String(repeating: "a", count: 65)),
        ("BUILDKIT_DISABLE_FILEOP", "0"),
    ])
    func builtInArgumentsAreRefusedIfTheyCannotBeHonoured(_ name: String, _ value: String) async throws {
        let options = BuildOptions(buildArguments: [(name: name, value: value)])
        let error = try await failure("FROM scratch\n", options)
        #expect([.unsupported, .invalid].contains(error.code))
    }

    @Test func hostnameIsOfTheCommand() async throws {
        var options = BuildOptions(buildArguments: [
            (name: "BUILDKIT_MULTI_PLATFORM", value: "false"), (name: "BUILDKIT_ATTEST_SBOM", value: "disabled=true"),
        ])
        #expect(try await plan("FROM scratch\nRUN x\n", options).runs.map(\.hostname) == [nil])
        options.hostname = "option"
        #expect(try await plan("FROM scratch\nRUN x\n", options).runs.map(\.hostname) == ["option"])
        options.buildArguments.append((name: "BUILDKIT_SANDBOX_HOSTNAME", value: "argument"))
        #expect(try await plan("FROM scratch\nRUN x\n", options).runs.map(\.hostname) == ["argument"])
    }

    @Test func hereDocumentOfRunIsText() async throws {
        let bytes = Array("FROM scratch\nRUN <<E\n".utf8) + [0xE9] + Array("\nE\n".utf8)
        let error = await #expect(throws: FrontendError.self) {
            try await lower(Dockerfile(parsing: bytes), BuildOptions(), resolver: FakeResolver())
        }
        #expect(error?.message == "the here-document E of RUN is not valid UTF-8")
    }

    @Test func stagesBelowCannotBeCopiedFrom() async throws {
        let error = try await failure(
            "FROM scratch AS a\nFROM scratch AS b\nCOPY --from=c / /\nFROM scratch AS c\nFROM b\n")
        #expect(error.code == .unknownStage)
        #expect(
            error.message == "cannot copy from stage \"c\", it needs to be defined before current stage \"b\"")
        #expect(error.location?.lines == 3...3)
    }

    @Test func triggerThatCopiesFromItsOwnStage() async throws {
        let error = try await failure("FROM scratch AS a\nONBUILD COPY --from=b / /\nFROM a AS b\n")
        #expect(
            error.message == "cannot copy from stage \"b\", it needs to be defined before current stage \"b\"")
    }

    @Test func unknownTarget() async throws {
        let error = try await failure("FROM scratch AS build\nFROM scratch AS run\n", BuildOptions(target: "biuld"))
        #expect(error.code == .unknownTarget)
        #expect(error.message == "target stage \"biuld\" could not be found (did you mean build?)")
        #expect(error.hint == "Stages: build, run.")
    }

    @Test func unfitEpoch() async throws {
        let options = BuildOptions(buildArguments: [(name: "SOURCE_DATE_EPOCH", value: "soon")])
        let error = try await failure("FROM scratch\n", options)
        #expect(error.message == "invalid SOURCE_DATE_EPOCH: soon")
    }

    /// A resolver's failure keeps its type and learns which FROM it is about.
    @Test func failureOfTheResolver() async throws {
        struct Failing: BaseImageResolver {
            func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
                throw PlatformError(.malformed, "gone")
            }

            func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
                throw PlatformError(.malformed, "gone")
            }
        }
        let dockerfile = try parse("FROM scratch\nFROM \\\n a\n")
        let error = await #expect(throws: PlatformError.self) {
            try await lower(dockerfile, BuildOptions(), resolver: Failing())
        }
        #expect(error?.message == "gone")
        #expect(error?.location == SourceRange(file: "Dockerfile", lines: 2...3))
    }

    /// Images that read Dockerfiles, whoever hosts them, are no reason to refuse a file.
    @Test(arguments: [
        "docker/dockerfile:1", "docker/dockerfile:1.7-labs arg", "docker/dockerfile-upstream:master",
        "registry.example:5000/mirror/docker/dockerfile:1@sha256:\(String(repeating: "a", count: 64))",
    ])
    func frontends(_ name: String) async throws {
        _ = try await plan("# syntax=\(name)\nFROM scratch\n")
    }

    @Test func anArgumentNamesTheFrontend() async throws {
        func options(_ name: String) -> BuildOptions { BuildOptions(buildArguments: [("BUILDKIT_SYNTAX", name)]) }
        _ = try await plan("# syntax=x/y\nFROM scratch\n", options("dockerfile.v0"))
        #expect(try await failure("FROM scratch\n", options("x/y")).code == .unsupported)
    }

    @Test(arguments: [
        ("// a\n// syntax=x/y z\nFROM scratch\n", 2), (" {\"syntax\": \"x/y\", \"a\": [1]}\n", 1),
        ("//\nsyntax=x/y\n", nil),
        ("{\"a\": 1}", nil), ("RUNN x\n", nil), ("{", nil),
    ])
    func textsForOtherFrontends(_ text: String, _ line: Int?) {
        let error = FrontendImage.refusal(of: Array(text.utf8), file: "f")
        #expect(error?.location?.lines.lowerBound == line)
        if let error { #expect(error.message.contains("\"x/y\"")) }
    }
}
