import Glibc
import SystemPackage
import Testing

/// RUN with nothing but a root directory of its own, as in a container that was given nothing.
@Suite("Building in chroot mode", .enabled(if: Machine.isRoot && Machine.has("setpriv"), "needs root and setpriv"))
struct ChrootTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// The same store for either isolation, so that each has to make its own layers.
    private func lamina(_ isolation: String) -> Lamina {
        Lamina(root: scratch.path.appending("store-\(isolation)")).with(["LAMINA_ISOLATION": isolation])
    }

    /// Runs a build as root with the capabilities that Docker gives to a container.
    private func buildUnprivileged(_ lamina: Lamina, _ arguments: [String]) throws -> Finished {
        try lamina.startInContainer(["build"] + arguments).wait()
    }

    private func layers(_ name: String, of lamina: Lamina) throws -> [String] {
        let image = try #require(try JSONValue(parsing: lamina.succeeding("inspect", name).outputText).array?.first)
        return try #require(image["RootFS"]?["Layers"]?.array).compactMap(\.string)
    }

    /// A command whose files all get one time, or no two runs would make the same layer.
    private static func timeless(_ command: String, mounts: String = "") -> String {
        let others = "/proc /sys /dev /etc/hosts /etc/resolv.conf /c /t /o /x /run/secrets".split(separator: " ")
        let pruned = others.map { "-path \($0)" }.joined(separator: " -o ")
        // Seconds are what counts, for find and for a layer.
        return """
            RUN \(mounts) touch -d @$(($(date +%s) - 1)) /.ref && { \(command); } && \
                find / \\( \(pruned) \\) -prune -o -newer /.ref -exec touch -h -d @1000000000 {} + ; rm /.ref
            """
    }

    /// Changes of commands to files, one Dockerfile each.
    private static let commands = [
        ["mkdir -p /a/b && echo x > /a/b/f && chmod 4755 /a/b/f && ln /a/b/f /a/g && ln -s f /a/b/s && mkfifo /a/p"],
        ["mkdir -p /d/e && echo 1 > /d/f && echo 2 > /d/e/f", "rm -r /d && mkdir /d && echo 3 > /d/e", "rm /d/e"],
        ["mkdir -p /d && echo 1 > /d/f", "mv /d /e && mkdir -p /deep/n && mv /deep/n /srv2"],
        ["echo 1 > /f && echo 2 > /g", "chmod 644 /f; chown 0:0 /f; : >> /g; cat /f /g", "chmod 600 /f; chown 5:6 /g"],
        ["echo 1 > /f && mkdir /d", "rm /f && mkdir /f && touch /f/x && rmdir /d && echo 2 > /d"],
        ["echo 1 > /f", "ln /f /f2", "echo 2 > /n && mv /n /f", "rm /f2"],
        ["echo x > /etc/hosts2; echo lost > /dev/shm/x; mkdir /run/kept; echo y > /tmp/y; mkdir -m 1777 /sticky"],
        ["mkdir -p /h && chown 1000:1000 /h", "cd /h && touch a b c && rm b"],
        ["true", "ls -lR /etc > /dev/null"],
    ]

    @Test(arguments: commands)
    func makesTheLayersOfNamespaces(_ commands: [String]) throws {
        let base = ["FROM lamina/base", "COPY file /copied/"]
        let lines = base + commands.map { Self.timeless($0) }
        try expectSameLayers(lines.joined(separator: "\n"))
    }

    private func expectSameLayers(_ dockerfile: String, _ arguments: [String] = []) throws {
        let file = try scratch.write("copied\n", to: "context/file")
        try expectSuccess("touch", "-d", "@900000000", file.string)
        let context = try scratch.context(dockerfile + "\n")
        let (full, poor) = (lamina("namespaces"), lamina("chroot"))
        // What WORKDIR makes has the time of the build.
        let arguments = arguments + ["--build-arg", "SOURCE_DATE_EPOCH=900000000"]
        try full.succeeding(["build", "-q", "-t", "made"] + arguments + [context.string])
        let finished = try buildUnprivileged(poor, ["-t", "made"] + arguments + [context.string])
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(try layers("made", of: poor) == layers("made", of: full))
        #expect(try poor.unfinished() == [])
    }

    @Test func makesTheLayersOfNamespacesWithMounts() throws {
        try scratch.write("geheim", to: "secret")
        try expectSameLayers(
            [
                "FROM lamina/base AS other", "RUN echo other > /other",
                "FROM lamina/base",
                Self.timeless(
                    "echo 1 >> /c/n && cat /run/secrets/s /o/other /x/file > /dev/null && echo t > /t/t"
                        + " && cp /c/n /out && echo lost >> /x/file",
                    mounts: "--mount=type=cache,target=/c --mount=type=secret,id=s --mount=type=tmpfs,target=/t"
                        + " --mount=from=other,target=/o --mount=target=/x,rw"),
                "COPY file /later/",
                Self.timeless("mkdir -p /w/d"),
                "WORKDIR /w/d",
                Self.timeless("cat /c/n > seen", mounts: "--mount=type=cache,target=/c"),
                "RUN <<EOF",
                "cat /later/file > /heredoc",
                "touch -d @1000000000 /heredoc",
                "EOF",
                "USER 1000:1000",
                "RUN id -u",
            ].joined(separator: "\n"), ["--secret", "id=s,src=\(scratch.path.appending("secret"))"])
    }

    @Test func leavesNothingOfTheBuilderInTheLayer() throws {
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN rm -f /etc/resolv.conf && echo mine > /etc/hosts && echo x > /proc/x && echo y > /sys/y && rm /dev/null

            """)
        let poor = lamina("chroot")
        #expect(try buildUnprivileged(poor, ["-t", "clean", context.string]).status == 0)
        try poor.succeeding("save", "-o", scratch.path.appending("clean.tar").string, "clean")
        let listing = try expectSuccess(
            "sh", "-c",
            "cd '\(scratch.path)' && mkdir u && tar xf clean.tar -C u && for l in $(find u/blobs -type f); do "
                + "tar tf $l 2>/dev/null; done; true"
        ).outputLines
        let strangers = ["dev/n", "proc/x", "sys/y", "etc/h", "etc/r"]
        #expect(listing.filter { name in strangers.contains { name.hasPrefix($0) } }.isEmpty)
    }

    /// Each command succeeds in a chroot, and not where a mount is read-only.
    @Test(arguments: [
        ("target=/m", "echo x > /m/new", "/m"), ("target=/m", "echo x >> /m/file", "/m/file"),
        ("type=cache,target=/m,ro", "echo x > /m/new", "/m"),
        ("from=lamina/base,target=/m", "rm /m/etc/passwd", "/m/etc"),
        ("type=tmpfs,target=/m,ro", "echo x > /m/new", "/m"),
        ("type=secret,id=s", "echo x > /run/secrets/s", "/run/secrets/s"),
    ])
    func refusesWritesToReadOnlyMounts(_ mount: String, _ command: String, _ path: String) throws {
        let secret = try scratch.write("geheim", to: "secret")
        try scratch.write("text", to: "context/file")
        let context = try scratch.context("FROM lamina/base\nRUN --mount=\(mount) \(command)\n")
        let arguments = ["--secret", "id=s,src=\(secret)", context.string]
        let finished = try buildUnprivileged(lamina("chroot"), arguments)
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("the command changed '\(path)', which is in a read-only mount"))
        #expect(try lamina("chroot").unfinished() == [])
        #expect(try lamina("namespaces").start(["build"] + arguments).wait().status == 1)
    }

    @Test func readsReadOnlyMounts() throws {
        try scratch.write("text", to: "context/file")
        let context = try scratch.context(
            """
            FROM lamina/base
            WORKDIR /m
            RUN --mount=target=. --mount=type=cache,target=/m/c cat file && ls -l /m && cp file /copy && echo x > c/x && \\
                { echo x > /none/x || true; }

            """)
        let finished = try buildUnprivileged(lamina("chroot"), [context.string])
        #expect(finished.status == 0, "\(finished.errorText)")
    }

    @Test func refusesWhatItCannotDo() throws {
        let context = try scratch.context("FROM lamina/base\nRUN --network=none true\n")
        let finished = try buildUnprivileged(lamina("chroot"), [context.string])
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("a command in a changed root has the network of the builder"))
    }

    /// A builder that is killed leaves the cache in the tree, and the secret, which the next one removes.
    @Test func givesCachesBackAfterAKill() throws {
        let poor = lamina("chroot")
        let first = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c echo kept > /c/f\n", named: "first")
        #expect(try buildUnprivileged(poor, [first.string]).status == 0)
        let marker = endlessSleep()
        let second = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c --mount=type=secret,id=s touch /c/seen; \(marker)\n",
            named: "second")
        let secret = try scratch.write("between us \(marker)\n", to: "secret")
        let build = try poor.start(["build", "--secret", "id=s,src=\(secret)", second.string])
        // The cache is where the command sees it.
        try wait(for: "the command's start", until: { try run("pgrep", "-fx", marker).status == 0 })
        build.send(SIGKILL)
        _ = try build.wait()
        try wait(for: "the command's end", until: { try run("pgrep", "-fx", marker).status != 0 })
        let search = ["grep", "-rlsF", "between us", poor.root.string]
        #expect(try RunningProcess(search).wait().status == 0)
        let third = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c cat /c/f && ls /c/seen\n", named: "third")
        let finished = try buildUnprivileged(poor, [third.string])
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(try poor.unfinished() == [])
        #expect(try RunningProcess(search).wait().status == 1)
    }

    /// The change of one command stays, as with every other isolation, also when it fails or its build is cancelled.
    @Test(arguments: ["exit 3", "kill -9 $$", "kill -9 $PPID; sleep 300"])
    func keepsCachesOfACommandThatFails(_ ending: String) throws {
        let poor = lamina("chroot")
        let mount = "RUN --mount=type=cache,target=/c"
        let first = try scratch.context("FROM lamina/base\n\(mount) echo kept > /c/f\n", named: "first")
        #expect(try buildUnprivileged(poor, [first.string]).status == 0)
        let second = try scratch.context("FROM lamina/base\n\(mount) touch /c/seen; \(ending)\n", named: "second")
        let start = ContinuousClock.now
        let failed = try buildUnprivileged(poor, ["--timeout", "20s", second.string])
        #expect(failed.status == 1, "\(failed.errorText)")
        #expect(ContinuousClock.now - start < .seconds(120))
        let third = try scratch.context("FROM lamina/base\n\(mount) cat /c/f && ls /c/seen\n", named: "third")
        let finished = try buildUnprivileged(poor, [third.string])
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(try poor.unfinished() == [])
    }

    /// One stage hands a descriptor of its root to another one that runs at the same time.
    @Test(.enabled(if: Machine.has("cc"), "needs a C compiler"))
    func stagesDoNotLeaveTheirRootsTogether() throws {
        let name = "lamina-roots-\(getpid())"
        let context = try scratch.context(
            """
            FROM lamina/base AS give
            COPY two_roots /
            RUN /two_roots give \(name); true
            FROM lamina/base AS take
            COPY two_roots /
            RUN /two_roots take \(name) \(name) > /ending
            FROM scratch
            COPY --from=take /ending /
            COPY --from=give /two_roots /

            """)
        let source = Lamina.packageRoot.appending("testdata/hostile/two_roots.c").string
        try expectSuccess("cc", "-static", "-O1", "-o", context.appending("two_roots").string, source)
        let output = scratch.path.appending("out").string
        let finished = try buildUnprivileged(lamina("chroot"), ["-o", output, context.string])
        #expect(finished.status == 0, "\(finished.errorText)")
        let ending = try text(of: scratch.path.appending("out/ending")).trimmed
        #expect(ending == (Machine.scopesLandlock ? "EPERM" : "ECONNREFUSED"))
        #expect(try run("ls", "/\(name)").status != 0)
    }

    /// Without Landlock two commands could leave their roots together, whichever `lamina` started them.
    @Test(.enabled(if: Machine.has("cc") && Machine.has("flock"), "needs a C compiler and flock"))
    func commandsThatAreRunTakeTurnsWithoutLandlock() throws {
        let program = scratch.path.appending("no_landlock").string
        let source = Lamina.packageRoot.appending("testdata/hostile/no_landlock.c").string
        try expectSuccess("cc", "-static", "-O1", "-o", program, source)
        let poor = lamina("chroot")
        let binary = try #require(Lamina.binary).string
        let command = [program, binary, "run", "--rm", "lamina/base", "echo", "ran"]
        let variables = ["LAMINA_ROOT": poor.root.string, "LAMINA_ISOLATION": "chroot"]
        let alone = try RunningProcess(command, environment: variables).wait()
        #expect(alone.trimmed == "ran" && !alone.errorText.contains("waiting"), "\(alone.errorText)")
        // Another command's turn.
        let lock = poor.root.appending("chroot.lock").string
        let turn = try RunningProcess(
            ["sh", "-c", "exec 9>> \"$0\"; flock 9; echo held; exec \(endlessSleep())", lock])
        try wait(for: "the other turn", until: { try turn.outputSoFar() == "held\n" })
        let waiting = try RunningProcess(command, environment: variables)
        let notice = "waiting for another command that runs in a changed root"
        try wait(for: "the wait", until: { try waiting.errorsSoFar().contains(notice) })
        #expect(try waiting.outputSoFar() == "")
        turn.send(SIGKILL)
        _ = try turn.wait()
        #expect(try waiting.wait().trimmed == "ran")
    }

    /// The whole of it for real: the machine's own programs and libraries in a container without privileges.
    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman))
    func worksInPodman() throws {
        try Podman.load(try Box.archive.get())
        let context = try scratch.context(
            "FROM lamina/base\nRUN id -u > /who; echo x > /dev/null; cat /dev/null; ls /proc\nRUN chroot / true\n")
        let finished = try Podman.run(
            Box.name, options: try Box.options(context: context) + ["-e", "LAMINA_ISOLATION=chroot"],
            ["/src/lamina", "build", "--progress=plain", "/context"])
        // The first command works, the second must not.
        #expect(finished.status == 1)
        let text = finished.errorText
        #expect(text.contains("RUN id -u > /who; echo x > /dev/null; cat /dev/null; ls /proc"), "\(text)")
        #expect(text.contains("process \"/bin/sh -c chroot / true\" did not complete successfully"), "\(text)")
    }
}
