import Diagnostics
import Engine
import Execution
import Glibc
import Linux
import Requests
import Store
import SystemPackage
import Testing
import Trees

/// `RUN --mount` with commands that run for real.
@Suite(.enabled(if: IsolationModes.probe().best != nil, "RUN needs root with CAP_SYS_ADMIN"))
struct RunMountTests {
    // MARK: Bind

    @Test func bindsContext() async throws {
        let fixture = try MountFixture(context: ["d d", "f d/a 644 one", "f b 600 two", "l link 777 d"])
        let result = try await fixture.build(
            """
            FROM lamina/base
            RUN --mount=target=/c cat /c/d/a /c/b && ls -ld /c/d | grep -q root && ! touch /c/x
            RUN --mount=source=d,target=/c cat /c/a
            RUN --mount=source=link/a,target=/deep/file cat /deep/file
            RUN --mount=source=b,target=/etc/b,rw echo more >>/etc/b && cat /etc/b
            RUN --mount=target=/c,rw rm /c/b && echo new >/c/d/a && echo n >/c/n && cat /c/d/a
            RUN test ! -e /c && test ! -e /deep && test ! -e /etc/b
            """)
        try #require(result.error == nil)
        #expect(result.log.contains("onetwo"))
        #expect(result.log.contains("twomore\n"))
        #expect(result.paths.contains { $0 == "c" || $0.hasPrefix("c/") || $0.hasPrefix("deep") } == false)
        // Nothing was written to the user's files.
        let context = try Directory(opening: fixture.context)
        #expect(try context.names() == ["b", "d", "link"])
        #expect(try context.open("d/a").readAll(limit: 100) == Array("one".utf8))
    }

    /// Ignored files are not mounted, and all files belong to root, whatever their owners outside.
    @Test func bindsWhatTheContextShows() async throws {
        let fixture = try MountFixture(context: [
            "f .dockerignore 644 secret\n**/*.log", "d d", "f d/a 640 one", "f d/x.log 644 -", "f secret 644 -",
            "h twin 640 d/a", "l s 777 d/a",
        ])
        try Directory(opening: fixture.context).setOwner("d/a", 1234, 1235)
        let text = """
            FROM lamina/base
            RUN --mount=target=/c cd /c && ls -A . d && stat -c '%n %a %u:%g' d d/a twin && readlink s
            RUN --mount=target=/c,rw test "$(stat -c %i /c/d/a)" = "$(stat -c %i /c/twin)" && echo x >/c/d/a
            RUN --mount=source=d/a,target=/f stat -c '%n %a %u:%g' /f
            """
        let result = try await fixture.build(text)
        try #require(result.error == nil)
        #expect(!result.log.contains("secret"))
        #expect(!result.log.contains("x.log"))
        for line in ["d 755 0:0", "d/a 640 0:0", "twin 640 0:0", "d/a", "/f 640 0:0"] {
            #expect(result.log.contains(line + "\n"))
        }
        let status = try Directory(opening: fixture.context).status("d/a")
        #expect(status.owner == 1234 && status.links == 2)
        let hidden = try await fixture.build("FROM lamina/base\nRUN --mount=source=secret,target=/s cat /s\n")
        #expect(hidden.error?.message == "failed to calculate checksum of ref: \"/secret\": not found")
    }

    @Test func bindsStages() async throws {
        let fixture = try MountFixture()
        let text = """
            FROM lamina/base AS made
            RUN mkdir -p /out/d && echo one >/out/d/a && chown 7:8 /out/d/a && ln -s /out/d /abs && rm -rf /opt
            FROM lamina/base
            RUN --mount=from=made,target=/m cat /m/out/d/a && stat -c %u:%g /m/out/d/a
            RUN --mount=from=made,source=/abs/a,target=/f cat /f && ! echo >/f
            RUN --mount=from=made,source=/out,target=/w,rw rm -r /w/d && echo two >/w/b
            RUN --mount=from=made,source=/out,target=/w test -e /w/d/a && test ! -e /w/b && test ! -e /out
            RUN --mount=from=lamina/base,source=/bin,target=/b test -e /b/sh
            RUN --mount=from=scratch,target=/e test -z "$(ls -A /e)"
            """
        let result = try await fixture.build(text)
        #expect(result.error == nil)
        #expect(result.log.contains("one\n7:8\n"))
        let missing = try await fixture.build(
            "FROM lamina/base\nRUN --mount=from=lamina/base,source=/n,target=/x true\n")
        #expect(missing.error?.message == "failed to calculate checksum of ref: \"/n\": not found")
    }

    // MARK: Cache

    @Test func cacheOutlivesBuilds() async throws {
        let fixture = try MountFixture()
        func step(_ options: String, _ command: String) async throws -> MountFixture.Outcome {
            try await fixture.build("FROM lamina/base\nRUN --mount=type=cache,target=/c\(options) \(command)\n")
        }
        let first = try await step("", "stat -c '%a %u' /c; echo one >/c/f; chown 5 /c/f")
        #expect(first.log.contains("755 0\n"))
        #expect(first.paths.contains { $0 == "c" || $0.hasPrefix("c/") } == false)
        #expect(try await step("", "cat /c/f; stat -c %u /c/f").log == "one\n5\n")
        #expect(try await step(",id=other", "ls /c | wc -l").log == "0\n")
        #expect(try await step(",ro", "cat /c/f; touch /c/g || echo refused").log.contains("refused\n"))
        #expect(try await step(",mode=0700,uid=7", "stat -c '%a %u' /c; ls /c | wc -l").log == "700 7\n0\n")
        #expect(try await step(" --mount=type=cache,id=/c,target=/d", "ls /d; echo 2 >/c/f; cat /d/f").log == "f\n2\n")
        let store = try StoreRoot(at: fixture.root)
        let caches = try store.cacheMounts.list()
        #expect(caches.map(\.name) == ["/c", "/c", "other"])
        #expect(caches.map(\.bytes).max() == 2)
        for cache in caches { #expect(try store.cacheMounts.remove(cache.key)) }
        #expect(try store.cacheMounts.list().isEmpty)
        #expect(try await step("", "ls /c | wc -l; true").log == "0\n")
    }

    @Test func cacheIsSeeded() async throws {
        let fixture = try MountFixture()
        let text = """
            FROM lamina/base AS seed
            RUN mkdir /s && echo one >/s/a && ln /s/a /s/b && chown 3:4 /s/a && chmod 711 /s
            FROM lamina/base
            RUN --mount=type=cache,from=seed,source=/s,target=/c stat -c '%n %a %u:%g' /c /c/a; stat -c %h /c/b; echo >/c/n
            RUN --mount=type=cache,from=seed,source=/s,target=/c ls /c; rm /c/a; test -e /s || echo gone
            """
        let result = try await fixture.build(text)
        #expect(result.error == nil)
        #expect(result.log == "/c 711 0:0\n/c/a 644 3:4\n2\na\nb\nn\ngone\n")
        let missing = try await fixture.build("FROM lamina/base\nRUN --mount=type=cache,source=/n,target=/c true\n")
        #expect(missing.error?.message == "the cache has no \"/n\"")
    }

    /// While one build holds the cache, another one waits (locked), gets its own (private) or the same (shared).
    @Test("Concurrent builds use a cache mount as its sharing mode says", arguments: ["locked", "private", "shared"])
    func sharing(_ sharing: String) async throws {
        let fixture = try MountFixture()
        _ = try await fixture.build("FROM lamina/base\n")
        // Those that may run at once wait for each other in a cache that both see. Of those that may not, the second finds
        // the mark of the first if it comes too early.
        let stay =
            sharing == "locked"
            ? "mkdir /c/busy && sleep 0.3 && rmdir /c/busy" : "until [ $(ls /m | wc -l) = 2 ]; do sleep 0.05; done"
        func text(_ number: Int) -> String {
            """
            FROM lamina/base
            RUN --mount=type=cache,id=x,sharing=\(sharing),target=/c --mount=type=cache,id=meet,target=/m \
            echo \(number) >/c/\(number) && echo >/m/\(number) && \(stay) && ls /c
            """
        }
        async let one = fixture.build(text(1), name: "one")
        async let two = fixture.build(text(2), name: "two")
        let results = try await [one, two]
        try #require(results.allSatisfy { $0.error == nil })
        let seen = results.map { $0.log.split(whereSeparator: \.isWhitespace).count }.sorted()
        #expect(seen == ["locked": [1, 2], "private": [1, 1], "shared": [2, 2]][sharing])
        let caches = try StoreRoot(at: fixture.root).cacheMounts.list().count
        #expect(caches == 2, "all directories of a name are one cache")
    }

    // MARK: tmpfs, secrets, agents

    @Test("A tmpfs mount has its size and is in no layer")
    func memory() async throws {
        let fixture = try MountFixture()
        let result = try await fixture.build(
            """
            FROM lamina/base
            RUN --mount=type=tmpfs,target=/t,size=1m stat -c %a /t && grep ' /t ' /proc/mounts && echo x >/t/f && \
            ! dd if=/dev/zero of=/t/big bs=1M count=2
            RUN --mount=type=tmpfs,target=/t,rw=false ! touch /t/x
            """)
        #expect(result.error == nil)
        #expect(result.log.contains("1777\n"))
        #expect(result.log.contains("size=1024k"))
        #expect(result.paths.contains { $0 == "t" } == false)
    }

    @Test("A secret is readable by the command and is in no layer or log")
    func secrets() async throws {
        let fixture = try MountFixture()
        try fixture.write("hunter2-file\n", named: "pw")
        let secrets = [
            BuildSecret(id: "file", source: .file(fixture.context.appending("pw"))),
            BuildSecret(id: "var", source: .value("hunter2-value")),
        ]
        let text = """
            FROM lamina/base
            RUN --mount=type=secret,id=file stat -c '%a %u %s' /run/secrets/file && md5sum </run/secrets/file
            RUN --mount=type=secret,id=file,target=/root/pw,mode=0444,uid=5,gid=6 stat -c '%a %u:%g' /root/pw
            RUN --mount=type=secret,id=var,env=TOKEN test "${#TOKEN}" = 13 && test ! -e /run/secrets
            RUN --mount=type=secret,id=var,env=TOKEN,target=/k test "$TOKEN" = "$(cat /k)" && ! echo >/k
            RUN --mount=type=secret,id=none,env=NONE test "${NONE-unset}" = "" && test ! -e /run/secrets
            RUN test -z "$TOKEN" && test ! -e /run/secrets && test ! -e /root/pw && test ! -e /k
            """
        let result = try await fixture.build(text, secrets: secrets)
        try #require(result.error == nil)
        #expect(result.log.contains("400 0 13\n698b1bf96a0a0000c6a76c86c1aecdc3"))
        #expect(result.log.contains("444 5:6\n"))
        #expect(try !fixture.storeHolds("hunter2"))
        #expect(result.paths.contains { $0.hasPrefix("run/") || $0 == "k" } == false)
        let changed = [BuildSecret(id: "file", source: .value("x")), BuildSecret(id: "var", source: .value("y"))]
        #expect(try await fixture.build(text, secrets: changed).cached.count == 7)
        #expect(try await fixture.build(text).cached.count == 7)
        let missing = try await fixture.build("FROM lamina/base\nRUN --mount=type=secret,id=nope,required true\n")
        #expect(missing.error?.message == "secret nope: not found")
        #expect(missing.error?.location?.lines == 2...2)
    }

    @Test("A forwarded agent is a socket with its mode and owner")
    func agents() async throws {
        let fixture = try MountFixture()
        let text = """
            FROM lamina/base
            RUN --mount=type=ssh echo "$SSH_AUTH_SOCK" && test ! -e /run/buildkit
            """
        #expect(try await fixture.build(text).log == "/run/buildkit/ssh_agent.0\n")
        let missing = try await fixture.build("FROM lamina/base\nRUN --mount=type=ssh,required true\n")
        #expect(missing.error?.message == "no SSH key \"\" forwarded from the client")
    }

    /// The command gets a socket of its own, with the owner and the mode asked for.
    @Test func agentSocket() async throws {
        let fixture = try MountFixture()
        try Directory(opening: fixture.path).makeNode("agent", .socket, permissions: 0o600)
        let text = """
            FROM lamina/base
            RUN --mount=type=ssh,required test -S "$SSH_AUTH_SOCK" && stat -c '%a %u:%g' "$SSH_AUTH_SOCK"
            RUN --mount=type=ssh,id=default,target=/s,mode=0640,uid=5,gid=6 stat -c '%a %u:%g' "$SSH_AUTH_SOCK"
            """
        let agent = AgentSocket(id: "default", path: fixture.path.appending("agent"))
        let result = try await fixture.build(text, agents: [agent])
        #expect(result.error == nil)
        #expect(result.log == "600 0:0\n640 5:6\n")
        #expect(result.paths.contains { $0 == "s" || $0.hasPrefix("run/") } == false)
    }

    // MARK: Keys

    /// One change at a time, and whether the command runs again.
    @Test("The key of a RUN depends on what its mounts show")
    func keys() async throws {
        let fixture = try MountFixture(context: ["d d", "f d/a 644 one", "f e 644 two"])
        func runs(_ options: String) async throws -> Bool {
            let result = try await fixture.build("FROM lamina/base\nRUN --mount=\(options) true\n")
            #expect(result.error == nil)
            return result.ran.contains { $0.contains("RUN") }
        }
        #expect(try await runs("source=d,target=/x"))
        #expect(try await !runs("source=d,target=/x"))
        try fixture.write("changed", named: "e")
        #expect(try await !runs("source=d,target=/x"), "a file that is not mounted")
        try fixture.write("new", named: "d/b")
        #expect(try await runs("source=d,target=/x"), "a file below the mounted directory")
        try Directory(opening: fixture.context).setModified("d/b", FileTime(seconds: 1))
        #expect(try await !runs("source=d,target=/x"), "a time")
        try Directory(opening: fixture.context).setPermissions("d/b", 0o600)
        #expect(try await runs("source=d,target=/x"), "a mode")
        #expect(try await runs("source=d,target=/y"), "the target")
        #expect(try await runs("source=d,target=/y,rw"), "the kind of access")

        #expect(try await runs("type=cache,target=/x"))
        #expect(try await runs("type=cache,target=/x,sharing=locked"), "the sharing of a cache named by its place")
        #expect(try await runs("type=cache,target=/x,id=one"), "a name instead of the place")
        #expect(try await !runs("type=cache,target=/x,id=two"), "another name")
        #expect(try await !runs("type=cache,target=/x,id=two,sharing=locked"), "the sharing of a named cache")
        #expect(try await !runs("type=cache,target=/x"))
        #expect(try await runs("type=cache,target=/x,mode=0700"), "the mode of a cache")

        #expect(try await runs("type=secret,id=a"))
        #expect(try await !runs("type=secret,id=a,required=false"))
        #expect(try await runs("type=secret,id=b"))
        #expect(try await runs("type=tmpfs,target=/x"))
        #expect(try await runs("type=tmpfs,target=/x,size=1m"))
    }

    /// A stage that was made anew with the same file does not make its users run again.
    @Test(arguments: ["ro", "rw"]) func keysOfStages(_ access: String) async throws {
        let fixture = try MountFixture(context: ["f n 644 1"])
        let text = """
            FROM lamina/base AS made
            COPY n /n
            RUN mkdir /o && echo same >/o/f
            FROM lamina/base
            RUN --mount=from=made,source=/o/f,target=/f,\(access) cat /f
            """
        #expect(try await fixture.build(text).log.contains("same"))
        try fixture.write("2", named: "n")
        let again = try await fixture.build(text)
        #expect(again.ran.contains { $0.contains("made") && $0.contains("RUN") })
        #expect(again.cached.contains { $0.contains("cat /f") })
    }
}
