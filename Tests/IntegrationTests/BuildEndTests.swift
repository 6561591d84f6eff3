import Glibc
import SystemPackage
import Testing

/// How commands of a build end before their time, what they can write, and what the user mounts for them.
@Suite("Ends of builds", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct BuildEndTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    /// Commands of several lines, with quotes and other bytes, are quoted as Go does it.
    @Test func aFailedCommandIsOneLine() throws {
        let context = try scratch.context("FROM lamina/base\nRUN <<E\nprintf '\t\\\\ \"ä'\nexit 3\nE\n")
        let build = try lamina("build", context.string)
        #expect(build.status == 1)
        let line = try #require(build.errorLines.first { $0.hasPrefix("ERROR: failed to build") })
        let quoted = #""/bin/sh -c printf '\t\\\\ \"ä'\nexit 3\n""#
        #expect(line.hasSuffix(": process \(quoted) did not complete successfully: exit code: 3"), "\(line)")
    }

    @Test func timeLimitEndsAStepWithASentence() throws {
        let marker = endlessSleep()
        let context = try scratch.context("FROM lamina/base\nRUN echo before; \(marker)\n")
        let build = try lamina("build", "--progress", "plain", "--timeout", "3s", context.string)
        #expect(build.status == 1)
        #expect(build.errorText.contains(" before\n"))
        let sentence =
            "process \"/bin/sh -c echo before; \(marker)\" did not complete: it ran longer than --timeout 3s"
        #expect(build.errorText.contains("ERROR: failed to build: failed to solve: \(sentence)\n"))
        try lamina.expectNothingLeft(process: marker)
        try scratch.context("FROM lamina/base\nRUN true\n")
        try lamina.build(context, "--timeout", "1h30m")
        for wrong in ["1", "-1s", "0s", "soon"] {
            #expect(try lamina("build", "--timeout", wrong, context.string).status == 2)
        }
    }

    @Test func secondSignalEndsAtOnce() throws {
        let marker = endlessSleep()
        let context = try scratch.context("FROM lamina/base\nRUN echo started; \(marker)\n")
        let build = try lamina.start(["build", "--progress", "plain", context.string])
        try wait(until: { try build.errorsSoFar().contains(" started\n") })
        build.send(2)
        build.send(2)
        #expect(try build.wait(limit: .seconds(30)).status == 130)
        try wait(until: { try run("pgrep", "-fx", marker).outputLines == [] })
        try lamina.succeeding("run", "lamina/base", "true")
        try lamina.expectNothingLeft(process: marker)
    }

    /// A terminal that closes sends the signal through the kernel and through the shell.
    @Test func twoHangupsCancelABuildAsOneDoes() throws {
        let marker = endlessSleep()
        let context = try scratch.context("FROM lamina/base\nRUN echo started; \(marker)\n")
        let build = try lamina.start(["build", "--progress", "plain", context.string])
        try wait(until: { try build.errorsSoFar().contains(" started\n") })
        build.send(1)
        build.send(1)
        #expect(try build.wait(limit: .seconds(60)).status == 129)
        #expect(try lamina.succeeding("builds", "--format", "{{.Status}}").outputLines == ["cancelled"])
        try lamina.expectNothingLeft(process: marker)
    }

    @Test func volumesAreSeenByEveryCommandAndInNoLayerOrKey() throws {
        try scratch.write("data\n", to: "volume/file")
        let volume = scratch.path.appending("volume")
        let context = try scratch.context(
            "FROM lamina/base\nRUN cat /v/file > /copy; touch /v/new || echo ref\"\"used\nRUN cat /v/file\n")
        let build = ["build", "--progress", "plain", "--no-cache"]
        let readOnly = try lamina.succeeding(build + ["-v", "\(volume):/v:ro", context.string])
        #expect(readOnly.errorText.contains(" refused\n"))
        let discarded = try lamina.succeeding(build + ["-v", "\(volume):/v:O", context.string])
        #expect(!discarded.errorText.contains(" refused\n"))
        #expect(try expectSuccess("ls", volume.string).outputLines == ["file"])
        let mount = "type=bind,src=\(volume),dst=/v"
        try lamina.succeeding(build + ["--mount", mount, "-t", "mounted", context.string])
        #expect(try expectSuccess("ls", volume.string).outputLines == ["file", "new"])
        let look = try lamina("run", "mounted", "sh", "-c", "cat /copy; ls /v")
        #expect(look.outputText == "data\n" && look.errorText.contains("No such file"), "\(look.errorText)")
        // Without it the steps are known all the same.
        let cached = try lamina.succeeding("build", "--progress", "plain", context.string)
        #expect(cached.errorText.contains("#5 CACHED\n"))
        #expect(try lamina("run", "-v", "\(volume):/v:ro", "lamina/base", "cat", "/v/file").outputText == "data\n")
    }

    @Test func mountsOfTheCommandLineAreThoseOfRun() throws {
        let secret = try scratch.write("hidden\n", to: "secret")
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN echo 1 >> /cache/n; echo x > /memory/x; cat /run/secrets/s; df -k /memory | tail -1
            RUN cat /cache/n; ls /memory

            """)
        let options = [
            "--mount", "type=cache,target=/cache,id=own", "--mount", "type=tmpfs,target=/memory,size=2m", "--mount",
            "type=secret,id=s", "--secret", "id=s,src=\(secret)",
        ]
        let build = try lamina.succeeding(
            ["build", "--progress", "plain", "--no-cache", "-t", "image"] + options + [context.string])
        #expect(build.errorText.contains(" hidden\n") && build.errorText.contains(" 2048 "), "\(build.errorText)")
        #expect(build.errorText.contains("#6 0") && build.errorText.contains(" 1\n"))
        #expect(try lamina("run", "image", "ls", "-A", "/cache").status != 0)
        #expect(try lamina("run", "image", "cat", "/run/secrets/s").status != 0)
    }

    private static let badVolumes: [[String]] = [
        ["-v", "name:/v"], ["-v", "/nonexistent:/v"], ["-v", "/tmp"], ["-v", "/tmp:relative"], ["-v", "/tmp:/"],
        ["-v", "/tmp:/v:wrong"], ["--mount", "type=bind,src=/tmp"], ["--mount", "type=bind,src=/tmp,dst=/v,size=1"],
        ["--mount", "type=volume,dst=/v"], ["--mount", "type=cache,from=x,target=/v"],
    ]

    @Test(arguments: badVolumes) func badVolumesAreRefused(_ options: [String]) throws {
        let context = try scratch.context("FROM lamina/base\n")
        #expect(try lamina.start(["build"] + options + [context.string]).wait().status == 2)
    }

    /// Two processes, and not two steps of one.
    @Test func lockedCacheIsWaitedForAcrossProcesses() throws {
        func context(_ name: String) throws -> FilePath {
            try scratch.context(
                """
                FROM lamina/base
                RUN --mount=type=cache,target=/c,sharing=locked test ! -e /c/busy && touch /c/busy && sleep 0.7 && \
                rm /c/busy && echo \(name) >> /c/log

                """, named: name)
        }
        let builds = try ["a", "b", "c"].map { try lamina.start(["build", "-q", context($0).string]) }
        for build in builds {
            let finished = try build.wait()
            #expect(finished.status == 0, "\(finished.errorText)")
        }
        let look = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c wc -l < /c/log\n", named: "look")
        #expect(try lamina("build", "--progress", "plain", look.string).errorText.contains(" 3\n"))
    }

    /// The whole of it is read, and no more is held than a few buffers.
    @Test func floodOfOutputIsNotHeldInMemory() throws {
        let context = try scratch.context(
            "FROM lamina/base\nRUN yes $(head -c 3000 /dev/zero | tr '\\0' x) | head -c 100000000\n")
        let (build, peak) = try buildMeasuringMemory(context)
        #expect(build.status == 0 && peak > 0 && peak < 400_000, "\(peak) KiB, \(build.errorText)")
    }

    @Test func aLargeFileOfTheWebIsNotHeldInMemory() throws {
        let server = try RunningProcess([
            "python3", "-c",
            """
            import http.server
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.send_header("Content-Length", str(256 << 20))
                    self.end_headers()
                    for _ in range(256): self.wfile.write(bytes(1 << 20))
            server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
            print(server.server_port, flush=True)
            server.serve_forever()
            """,
        ])
        defer {
            server.send(SIGKILL)
            _ = try? server.wait()
        }
        try wait(for: "the server's start", until: { try server.outputSoFar().hasSuffix("\n") })
        let port = try server.outputSoFar().trimmed
        let context = try scratch.context("FROM scratch\nADD http://127.0.0.1:\(port)/big /\n")
        let (build, peak) = try buildMeasuringMemory(context)
        #expect(build.status == 0 && peak > 0 && peak < 150_000, "\(peak) KiB, \(build.errorText)")
    }

    /// A build and the largest resident set that it had, in KiB.
    private func buildMeasuringMemory(_ context: FilePath) throws -> (Finished, peak: Int) {
        let build = try lamina.start(["build", "--no-cache", "--progress", "quiet", context.string])
        var peak = 0
        try wait(
            for: "the build's end",
            until: {
                let status = (try? text(of: FilePath("/proc/\(build.id)/status"))) ?? ""
                let line = status.lines.first { $0.hasPrefix("VmHWM:") } ?? ""
                peak = max(peak, Int(line.filter(\.isNumber)) ?? 0)
                return status.contains("State:\tZ") || status.isEmpty
            })
        return (try build.wait(), peak)
    }

    @Test(.enabled(if: Machine.has("ssh-agent") && Machine.has("ssh-keygen"), "needs ssh-agent and ssh-keygen"))
    func keyFilesAreForwardedThroughAnAgent() throws {
        let key = scratch.path.appending("key").string
        try expectSuccess("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        let context = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo so\"\"cket\n")
        let build = try lamina.succeeding(["build", "--progress", "plain", "--ssh", "default=\(key)", context.string])
        #expect(build.errorText.contains(" socket\n"))
        try lamina.expectNothingLeft(process: "ssh-agent -D -a \(lamina.root).*")
        try expectSuccess("ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", key)
        let locked = try lamina("build", "--no-cache", "--ssh", "default=\(key)", context.string)
        #expect(locked.status == 1 && locked.errorText.contains("the key \(key) cannot be used"), "\(locked.errorText)")
        try lamina.expectNothingLeft(process: "ssh-agent -D -a \(lamina.root).*")
    }

    @Test func commandsWithSecretsLeaveNoCores() throws {
        let secret = try scratch.write("hidden\n", to: "secret")
        let context = try scratch.context(
            "FROM lamina/base\nRUN ulimit -c\nRUN --mount=type=secret,id=s ulimit -H -c; grep core /proc/self/limits\n")
        let build = try lamina.succeeding([
            "build", "--progress", "plain", "--secret", "id=s,src=\(secret)", context.string,
        ])
        let line = build.errorLines.first { $0.contains("Max core file size") } ?? ""
        #expect(line.split(separator: " ").suffix(3) == ["1", "1", "bytes"], "\(line)")
    }

    // MARK: The shell

    /// Runs a script in a terminal.
    private func inTerminal(_ script: String, typing: String) throws -> String {
        let input = try scratch.write(typing, to: "typed")
        let session = try run(
            "script", "-qec", script, "/dev/null",
            environment: ["LAMINA_ROOT": lamina.root.string, "SHELL": "/bin/sh", "NO_COLOR": "1"], input: input)
        return session.outputText.withoutReturns
    }

    @Test(.enabled(if: Machine.has("script"), "needs script(1)"))
    func failedStepOpensAShellWhereItFailed() throws {
        let context = try scratch.context(
            """
            FROM lamina/base
            ENV WHO=step
            WORKDIR /w
            RUN --mount=type=cache,target=/c echo made > made; echo cached > /c/it; exit 42

            """)
        let binary = try #require(Lamina.binary).string
        let script = "\(binary) build --progress plain --on-error shell -t failed \(context); echo status $?"
        let typed = "cat made /c/it; echo $WHO in $PWD; echo more > more; tty; exit 9\n"
        let shown = try inTerminal(script, typing: typed)
        #expect(shown.contains("\nmade\ncached\nstep in /w\n/dev/pts/0\n"), "\(shown)")
        #expect(shown.contains("exit code: 42") && shown.contains("\nstatus 1\n"), "\(shown)")
        #expect(try lamina("run", "failed", "true").status == 125)
        #expect(try lamina.unfinished() == [])
    }

    @Test func shellNeedsATerminal() throws {
        let context = try scratch.context("FROM lamina/base\nRUN false\n")
        let build = try lamina("build", "--on-error", "shell", context.string)
        #expect(build.status == 2)
        #expect(build.errorText.contains("--on-error=shell needs a terminal"))
    }
}

extension String {
    /// The text of a terminal with the line ends of a file.
    var withoutReturns: String {
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars where scalar != "\r" && scalar != "\0" { text.append(scalar) }
        return String(text)
    }
}
