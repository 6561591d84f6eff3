import Diagnostics
import Graph
import OCI
import Testing

@testable import Frontend

/// Which stages and images a target needs, and what comes from a base.
@Suite struct StageTests {
    @Test func unusedStagesAreNotResolved() async throws {
        let resolver = FakeResolver([
            "docker.io/library/a:latest": try image(), "docker.io/library/c:latest": try image(),
        ])
        let text = "FROM a AS a\nRUN 1\nFROM b AS b\nRUN 2\nFROM a AS d\nCOPY --from=c / /\nFROM e\n"
        let plan = try await plan(text, BuildOptions(target: "D"), resolver: resolver)
        let host = Platform.host.description
        #expect(resolver.asked == ["docker.io/library/a:latest \(host)", "docker.io/library/c:latest \(host)"])
        #expect(plan.targetName == "d")
        #expect(plan.runs.map(\.arguments) == [["/bin/sh", "-c", "1"]])
    }

    @Test func unusedStagesBeforeTheTargetAreBuiltWhereAskedFor() async throws {
        let text = "FROM scratch AS a\nRUN 1\nFROM scratch AS b\nRUN 2\nFROM a AS c\nRUN 3\nFROM scratch\nRUN 4\n"
        var options = BuildOptions(target: "c")
        options.buildsUnusedStages = true
        let plan = try await plan(text, options)
        func commands(_ vertices: [Vertex]) -> [String] {
            vertices.compactMap { if case .run(let run) = $0.operation { run.arguments.last } else { nil } }
        }
        #expect(commands(plan.vertices) == ["1", "2", "3"])
        #expect(commands(plan.graph.reachable(from: plan.target)) == ["1", "3"])
        #expect(
            try await lower(parse(text, BuildOptions(target: "c")), BuildOptions(target: "c"), resolver: FakeResolver())
                .unusedStages.isEmpty)
    }

    @Test func imagesAreResolvedOncePerPlatform() async throws {
        let resolver = FakeResolver(["docker.io/library/a:latest": try image()])
        let text = "FROM a AS x\nFROM --platform=linux/s390x a AS y\nFROM a\nCOPY --from=x / /\nCOPY --from=y / /\n"
        let plan = try await plan(text, resolver: resolver)
        #expect(
            resolver.asked
                == [
                    "docker.io/library/a:latest \(Platform.host)", "docker.io/library/a:latest linux/s390x",
                ].sorted())
        #expect(plan.warnings.map(\.rule) == ["FromPlatformFlagConstDisallowed", "InvalidBaseImagePlatform"])
    }

    @Test func baseConfigIsKept() async throws {
        let base = try image { config in
            config.config.environment = ["PATH=/p", "A=1"]
            config.config.workingDirectory = "/base"
            config.config.user = "7"
            config.config.shell = ["/bin/ash", "-c"]
            config.config.command = ["old"]
            config.config.entrypoint = ["entry"]
            config.config.labels = ["a": "1", "b": "2"]
            config.author = "someone"
        }
        let text = "FROM b\nENV A=$A$A\nRUN x\nWORKDIR sub\nENTRYPOINT e\n"
        var options = BuildOptions()
        options.labels = [(name: "b", value: "cli"), (name: "c", value: "3")]
        let plan = try await plan(text, options, resolver: FakeResolver(["docker.io/library/b:latest": base]))
        #expect(plan.config.config.environment == ["PATH=/p", "A=11"])
        #expect(plan.config.config.entrypoint == ["/bin/ash", "-c", "e"])
        #expect(plan.config.config.command == nil)
        #expect(plan.config.config.labels == ["a": "1", "b": "cli", "c": "3"])
        #expect(plan.config.author == "someone")
        #expect(plan.config.created == nil)
        #expect(plan.baseHistory == base.history)
        #expect(plan.config.diffIDs == base.diffIDs)
        #expect(plan.steps.map(\.createdBy).first == "ENV A=11")
        #expect(plan.steps.allSatisfy { $0.comment == "buildkit.dockerfile.v0" })
        let run = try #require(plan.runs.first)
        #expect(run.arguments == ["/bin/ash", "-c", "x"])
        #expect(run.environment == ["PATH=/p", "A=11"])
        #expect(run.user == "7")
        #expect(run.workingDirectory == "/base")
        #expect(plan.directories == [MakeDirectoryOperation(path: "/base/sub", owner: "7")])
    }

    @Test func stepsPointToTheirLayers() async throws {
        let plan = try await plan("FROM scratch AS a\nRUN 1\nENV A=1\nFROM a\nCOPY x /\n")
        let vertices = plan.steps.compactMap(\.vertex)
        #expect(plan.steps.map { $0.vertex == nil } == [false, true, false])
        #expect(vertices.last == plan.target)
        #expect(plan.graph[plan.target].inputs.first == vertices.first)
        #expect(plan.graph[plan.target].location == SourceRange(file: "Dockerfile", lines: 5...5))
    }

    @Test func triggersOfAnImage() async throws {
        let base = try image { config in
            config.config.onBuild = ["COPY --from=extra /e /e", "ENV T=$A", "COPY --from=tool /t /t"]
        }
        let resolver = FakeResolver([
            "docker.io/library/base:latest": base, "docker.io/library/tool:latest": try image(),
            "docker.io/library/other:latest": try image(),
        ])
        let text = "FROM other AS extra\nRUN e\nFROM unused\nFROM base\nRUN x\n"
        let plan = try await plan(text, resolver: resolver)
        #expect(
            resolver.asked.map { $0.prefix { $0 != ":" } } == [
                "docker.io/library/base", "docker.io/library/other", "docker.io/library/tool",
            ])
        #expect(plan.config.config.onBuild.isEmpty)
        #expect(plan.copies.count == 2)
        #expect(plan.runs.map { $0.arguments.last } == ["e", "x"])
        #expect(plan.warnings.map(\.message) == ["Usage of undefined variable '$A'"])
    }

    @Test func imageWithoutLayersIsScratch() async throws {
        var config = ImageConfig(platform: .host)
        config.config.user = "9"
        let plan = try await plan("FROM e\nRUN x\n", resolver: FakeResolver(["docker.io/library/e:latest": config]))
        #expect(plan.graph.reachable(from: plan.target).first?.operation == .scratch)
        #expect(plan.runs.first?.user == "9")
    }

    @Test func explicitPlatformIsWritten() async throws {
        let resolver = FakeResolver([
            "docker.io/library/a:latest": try image(Platform(os: "linux", architecture: "386"))
        ])
        let wanted = Platform(os: "linux", architecture: "riscv64")
        let explicit = try await plan(
            "FROM a\n", BuildOptions(platform: wanted, isPlatformExplicit: true), resolver: resolver)
        let implicit = try await plan("FROM a\n", BuildOptions(platform: wanted), resolver: resolver)
        #expect(explicit.config.platform == wanted)
        #expect(implicit.config.platform.architecture == "386")
    }

    @Test(arguments: [
        ("1700000000", Int64(1_700_000_000)), ("", nil), ("context", nil),
    ])
    func epoch(_ text: String, _ expected: Int64?) async throws {
        let byArgument = BuildOptions(buildArguments: [(name: "SOURCE_DATE_EPOCH", value: text)])
        #expect(try await plan("FROM scratch\n", byArgument).epoch == expected)
        #expect(try await plan("ARG SOURCE_DATE_EPOCH=\(text)\nFROM scratch\n").epoch == expected)
    }

    @Test func noCache() async throws {
        let text = "FROM scratch AS a\nRUN 1\nCOPY x /\nWORKDIR /w\nFROM a AS b\nRUN 2\n"
        func ignoring(_ noCache: NoCache) async throws -> [String] {
            let plan = try await plan(text, BuildOptions(noCache: noCache))
            return plan.graph.vertices.filter(\.ignoresCache).map(\.label)
        }
        #expect(try await ignoring(.none) == [])
        #expect(try await ignoring(.all) == ["[a 1/3] RUN 1", "[a 2/3] COPY x /", "[b 1/1] RUN 2"])
        #expect(try await ignoring(.stages(["B"])) == ["[b 1/1] RUN 2"])
    }
}
