import SystemPackage
import Testing

/// The history of builds, and why their steps ran or did not: each test changes one thing and looks for its sentence.
@Suite("Explanations", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ExplainTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath
    private static let dockerfile = """
        FROM lamina/base AS build
        ARG VERSION=1
        ENV MODE=fast
        WORKDIR /src
        COPY src ./src
        RUN echo made; cat src/main.c > /app
        FROM lamina/base
        COPY --from=build /app /app
        RUN echo done > /done

        """

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        try scratch.write("int main\n", to: "context/src/main.c")
        try scratch.write("x\n", to: "context/src/util.c")
        context = try scratch.context(Self.dockerfile)
        try lamina.build(context)
    }

    /// Builds once more and gives the explanation, without the columns.
    private func explain(_ arguments: String...) throws -> [String] {
        let finished = try lamina.succeeding(["build", "-q", "--explain"] + arguments + [context.string])
        return finished.errorLines.map { $0.split(separator: " ").joined(separator: " ") }
    }

    @Test func anUnchangedBuildIsCached() throws {
        let lines = try explain()
        #expect(lines[0].hasSuffix(": 5 of 5 steps cached"))
        #expect(lines.contains("CACHED 3/4 COPY src ./src") && !lines.contains { $0.hasPrefix("rebuilt") }, "\(lines)")
    }

    @Test func theFileThatChangedIsNamed() throws {
        try scratch.write("int main(void)\n", to: "context/src/main.c")
        let lines = try explain()
        let sentence = "src/main.c changed (content, 9B -> 15B)"
        #expect(lines[1] == "It began with [build 3/4] COPY: \(sentence)")
        #expect(lines.contains("rebuilt 3/4 COPY src ./src") && lines.contains(sentence))
        #expect(lines.contains("because [build 3/4] COPY changed"))
        #expect(lines.contains("app changed (content, 9B -> 15B); because [build 3/4] COPY changed"), "\(lines)")
    }

    @Test func filesThatComeGoAndChangeTheirModeAreNamed() throws {
        try scratch.write("new\n", to: "context/src/new.c")
        try expectSuccess("rm", context.appending("src/util.c").string)
        try expectSuccess("chmod", "755", context.appending("src/main.c").string)
        let lines = try explain()
        #expect(
            lines.contains("src/main.c changed (mode 0644 -> 0755); src/new.c was added; src/util.c was removed"),
            "\(lines)")
        // What the command reads of them is the same, so the rebuild ends there.
        #expect(
            lines.contains("[build 3/4] COPY changed, but the files this step gets are the same"), "\(lines)")
    }

    @Test func aStepThatCannotReadItsFilesWasNotPruned() throws {
        try scratch.write("1\n", to: "context/l1")
        try scratch.context("FROM scratch\nCOPY l* /o/\n")
        try lamina.build(context)
        try expectSuccess("ln", "-s", "nowhere", context.appending("link").string)
        let failed = try lamina("build", "-q", "--explain", context.string)
        #expect(failed.status == 1)
        #expect(failed.errorText.contains("it failed before it was known what it reads"), "\(failed.errorText)")
        #expect(!failed.errorText.contains("pruned"))
    }

    @Test func variablesAreNamedByWhatDeclaredThem() throws {
        #expect(try explain("--build-arg", "VERSION=2").contains("ARG VERSION changed: \"1\" -> \"2\""))
        try scratch.context(Self.dockerfile.replacing("MODE=fast", with: "MODE=slow"))
        #expect(try explain().contains("ENV MODE changed: \"fast\" -> \"slow\""))
        let changed = Self.dockerfile.replacing("ENV MODE=fast", with: "ARG API_TOKEN\nENV MODE=slow")
        try scratch.context(changed)
        let lines = try explain("--build-arg", "API_TOKEN=hunter2")
        #expect(lines.contains("ARG API_TOKEN was added (values that may be secret are not kept)"), "\(lines)")
        let record = try lamina.succeeding("builds", "inspect", "--format", "json").outputText
        #expect(!record.contains("hunter2") && record.contains("API_TOKEN"))
    }

    @Test func commandsAndBasesThatChangedAreNamed() throws {
        try scratch.context(Self.dockerfile.replacing("echo done", with: "echo all done"))
        #expect(
            try explain().contains("the command changed: \"echo done > /done\" -> \"echo all done > /done\""))
        try lamina.build(try scratch.context("FROM lamina/base\nRUN echo 1 > /one\n", named: "base"), "-t", "mine")
        try scratch.context("FROM mine\nRUN echo 2 > /two\n")
        try lamina.build(context)
        try lamina.build(try scratch.context("FROM lamina/base\nRUN echo 3 > /one\n", named: "base"), "-t", "mine")
        let lines = try explain()
        #expect(lines[1].hasPrefix("It began with [1/2] FROM: mine:latest moved: "), "\(lines)")
        #expect(lines.suffix(2).elementsEqual(["rebuilt 2/2 RUN echo 2 > /two", "because [1/2] FROM changed"]))
    }

    @Test func whatWasPrunedSaysSo() throws {
        try lamina.succeeding("rmi", "-f", lamina.succeeding("builds", "--format", "{{.Image}}").trimmed)
        try lamina.succeeding("prune", "--all", "--force")
        let lines = try explain()
        #expect(lines.contains("nothing changed, but its result was pruned from the cache"), "\(lines)")
        #expect(try explain("--no-cache").contains("--no-cache"))
    }

    @Test func aPastBuildIsExplainedForPrograms() throws {
        try scratch.write("int main(void)\n", to: "context/src/main.c")
        try lamina.build(context, "-t", "app:2")
        for reference in ["app:2", "^0"] {
            let json = try JSONValue(
                parsing: lamina.succeeding("explain", "--format", "json", reference).outputText)
            let steps = try #require(json["steps"]?.array)
            let copy = try #require(steps.first { $0["instruction"]?.string == "COPY src ./src" })
            #expect(copy["isMiss"] == .bool(true) && copy["line"]?.number == 5)
            let file = copy["causes"]?.array?.first?["files"]?.array?.first
            #expect(file?["path"]?.string == "src/main.c")
            #expect(file?["content"]?["from"]?.number == 9 && file?["content"]?["to"]?.number == 15)
        }
        let document = try lamina.succeeding("build", "--explain=json", context.string).outputText
        #expect(try JSONValue(parsing: document)["beganWith"] != nil)
        #expect(try lamina("explain", "no-such").status == 1)
    }
}

/// The records of builds.
@Suite("History of builds", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct BuildHistoryTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        context = try scratch.context(
            """
            FROM lamina/base
            RUN echo first; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done
            RUN echo second >&2; test ! -e /fail

            """)
    }

    private func ids() throws -> [String] { try lamina.succeeding("builds", "-q").outputLines }

    @Test func buildsAreListedInspectedAndForgotten() throws {
        try lamina.build(context, "-t", "app:1")
        try lamina.build(context)
        let failing = try scratch.context("FROM lamina/base\nRUN echo no; exit 3\n", named: "failing")
        #expect(try lamina("build", failing.string).status == 1)
        #expect(
            try lamina.succeeding("builds", "--format", "{{.Name}} {{.Status}} {{.Cached}} {{.Tags}}").outputLines
                == ["failing failed 0/1 ", "context succeeded 2/2 ", "context succeeded 0/2 app:1"])
        #expect(try lamina.succeeding("builds", "--filter", "status=failed", "-q").outputLines == [ids()[0]])
        let json = try JSONValue(
            parsing: lamina.succeeding("builds", "inspect", "--format", "json", "app:1").outputText)
        #expect(json["ID"]?.string == (try ids()[2]) && json["TotalSteps"]?.number == 2)
        let run = try #require(json["Steps"]?.array?.first { $0["Kind"]?.string == "run" })
        #expect(run["Outcome"]?.string == "ran" && run["Ingredients"]?["command"]?.array?.count == 3)
        let failed = try lamina.succeeding("builds", "inspect", "^0").outputText
        #expect(failed.contains("exit code: 3"))
        let last = try ids()[0]
        try lamina.succeeding("builds", "rm", "^0", "^1")
        #expect(try ids().count == 1 && !ids().contains(last))
        try lamina.succeeding("builds", "rm", "--all")
        #expect(try ids() == [])
        #expect(try lamina("builds", "inspect").errorText.contains("no build is recorded"))
        #expect(try lamina("builds", "rm").status == 2)
    }

    @Test func logsAreWhole() throws {
        try lamina.build(context)
        let step = try lamina.succeeding("builds", "logs", "^0", "first").outputLines
        #expect(step.count == 3001 && step[0] == "first" && step[3000] == "line 2999")
        #expect(try lamina.succeeding("builds", "logs", "^0", "second").outputLines == ["second"])
        let all = try lamina.succeeding("builds", "logs").outputText
        #expect(all.contains(" line 2999\n") && all.contains(" second\n") && all.contains("RUN echo first"))
        #expect(try lamina("builds", "logs", "^0", "RUN").errorText.contains("in 2 steps"))
        try lamina.build(context)
        #expect(try lamina.succeeding("builds", "logs").outputText.contains("CACHED"))
    }

    /// A build that does not end by itself, as far as its second step.
    private func slowBuild() throws -> RunningProcess {
        let slow = try scratch.context(
            "FROM lamina/base\nRUN echo first\nRUN echo begun; sleep 100; echo never\n", named: "slow")
        let build = try lamina.start(["build", "--progress", "plain", "-t", "slow", slow.string])
        try wait { try build.errorsSoFar().contains(" begun\n") }
        return build
    }

    @Test func aRunningBuildIsListedFollowedAndKept() throws {
        try lamina.build(context)
        let build = try slowBuild()
        let rows = try lamina.succeeding("builds", "--format", "{{.Name}} {{.Status}} {{.Cached}} {{.Tags}}")
            .outputLines
        #expect(rows == ["slow running 0/2 slow:latest", "context succeeded 0/2 "])
        let id = try lamina.succeeding("builds", "-q", "--filter", "status=running").trimmed
        #expect(try lamina.succeeding("builds", "logs", id).outputText.contains(" begun\n"))
        #expect(try lamina.succeeding("builds", "logs", id, "echo begun").outputText == "begun\n")
        #expect(try lamina.succeeding("builds", "inspect", id).outputText.contains("running"))
        #expect(try lamina("builds", "rm", id).errorText.contains("is running and cannot be forgotten"))
        try lamina.succeeding("builds", "rm", "--all")
        #expect(try ids() == [id])
        let follower = try lamina.start(["builds", "logs", "--follow"])
        try wait { try follower.outputSoFar().contains(" begun\n") }
        build.send(2)
        _ = try build.wait()
        let followed = try follower.wait()
        #expect(followed.status == 0 && followed.outputText.contains("RUN echo first"))
        #expect(followed.outputText.contains("CANCELED"))
        #expect(try lamina.succeeding("builds", "--format", "{{.ID}} {{.Status}}").outputLines == ["\(id) cancelled"])
    }

    @Test func aKilledBuildIsLost() throws {
        let build = try slowBuild()
        build.send(9)
        _ = try build.wait()
        let id = try #require(try ids().first)
        func rows() throws -> [String] {
            try lamina.succeeding("builds", "--format", "{{.Name}} {{.Status}}").outputLines
        }
        #expect(try rows() == ["slow lost"])
        #expect(try lamina.succeeding("builds", "logs", id).outputText.contains(" begun\n"))
        try lamina.build(context)
        #expect(try rows() == ["context succeeded", "slow lost"])
        #expect(try lamina.succeeding("builds", "logs", id).outputText.hasSuffix("The build's process was killed.\n"))
        #expect(try lamina.unfinished() == [])
        try lamina.succeeding("builds", "rm", id)
        #expect(try rows() == ["context succeeded"])
    }

    @Test func timesAreTold() throws {
        let trace = scratch.path.appending("trace.json")
        let finished = try lamina.succeeding(
            "build", "-q", "--timings", "--trace", trace.string, context.string)
        #expect(finished.errorText.contains("Critical path (*): "))
        #expect(finished.errorLines.contains { $0.hasPrefix("*") && $0.contains("RUN echo first") })
        let events = try #require(try JSONValue(parsing: text(of: trace))["traceEvents"]?.array)
        let run = try #require(events.first { $0["name"]?.string?.contains("RUN echo first") == true })
        #expect(run["ph"]?.string == "X" && run["pid"]?.number == 1 && run["dur"]?.number ?? 0 > 0)
        #expect(events.contains { $0["ph"]?.string == "M" && $0["name"]?.string == "thread_name" })
        #expect(try lamina.succeeding("builds", "inspect", "--timings").outputText.contains("Critical path"))
        #expect(try lamina("build", "--trace", "/no/such/file", context.string).status == 2)
    }
}
