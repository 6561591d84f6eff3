import SystemPackage
import Testing

/// The effects of `lamina build` besides images: the cache, exit codes, messages, and files left behind.
@Suite("Building", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct BuildTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    @Test func secondBuildIsCached() throws {
        try scratch.write("one\n", to: "context/file")
        let context = try scratch.context(
            "FROM lamina/base AS a\nRUN echo 1 > /1\nFROM lamina/base\nWORKDIR /w\nCOPY file .\nCOPY --from=a /1 /\n")
        let build = ["build", "--progress", "plain", "-t", "twice", context.string]
        let all = ["RUN echo 1 > /1", "WORKDIR /w", "COPY file .", "COPY --from=a /1 /"]
        var cached = try cachedSteps(of: lamina.succeeding(build))
        #expect(cached == [])
        let id = try lamina.succeeding("images", "-q", "--no-trunc", "twice").trimmed

        // Names, owners and bytes count; times do not.
        try expectSuccess("touch", "-d", "2001-01-01", context.appending("file").string)
        cached = try cachedSteps(of: lamina.succeeding(build))
        #expect(cached == Set(all))
        #expect(try lamina.succeeding("images", "-q", "--no-trunc", "twice").trimmed == id)

        try scratch.write("two\n", to: "context/file")
        cached = try cachedSteps(of: lamina.succeeding(build))
        #expect(cached == Set(all[..<2]))

        // Making a directory is not worth doing again, as BuildKit sees it.
        cached = try cachedSteps(of: lamina.succeeding(build + ["--no-cache"]))
        #expect(cached == ["WORKDIR /w"])
    }

    @Test func socketIsAnEmptyFileAsWithBuildKit() throws {
        let context = try scratch.context("FROM lamina/base\nCOPY s /s\nRUN test -f /s && test ! -s /s\n")
        try expectSuccess(
            "python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
            context.appending("s").string)
        try lamina.build(context)
        #expect(try cachedSteps(of: lamina.succeeding(["build", "--progress", "plain", context.string])).count == 2)
    }

    /// A step that waits at a gate gives the time in which a file is changed.
    @Test func whatChangesDuringABuildIsNotTakenForWhatWasThereBefore() throws {
        try scratch.write("old\n", to: "context/file")
        let context = try scratch.context(
            "FROM lamina/base\nRUN echo waiting && \(Gate.pass)\nCOPY file /file\nRUN cat /file\n")
        let gate = try Gate(in: scratch)
        let build = ["build", "--progress", "plain"] + gate.options + [context.string]
        let running = try lamina.start(build)
        try wait(until: { try running.errorsSoFar().contains(" waiting\n") })
        try scratch.write("new\n", to: "context/file")
        try gate.open()
        let first = try running.wait()
        #expect(first.errorText.contains(" new\n"), "\(first.errorText)")
        try scratch.write("old\n", to: "context/file")
        let second = try lamina.succeeding(build)
        #expect(second.errorText.contains(" old\n"), "\(second.errorText)")
        try scratch.write("new\n", to: "context/file")
        let third = try lamina.succeeding(build)
        #expect(third.errorText.contains(" new\n") || cachedSteps(of: third).contains("RUN cat /file"))
    }

    /// The instructions that were answered by the cache; bases are left out.
    private func cachedSteps(of build: Finished) -> Set<String> {
        let lines = build.errorLines
        let hits = zip(lines, lines.dropFirst()).filter { $1.hasSuffix(" CACHED") }
        let steps = hits.map { line, _ in line.split(separator: "] ", maxSplits: 1).last.map(String.init) ?? line }
        return Set(steps.filter { !$0.hasPrefix("FROM ") })
    }

    @Test func failedRunSaysWhereAndLeavesNothing() throws {
        let marker = endlessSleep()
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN echo made > /made
            # The next one starts a process that would stay.
            RUN (\(marker) &) ; echo seen; echo also >&2; \\
                exit 42

            """)
        let finished = try lamina("build", "--progress", "plain", context.string)
        #expect(finished.status == 1)
        let errors = finished.errorText
        #expect(errors.contains("did not complete successfully: exit code: 42\n"))
        #expect(errors.contains("Dockerfile:4\n--------------------\n"))
        #expect(errors.contains("   4 | >>> RUN (\(marker) &)"))
        #expect(errors.contains("   5 | >>>     exit 42\n"))
        #expect(errors.contains(" seen\n") && errors.contains(" also\n"))
        try lamina.expectNothingLeft(process: marker)
        #expect(try lamina.state() == ["lamina/base:latest \(try baseID())"])
    }

    @Test(arguments: [("INT", 130), ("TERM", 143)]) func interruptedBuildLeavesNothing(
        _ signal: String, _ status: Int32
    )
        throws
    {
        let marker = endlessSleep()
        let context = try scratch.context("FROM lamina/base\nRUN echo started; \(marker)\n")
        let build = try lamina.start(["build", "--progress", "plain", context.string])
        try wait(until: { try build.errorsSoFar().contains(" started\n") })
        try expectSuccess("kill", "-\(signal)", String(build.id))
        let finished = try build.wait(limit: .seconds(30))
        #expect(finished.status == status)
        #expect(finished.errorText.contains("ERROR: build canceled\n"))
        try lamina.expectNothingLeft(process: marker)
    }

    @Test func killedBuildLeavesAGoodStore() throws {
        let marker = endlessSleep()
        let context = try scratch.context(
            "FROM lamina/base\nRUN echo 1 > /1\nRUN echo started; \(marker); echo 2 > /2\n")
        let build = try lamina.start(["build", "--progress", "plain", context.string])
        try wait(until: { try build.errorsSoFar().contains(" started\n") })
        build.send(9)
        #expect(try build.wait(limit: .seconds(30)).status == 137)

        try scratch.context("FROM lamina/base\nRUN echo 1 > /1\nRUN echo started; echo 2 > /2\n")
        let next = try lamina("build", "--progress", "plain", "-t", "next", context.string)
        #expect(next.status == 0, "\(next.errorText)")
        // What was finished before the kill is still known.
        #expect(next.errorText.contains("RUN echo 1 > /1\n#5 CACHED\n"), "\(next.errorText)")
        try lamina.expectNothingLeft(process: marker)
        let archive = scratch.path.appending("next.tar").string
        try lamina.succeeding("save", "-o", archive, "next")
    }

    @Test func buildsAtOnceShareAStore() throws {
        let context = try scratch.context(
            "FROM lamina/base\nARG WHO\nCOPY Dockerfile /\nRUN sleep 0.5; echo $WHO > /who\n")
        let names = ["a", "b", "c", "d"]
        // Two of them are the same build.
        let builds = try names.map { name in
            try lamina.start([
                "build", "--progress", "plain", "-t", name, "--build-arg", "WHO=\(name == "d" ? "c" : name)",
                context.string,
            ])
        }
        for build in builds {
            let finished = try build.wait()
            #expect(finished.status == 0, "\(finished.errorText)")
        }
        for (name, who) in zip(names, ["a", "b", "c", "c"]) {
            try scratch.context("FROM \(name)\nRUN echo \"it is $(cat /who)\"\n", named: "look")
            let look = try lamina(
                "build", "--no-cache", "--progress", "plain", scratch.path.appending("look").string)
            #expect(look.errorText.contains(" it is \(who)\n"), "\(look.errorText)")
        }
    }

    @Test func buildsWithoutRunNeedNoSandbox() throws {
        try scratch.write("x", to: "context/x")
        let context = try scratch.context("FROM scratch\nCOPY x /x\nCMD [\"/x\"]\n")
        try lamina.build(context, "-t", "plain")
        #expect(try expectSuccess("ls", lamina.root.appending("snapshots").string).outputLines == [])
    }

    private func baseID() throws -> String {
        try lamina.succeeding("images", "-q", "--no-trunc", "lamina/base").trimmed
    }
}

extension Lamina {
    /// Expects that a command of a build is gone, with its mounts and its files in the making.
    func expectNothingLeft(process: String) throws {
        #expect(try run("pgrep", "-fx", process).outputLines == [])
        #expect(!(try text(of: "/proc/self/mounts")).contains(root.string))
        #expect(try unfinished() == [])
    }
}
