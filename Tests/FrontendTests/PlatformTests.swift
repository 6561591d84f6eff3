import Graph
import OCI
import Testing

@testable import Frontend

/// Dockerfiles that are lowered for several platforms.
@Suite struct PlatformTests {
    private static let arm = Platform(os: "linux", architecture: "arm64")
    private static let old = Platform(os: "linux", architecture: "arm", variant: "v7")

    private func plan(_ text: String, for platform: Platform, _ change: (inout BuildOptions) throws -> Void = { _ in })
        async throws -> BuildPlan
    {
        var options = BuildOptions(platform: platform, isPlatformExplicit: true)
        options.labelsNamePlatforms = true
        try change(&options)
        let resolver = FakeResolver([
            "docker.io/library/a:latest": try image(platform),
            "docker.io/library/tool:latest": try image(Platform(os: "linux", architecture: "s390x")),
        ])
        return try await FrontendTests.plan(text, options, resolver: resolver)
    }

    @Test(arguments: [
        ("FROM scratch\nRUN x\n", "[linux/arm64 1/1] RUN x"),
        ("FROM scratch\nARG TARGETARCH\nCOPY a /\n", "[linux/arm64 1/1] COPY a /"),
        ("FROM --platform=linux/s390x a\nWORKDIR /w\n", "[linux/s390x 2/2] WORKDIR /w"),
        ("FROM --platform=linux/s390x a AS s\nFROM s\nRUN x\n", "[linux/s390x stage-1 1/1] RUN x"),
        ("FROM --platform=linux/s390x a\nARG TARGETPLATFORM\nRUN x\n", "[linux/s390x->arm64 2/2] RUN x"),
        ("FROM --platform=linux/s390x a\nARG TARGETARCH\nRUN x\n", "[linux/s390x->arm64 2/2] RUN x"),
        ("FROM --platform=linux/s390x a\nARG TARGETOS\nRUN x\n", "[linux/s390x 2/2] RUN x"),
        (
            "FROM --platform=linux/s390x a\nENV TARGETOS=windows TARGETARCH=amd64\nRUN x\n",
            "[linux/s390x->windows/amd64 2/2] RUN x"
        ),
    ])
    func labelsNameTheMachineOfTheStageAndTheOneItCompilesFor(_ text: String, _ label: String) async throws {
        #expect(try await plan(text, for: Self.arm).labels.last == label)
    }

    @Test func variantsAreNamed() async throws {
        let text = "FROM --platform=linux/s390x a\nARG TARGETARCH TARGETVARIANT\nRUN x\n"
        #expect(try await plan(text, for: Self.old).labels.last == "[linux/s390x->arm/v7 2/2] RUN x")
        #expect(try await plan("FROM scratch\nRUN x\n", for: Self.old).labels.last == "[linux/arm/v7 1/1] RUN x")
    }

    @Test func stagesOfTheBuildPlatformAndContextsAreThereOnce() async throws {
        let text = """
            FROM --platform=linux/s390x tool AS build
            COPY src /src
            RUN prepare
            ARG TARGETARCH
            COPY more /more
            RUN compile $TARGETARCH
            FROM a
            COPY --from=build /out /
            """
        let plans = [try await plan(text, for: Self.arm), try await plan(text, for: Self.old)].joined
        let graph = plans[0].graph
        #expect(plans[1].graph.vertices.count == graph.vertices.count)
        let vertices = graph.reachable(from: plans.map(\.target))
        #expect(
            vertices.map(\.label).filter { !$0.contains("FROM") } == [
                "[internal] load build context", "[linux/s390x build 2/5] COPY src /src",
                "[linux/s390x build 3/5] RUN prepare",
                // Neither is what a step is called a part of it, nor what it does not use.
                "[linux/s390x->arm64 build 4/5] COPY more /more",
                "[linux/s390x->arm64 build 5/5] RUN compile arm64",
                "[linux/arm64 stage-1 2/2] COPY --from=build /out /",
                "[linux/s390x->arm/v7 build 5/5] RUN compile arm",
                "[linux/arm/v7 stage-1 2/2] COPY --from=build /out /",
            ])
        #expect(plans.map(\.config.platform) == [Self.arm, Self.old])
        for plan in plans {
            #expect(plan.steps.last?.vertex == plan.target)
            #expect(graph[plan.target].platform == plan.config.platform)
        }
    }

    @Test func equalStepsOfOnePlatformStayApart() async throws {
        let text =
            "FROM scratch AS x\nRUN same\nFROM scratch AS y\nRUN same\nFROM scratch\nCOPY --from=x / /\nCOPY --from=y / /\n"
        let plans = [try await plan(text, for: Self.arm), try await plan(text, for: Self.arm)].joined
        #expect(plans[0].target == plans[1].target)
        #expect(plans[0].runs.count == 2)
    }

    @Test func aContextForOnePlatformGoesBeforeTheOneForAll() async throws {
        let text = "FROM base\nCOPY --from=tools /t /t\n"
        func contexts(_ platform: Platform) async throws -> [String] {
            let plan = try await plan(text, for: platform) { options in
                try options.contexts.add("base::linux/arm64", .files)
                try options.contexts.add("base", .image("a"))
                try options.contexts.add("tools", .files)
                try options.contexts.add("tools::linux/arm/v7", .files)
            }
            return plan.operations { if case .context(let source) = $0 { source.name } else { nil } }
        }
        #expect(try await contexts(Self.arm) == ["base::linux/arm64", "tools"])
        #expect(try await contexts(Self.old) == ["tools::linux/arm/v7"])
    }

    @Test(arguments: ["a::", "a::linux/arm64/v8/x", "::linux/arm64", "scratch::linux/arm64", "a::b::c"])
    func aContextForNoPlatformIsRefused(_ name: String) {
        var contexts = NamedContexts()
        #expect(throws: FrontendError.self) { try contexts.add(name, .files) }
    }

    @Test func aWarningOfSeveralPlatformsIsThereOnce() async throws {
        let text = "from scratch\nRUN a\nRUN $x$x\nMAINTAINER me\n"
        let log = WarningLog()
        var counts: [Int] = []
        for platform in [Self.arm, Self.old] {
            let own = WarningLog()
            let options = BuildOptions(platform: platform, isPlatformExplicit: true)
            _ = try await lower(parse(text), options, resolver: FakeResolver(), log: own)
            counts.append(own.warnings.count)
            log.take(over: own.warnings)
        }
        #expect(counts[0] > 0 && log.warnings.count == counts[0])
    }
}
