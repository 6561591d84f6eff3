import Diagnostics
import Graph
import OCI
import Testing

@testable import Frontend

/// The lowering of `RUN --mount`.
@Suite struct MountTests {
    /// The mounts of a RUN in a stage with the working directory `/w` and `V=val`; there is a stage `base`.
    private func mounts(
        _ texts: String..., arguments: [(name: String, value: String?)] = []
    ) async throws -> [RunMount] {
        let flags = texts.map { "--mount=\($0)" }.joined(separator: " ")
        let text = "FROM scratch AS base\nCOPY x /\nFROM scratch\nENV V=val\nWORKDIR /w\nRUN \(flags) true\n"
        return try await plan(text, BuildOptions(buildArguments: arguments)).runs.flatMap(\.mounts)
    }

    @Test(arguments: [
        ("target=/x", BindMount(target: "/x", input: 1, source: "/", isReadOnly: true)),
        ("type=BIND,dst=x/,src=a/../b,rw", BindMount(target: "/w/x", input: 1, source: "/b", isReadOnly: false)),
        ("from=BASE,destination=$V,source=$V", BindMount(target: "/w/val", input: 1, source: "/val", isReadOnly: true)),
        ("from=0,target=/x,readonly=false", BindMount(target: "/x", input: 1, source: "/", isReadOnly: false)),
        ("source=/..", BindMount(target: "/w", input: 1, source: "/", isReadOnly: true)),
    ])
    func bind(_ text: String, _ mount: BindMount) async throws {
        #expect(try await mounts(text) == [.bind(mount)])
    }

    @Test(arguments: [
        ("target=/x", CacheMount(target: "/x", id: "//x", sharing: .shared, isReadOnly: false)),
        ("target=c1/", CacheMount(target: "/w/c1", id: "/c1", sharing: .shared, isReadOnly: false)),
        ("target=./a/../../c", CacheMount(target: "/c", id: "/../c", sharing: .shared, isReadOnly: false)),
        (
            "target=/x,id=n$V,sharing=Locked,ro",
            CacheMount(target: "/x", id: "/nval", sharing: .locked, isReadOnly: true)
        ),
        (
            "target=/x,uid=7,sharing=private",
            CacheMount(
                target: "/x", id: "//x", sharing: .private, isReadOnly: false,
                attributes: CacheMount.Attributes(mode: 0o755, uid: 7, gid: 0))
        ),
        (
            "target=/x,from=base,source=d",
            CacheMount(target: "/x", id: "//x", sharing: .shared, isReadOnly: false, source: "/d", seed: 1)
        ),
        (
            "target=/x,from=base,mode=0700",
            CacheMount(
                target: "/x", id: "//x", sharing: .shared, isReadOnly: false,
                attributes: CacheMount.Attributes(mode: 0o700, uid: 0, gid: 0))
        ),
        ("target=/x,from=scratch", CacheMount(target: "/x", id: "//x", sharing: .shared, isReadOnly: false)),
    ])
    func cache(_ text: String, _ mount: CacheMount) async throws {
        #expect(try await mounts("type=cache,\(text)") == [.cache(mount)])
    }

    @Test func cacheNamespace() async throws {
        let found = try await mounts(
            "type=cache,target=/x", arguments: [(name: "BUILDKIT_CACHE_MOUNT_NS", value: "team")])
        #expect(found == [.cache(CacheMount(target: "/x", id: "team//x", sharing: .shared, isReadOnly: false))])
    }

    @Test(
        "A tmpfs mount has its size",
        arguments: [
            ("", nil), (",size=0", nil), (",size=10", 10), (",size=1k", 1024), (",size=1.5MiB", 1_572_864),
            (",size=2gb", 2 << 30), (",size=3B", 3),
        ] as [(String, UInt64?)])
    func tmpfs(_ text: String, _ size: UInt64?) async throws {
        let found = try await mounts("type=tmpfs,target=/t\(text)")
        #expect(found == [.tmpfs(TemporaryMount(target: "/t", size: size, isReadOnly: false))])
    }

    @Test(arguments: [
        ("id=a/b", SecretMount(id: "a/b", target: "/run/secrets/b")),
        ("source=$V", SecretMount(id: "val", target: "/run/secrets/val")),
        ("target=/etc/s.txt", SecretMount(id: "s.txt", target: "/etc/s.txt")),
        ("id=a,env=TOKEN", SecretMount(id: "a", target: nil, variable: "TOKEN")),
        (
            "id=a,env=TOKEN,target=t,required,mode=0511,uid=1,gid=2",
            SecretMount(
                id: "a", target: "/w/t", variable: "TOKEN", isRequired: true, mode: 0o511, uid: 1, gid: 2)
        ),
    ])
    func secret(_ text: String, _ mount: SecretMount) async throws {
        #expect(try await mounts("type=secret,\(text)") == [.secret(mount)])
    }

    @Test("An SSH mount has its ID, target, mode and owner")
    func agents() async throws {
        let found = try await mounts(
            "type=ssh", "type=tmpfs,target=/t", "type=ssh,id=k,required=true", "type=ssh,target=s,mode=0666,uid=5")
        #expect(
            found.compactMap { if case .ssh(let ssh) = $0 { ssh } else { nil } } == [
                SSHMount(id: "", target: "/run/buildkit/ssh_agent.0"),
                SSHMount(id: "k", target: "/run/buildkit/ssh_agent.1", isRequired: true),
                SSHMount(id: "", target: "/w/s", mode: 0o666, uid: 5),
            ])
    }

    @Test(arguments: [("", "/run/buildkit/ssh_agent.0"), ("ENV SSH_AUTH_SOCK=/mine\n", "/mine")])
    func agentVariable(_ line: String, _ value: String) async throws {
        let plan = try await plan("FROM scratch\n\(line)RUN --mount=type=ssh true\n")
        #expect(plan.runs[0].environment.filter { $0.hasPrefix("SSH_AUTH_SOCK=") } == ["SSH_AUTH_SOCK=\(value)"])
    }

    /// A source that is read twice is one input, and the variable of a secret shows as stars.
    @Test func inputsAndLabel() async throws {
        let text = """
            FROM scratch AS base
            COPY x /
            FROM scratch
            RUN --mount=target=/a --mount=target=/b --mount=from=base,target=/c --mount=type=secret,id=s,env=T echo $T
            """
        let plan = try await plan(text)
        let vertex = plan.graph[plan.target]
        #expect(vertex.inputs.count == 3)
        #expect(vertex.label.hasSuffix("id=s,env=T echo ****"))
        #expect(plan.runs[0].environment.contains { $0.hasPrefix("T=") } == false)
    }

    @Test func imageIsResolved() async throws {
        let resolver = FakeResolver(["docker.io/library/tools:1": try image()])
        let plan = try await plan("FROM scratch\nRUN --mount=from=tools:1,target=/t true\n", resolver: resolver)
        #expect(resolver.asked.count == 1)
        #expect(plan.graph.reachable(from: plan.target).contains { $0.label.contains("tools:1") })
    }

    @Test func triggerMounts() async throws {
        let base = try image { $0.config.onBuild = ["RUN --mount=from=tools:1,target=/t true"] }
        let resolver = FakeResolver(["docker.io/library/base:latest": base, "docker.io/library/tools:1": try image()])
        let plan = try await plan("FROM base\n", resolver: resolver)
        #expect(plan.runs[0].mounts == [.bind(BindMount(target: "/t", input: 1, source: "/", isReadOnly: true))])
    }

    @Test(arguments: [
        ("type=secret,id=a,from=b", "secret mount should not have a from"),
        ("type=secret,id=a,src=b", "both source and id can't be set"),
        ("type=secret,target=/", "invalid mount target \"/\""),
        ("type=cache,target=/x,uid=-1", "invalid value -1 for uid"),
        ("type=cache,target=/x,gid=4294967296", "invalid value 4294967296 for gid"),
        ("type=tmpfs,target=/x,uid=1", "uid not allowed for \"tmpfs\" type mounts"),
        ("size=1m,type=tmpfs,target=/x", "unexpected key 'size' for mount type 'bind'"),
        ("type=secret,id=a,required=maybe", "invalid value for required: maybe"),
        ("type=tmpfs,target=/x,size=1x", "invalid value for size: 1x"),
        ("type=tmpfs,target=/x,size=-1", "invalid value for size: -1"),
        ("targt=/x", "unexpected key 'targt' in 'targt=/x' (did you mean target?)"),
        ("frobnicate=1", "unexpected key 'frobnicate' in 'frobnicate=1'"),
        ("type=cache,sharing=locked", "invalid mount target \"/\""),
    ])
    func rejected(_ text: String, _ message: String) async throws {
        let error = try await failure("FROM scratch\nRUN --mount=\(text) true\n")
        #expect(error.message == message)
        #expect(error.location?.lines == 2...2)
    }

    @Test func stagesBelow() async throws {
        let text = "FROM scratch AS a\nRUN --mount=from=later,target=/x true\nFROM scratch AS later\nCOPY x /\n"
        let error = try await failure(text, BuildOptions(target: "a"))
        #expect(error.code == .unknownStage)
        #expect(
            error.message
                == "cannot mount from stage \"later\" to \"/x\", stage needs to be defined before current command")
    }

    @Test func ownStage() async throws {
        let error = try await failure("FROM scratch AS a\nRUN --mount=from=a,target=/x true\n")
        #expect(error.code == .circular)
    }
}
