import SystemPackage
import Testing

/// Builds that are done twice, and images that are built again.
@Suite("Verification", .enabled(if: Machine.isRoot && Machine.canMakeDebian, "needs root and a Debian base"))
struct VerificationTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        try lamina.succeeding("import", try DebianBase.archive().string, DebianBase.name)
    }

    /// A report by its causes, each with its names.
    private func report(_ arguments: [String]) throws -> (status: Int32, causes: [String: [String]], lines: [String]) {
        let finished = try lamina.start(arguments).wait()
        let json = try JSONValue(parsing: finished.outputText)
        var causes: [String: [String]] = [:]
        var lines: [String] = []
        for group in json["differences"]?.array ?? [] {
            let names = group["names"]?.array?.compactMap(\.string) ?? []
            causes[group["cause"]?.string ?? "", default: []] += names
            if let line = group["lines"]?.string { lines.append(line) }
            #expect(group["hint"]?.string?.isEmpty == false)
        }
        return (finished.status, causes, lines)
    }

    @Test func causesAreToldWithTheStepThatMadeThem() throws {
        let context = try scratch.context(
            """
            FROM \(DebianBase.name)
            RUN mkdir /out && date +%s.%N > /out/time && hostname > /out/host && mktemp -p /out name-XXXXXXXX
            RUN echo $RANDOM$RANDOM > /var/log/noise && head -c 9 /dev/urandom | base64 > /out/token
            COPY file /out/file
            RUN echo same > /out/same

            """)
        try scratch.write("x\n", to: "context/file", mode: FilePermissions(rawValue: 0o664))
        let (status, causes, lines) = try report([
            "verify-build", "--report", "json", "--progress=quiet", context.string,
        ])
        #expect(status == 1)
        #expect(causes["host name"] == ["/out/host"])
        #expect(causes["time"]?.contains("/out/time") == true && causes["time"]?.contains("/out/same") == true)
        #expect(causes["random"]?.contains { $0.hasPrefix("/out/name-") } == true)
        #expect(causes["random"]?.contains("/out/token") == true)
        #expect(causes["mode"] == ["/out/file"])
        #expect(causes["content"] == nil)
        #expect(lines.contains("2") && lines.contains("4"))
        let table = try lamina("verify-build", "--progress=quiet", context.string)
        #expect(table.status == 1 && table.outputText.contains("host name: Dockerfile:2"))
        #expect(try lamina.succeeding("images").outputText.contains("<none>"))
    }

    @Test func aReproducibleBuildIsTheSame() throws {
        let context = try scratch.context("FROM \(DebianBase.name)\nRUN echo a >/a\nCOPY file /file\n")
        try scratch.write("x\n", to: "context/file", mode: FilePermissions(rawValue: 0o664))
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0" && git init -q . && git add .
            GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' git -c user.name=a -c user.email=a@b commit -qm one
            """, context.string)
        // Files that are older than the commit keep their time, and the copy for the second build is younger.
        let finished = try lamina("verify-build", "--reproducible", "--progress=quiet", context.string)
        #expect(finished.status == 0, "\(finished.outputText) \(finished.errorText)")
        #expect(finished.outputText.hasPrefix("The builds gave the same image: sha256:"))
    }

    @Test func eachOfSeveralPlatformsIsVerified() throws {
        let context = try scratch.context("FROM scratch\nARG TARGETARCH\nCOPY <<E /file-$TARGETARCH\nx\nE\n")
        let lamina = lamina.with(["SOURCE_DATE_EPOCH": "1700000000"])
        let arguments = ["verify-build", "--reproducible", "--progress=quiet", "--platform=linux/amd64,linux/arm64"]
        let table = try lamina.start(arguments + [context.string]).wait()
        #expect(table.status == 0, "\(table.errorText)")
        let words = table.outputLines.map { $0.prefix { $0 != ":" } }
        let same = "The builds gave the same image"
        #expect(words == ["linux/amd64", same[...], "linux/arm64", same[...]], "\(table.outputText)")
        let json = try lamina.start(arguments + ["--report=json", context.string]).wait()
        #expect(json.outputText.split(separator: "\n").filter { $0.contains("\"platform\": \"linux/") }.count == 2)
    }

    @Test(arguments: [
        (["-"], "can be read only once"), (["--build-arg", "BUILDKIT_MULTI_PLATFORM=1", "."], "makes an index"),
        (["--report", "xml", "."], "use table or json"), (["nothing"], "nothing"),
    ])
    func whatCannotBeVerifiedIsRefused(_ arguments: [String], _ sentence: String) throws {
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n")
        let finished = try lamina.start(["verify-build"] + arguments, in: context).wait()
        #expect(finished.status != 0 && finished.errorText.contains(sentence), "\(finished.errorText)")
    }

    @Test func anImageIsBuiltAgainFromItsProvenance() throws {
        let context = try scratch.context(
            "FROM \(DebianBase.name) AS one\nARG WHO\nRUN echo $WHO >/who\nFROM one AS other\nRUN false\n")
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0" && git init -q . && git add .
            GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' git -c user.name=a -c user.email=a@b commit -qm one
            """, context.string)
        let options = ["--provenance", "--squash", "--build-arg", "WHO=me", "--target", "one", "--label", "a=b"]
        try lamina.succeeding(["build", context.string] + options + ["--reproducible", "-t", "app"])
        let rebuilt = try lamina("rebuild", "--context", context.string, "--progress=quiet", "app")
        #expect(rebuilt.status == 0, "\(rebuilt.outputText) \(rebuilt.errorText)")
        #expect(rebuilt.outputText.hasPrefix("The image was rebuilt, and is the same: sha256:"))
        // Without an epoch the times differ, and nothing else.
        try lamina.succeeding(["build", context.string] + options + ["-t", "timed"])
        let finished = try lamina("rebuild", "--context", context.string, "--progress=quiet", "--report=json", "timed")
        #expect(finished.status == 1)
        let causes = try JSONValue(parsing: finished.outputText)["differences"]?.array?.compactMap {
            $0["cause"]?.string
        }
        #expect(Set(causes ?? []) == ["time"])
        // A clone at another commit is none.
        try expectSuccess(
            "sh", "-ec", "cd \"$0\" && touch new && git add . && git -c user.name=a -c user.email=a@b commit -qm two",
            context.string)
        let changed = try lamina("rebuild", "--context", context.string, "app")
        #expect(changed.status == 1 && changed.errorText.contains("was built from the commit"))
        let homeless = try lamina("rebuild", "app")
        #expect(homeless.status == 1 && homeless.errorText.contains("--context"))
        try lamina.build(context, "--target", "one", "-t", "plain")
        let unknown = try lamina("rebuild", "plain")
        #expect(unknown.status == 1 && unknown.errorText.contains("has no provenance"))
    }

    @Test(.enabled(if: Machine.hasRegistry, "needs docker-registry"))
    func anImageOfARegistryIsBuiltAgainFromItsRepository() throws {
        let context = try scratch.context("FROM scratch\nCOPY file /file\n", named: "web/work")
        try scratch.write("one\n", to: "web/work/file")
        let commit = "git -c user.name=a -c user.email=a@b commit -qam"
        try expectSuccess(
            "sh", "-ec",
            """
            cd "$0" && git init -qb main . && git add . && \(commit) one
            git clone -q --bare . ../app.git && cd ../app.git && git update-server-info
            """, context.string)
        let port = try DockerRegistry.freePort()
        let server = try RunningProcess([
            "python3", "-m", "http.server", "-b", "127.0.0.1", "-d", scratch.path.appending("web").string, "\(port)",
        ])
        defer {
            server.send(15)
            _ = try? server.wait(limit: .seconds(10))
        }
        let script = "import socket; socket.create_connection(('127.0.0.1', \(port)), 1)"
        try wait(until: { try run("python3", "-c", script).status == 0 })
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            let maker = Lamina(root: scratch.path.appending("maker")).with(["SOURCE_DATE_EPOCH": "1700000000"])
            try maker.succeeding(
                "build", "--provenance", "--rewrite-timestamp", "-t", name, "--push",
                "http://127.0.0.1:\(port)/app.git#main")
            // The branch moves on; the commit is what counts.
            try expectSuccess(
                "sh", "-ec",
                """
                cd "$0" && echo two >file && \(commit) two
                git push -q ../app.git main && cd ../app.git && git update-server-info
                """, context.string)
            try lamina.succeeding("pull", name)
            let finished = try lamina("rebuild", "--progress=quiet", name)
            #expect(finished.status == 0, "\(finished.outputText) \(finished.errorText)")
        }
    }
}
