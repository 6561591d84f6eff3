import SystemPackage
import Testing

/// The flags of `lamina build` that say what may be used again, for which platform, and where to note the result.
@Suite("Build flags", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct BuildFlagTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private func cached(_ arguments: String...) throws -> [String] {
        let lines = try lamina.succeeding(["build", "--progress", "plain"] + arguments).errorLines
        let hits = zip(lines, lines.dropFirst()).filter { $1.hasSuffix(" CACHED") }
        return hits.compactMap { $0.0.split(separator: "] ", maxSplits: 1).last.map(String.init) }
            .filter { !$0.hasPrefix("FROM ") }.sorted()
    }

    /// A stage that is run again and gives the same files leaves those after it as they are.
    @Test func noCacheFilterAndLifetime() throws {
        let context = try scratch.context(
            "FROM lamina/base AS one\nRUN echo 1 > /1\nFROM lamina/base\nRUN echo 2 > /2\nCOPY --from=one /1 /\n")
        let path = context.string
        #expect(try cached(path) == [])
        let all = ["COPY --from=one /1 /", "RUN echo 1 > /1", "RUN echo 2 > /2"]
        #expect(try cached(path) == all)
        #expect(try cached("--no-cache-filter", "ONE,other", path) == [all[0], all[2]])
        #expect(try cached("--cache-ttl", "1h", path) == all)
        #expect(try cached("--cache-ttl", "1ns", path) == [])
        #expect(try cached("--cache-ttl", "0", path) == [])
    }

    /// A pipe can be read only once, and an end of it be opened only once.
    @Test func filesOfTheCommandLineMayBePipes() throws {
        let context = try scratch.context("FROM scratch\nARG A B\nLABEL got=$A-$B\n")
        let binary = try #require(Lamina.binary)
        let trace = scratch.path.appending("trace")
        let script = """
            mkfifo "$2.pipe"
            cat "$2.pipe" > "$2" &
            "$0" build --build-arg-file <(printf 'A=1\nB=two\n') --trace "$2.pipe" -t piped "$1"
            wait
            """
        let build = try RunningProcess(
            ["bash", "-ec", script, binary.string, context.string, trace.string],
            environment: ["LAMINA_ROOT": lamina.root.string]
        ).wait(limit: .seconds(60))
        #expect(build.status == 0, "\(build.errorText)")
        #expect(try lamina.succeeding("inspect", "-f", "{{.Config.Labels.got}}", "piped").trimmed == "1-two")
        #expect(try JSONValue(parsing: text(of: trace))["traceEvents"]?.array?.isEmpty == false)
    }

    @Test func wrongValuesOfOptionsAreUsageErrors() throws {
        let context = try scratch.context("FROM scratch\n").string
        for options in [
            ["--ulimit", "x"], ["--progress", "x"], ["--build-arg-file", "/nonexistent"], ["--gc", "x"],
        ] {
            let build = try lamina.start(["build"] + options + [context]).wait()
            #expect(build.status == 2)
            #expect(build.errorText.hasPrefix("Error: ") && build.errorText.contains("\nUsage: lamina build ["))
        }
        let unsupported = try lamina("build", "--platform", "linux/amd64,linux/nonsense", context)
        #expect(unsupported.status == 1)
        #expect(unsupported.errorText.hasPrefix("ERROR: failed to build: "), "\(unsupported.errorText)")
    }

    @Test("The ID file and the metadata file describe the image")
    func reports() throws {
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n")
        let (idFile, metadata) = (scratch.path.appending("id"), scratch.path.appending("metadata"))
        let archive = scratch.path.appending("out.tar")
        let id = try lamina.build(
            context, "-t", "app", "-t", "h:5/b", "--iidfile", idFile.string, "--metadata-file", metadata.string, "-o",
            "type=oci,dest=\(archive)")
        #expect(try text(of: idFile) == id)
        let json = try JSONValue(parsing: text(of: metadata))
        #expect(json["containerimage.config.digest"] == .string(id))
        #expect(json["image.name"] == .string("docker.io/library/app:latest,h:5/b:latest"))
        let digest = try #require(json["containerimage.digest"]?.string)
        #expect(json["containerimage.descriptor"]?["digest"] == .string(digest))
        #expect(try expectSuccess("tar", "-xOf", archive.string, "index.json").trimmed.contains(digest))

        // In the store alone an image has no manifest yet.
        try lamina.build(context, "--metadata-file", metadata.string)
        #expect(try JSONValue(parsing: text(of: metadata))["containerimage.digest"] == nil)

        // What failed has no ID, nor the one of a former build.
        try scratch.write("FROM scratch\nCOPY nothing /\n", to: "context/Dockerfile")
        #expect(try lamina("build", "--iidfile", idFile.string, context.string).status == 1)
        #expect(throws: (any Error).self) { try text(of: idFile) }
        #expect(try lamina("build", "--iidfile", idFile.string, "-o", "out", context.string).status == 2)
    }

    @Test func argumentFile() throws {
        let context = try scratch.context("FROM scratch\nARG A\nARG B\nLABEL l=\"$A/$B\"\n")
        let file = try scratch.write("# names\nA=one two\nB=file\n", to: "args")
        try lamina.build(context, "-t", "x", "--build-arg-file", file.string, "--build-arg", "B=given")
        let label = try lamina.succeeding("inspect", "--format", "{{.Config.Labels.l}}", "x").trimmed
        #expect(label == "one two/given")
        try scratch.write("=x\n", to: "args")
        let refused = try lamina("build", "--build-arg-file", file.string, context.string)
        #expect(refused.status == 2)
        #expect(refused.errorText.contains("line 1 of \(file) has no name before the equals sign"))
    }

    @Test(
        "The flag --pull decides whether the registry is asked",
        .enabled(if: Machine.hasRegistry, Machine.needsRegistry))
    func pull() throws {
        let lamina = lamina.with(["DOCKER_CONFIG": scratch.path.string])
        let publisher = Lamina(root: scratch.path.appending("other")).with(lamina.environment)
        func build(_ flags: String...) throws -> Finished {
            try lamina.start(["build", "-t", "child"] + flags + [scratch.path.appending("child").string]).wait()
        }
        func version() throws -> String {
            try lamina.succeeding("inspect", "--format", "{{.Config.Labels.v}}", "child").trimmed
        }
        var name = ""
        try DockerRegistry.with(in: scratch) { registry in
            name = "\(registry.name)/base:1"
            try scratch.context("FROM \(name)\n", named: "child")
            let never = try build("--pull=never")
            #expect(never.status == 1)
            #expect(never.errorText.contains("image \(name) is not in the store, and --pull=never forbids to fetch it"))
            for (number, flags, expected) in [
                (1, [], "1"), (2, [], "1"), (2, ["--pull=never"], "1"), (2, ["--pull"], "2"),
                (3, ["--pull=missing"], "2"), (3, ["--pull=0"], "2"),
                (3, ["--pull=newer"], "3"), (4, ["--pull=always"], "4"), (5, ["--pull=1"], "5"),
            ] as [(Int, [String], String)] {
                let base = try scratch.context("FROM scratch\nCOPY Dockerfile /\nLABEL v=\(number)\n", named: "base")
                try publisher.build(base, "-t", name, "--push")
                try lamina.succeeding(["build", "-t", "child"] + flags + [scratch.path.appending("child").string])
                #expect(try version() == expected, "\(number) \(flags)")
            }
        }
        // The registry is gone.
        #expect(try build("--pull").status == 1)
        #expect(try build("--pull=newer").status == 0)
    }

    /// An image for another processor, with a program that this one cannot run.
    @Test func foreignPlatform() throws {
        let context = try scratch.context(
            "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /bin/sh\nENTRYPOINT [\"/x\"]\n")
        let machine = try expectSuccess("uname", "-m").trimmed
        let (name, code) = machine == "x86_64" ? ("arm64", #"\267"#) : ("amd64", #"\076"#)
        let header = #"\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000"# + code + #"\000\001"#
        let program = context.appending(name).string
        try expectSuccess(
            "sh", "-c", "printf '\(header)' > \(program); head -c 300 /dev/zero >> \(program); chmod +x \(program)")
        try lamina.build(context, "-t", "foreign", "--platform", name)
        #expect(try lamina.succeeding("inspect", "--format", "{{.Architecture}}", "foreign").trimmed == name)
        try scratch.write("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /bin/sh\nRUN x\n", to: "context/Dockerfile")
        // Emulators are looked for in PATH.
        let failed = try lamina.with(["PATH": "/nonexistent"])("build", "--platform", "linux/\(name)", context.string)
        #expect(failed.status == 1)
        #expect(failed.errorText.contains("'/bin/sh' cannot be executed: exec format error"))
        #expect(failed.errorText.contains("binfmt_misc"))
        try scratch.write("FROM lamina/base\n", to: "context/Dockerfile")
        #expect(try lamina("build", "--platform", "linux/\(name)", context.string).status == 1)
    }
}
