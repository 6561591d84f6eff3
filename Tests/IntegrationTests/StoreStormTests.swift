import Glibc
import SystemPackage
import Testing

/// What is in the store after its users were killed, and how builds at the same time share it.
@Suite("The store under several builds", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct StoreStormTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    /// The whole storm is the script's; here is a small one.
    @Test func killedBuildsLeaveAWholeStore() throws {
        let script = Lamina.packageRoot.appending("scripts/kill-storm")
        let binary = try #require(Lamina.binary)
        let storm = try run(
            script.string, "25", environment: ["LAMINA_BINARY": binary.string, "SEED": "20"])
        #expect(storm.status == 0, "\(storm.outputText)\(storm.errorText)")
        #expect(storm.outputText.contains("the store is whole, builds are right, and 0 unfinished things are left"))
    }

    @Test func twoBuildsAtOnceRunAStepOnce() throws {
        let log = scratch.path.appending("log")
        try scratch.write("", to: "log")
        let context = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c echo ran >>/c/log; sleep 1; cat /c/log >/log\nRUN echo z\n"
        )
        try lamina.build(try scratch.context("FROM lamina/base\n", named: "warm"))
        let arguments = ["build", "--progress", "plain", "-o", "type=tar,dest=\(log.string)", context.string]
        let first = try lamina.start(arguments)
        let second = try lamina.start(["build", "--progress", "plain", context.string])
        let outcomes = try [first.wait(), second.wait()]
        #expect(outcomes.map(\.status) == [0, 0])
        let waited = outcomes.filter { $0.errorText.contains("waiting for the same step of another build") }
        #expect(waited.count == 1)
        #expect(outcomes.count { $0.errorText.contains("RUN echo z\n") } == 2)
        let image = try lamina.build(context)
        let all = try lamina.succeeding("build", "-o", "-", context.string)
        #expect(all.outputText.components("ran\n") == 1)
        #expect(!image.isEmpty)
    }

    @Test func whenTheFirstIsKilledTheSecondRunsTheStep() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo started; sleep 2; echo done >/done\n")
        let arguments = ["build", "--progress", "plain", context.string]
        let first = try lamina.start(arguments)
        try waitUntil { try first.errorsSoFar().contains(" started\n") }
        let second = try lamina.start(arguments)
        try waitUntil { try second.errorsSoFar().contains("waiting for the same step of another build") }
        first.send(SIGKILL)
        #expect(try first.wait().status == 137)
        let finished = try second.wait()
        #expect(finished.status == 0)
        #expect(finished.errorText.contains(" started\n"))
    }

    @Test func stagesThatOnlyWaitRunAtOnce() throws {
        // Each waits for the one that starts last: with fewer at once none would end.
        let stages = (1...8).map {
            "FROM lamina/base AS s\($0)\nRUN --mount=type=cache,target=/c echo >/c/\($0); "
                + "until [ $(ls /c | wc -l) = 8 ]; do sleep 0.05; done; echo >/\($0)\n"
        }
        let copies = (1...8).map { "COPY --from=s\($0) /\($0) /\n" }
        let context = try scratch.context(stages.joined() + "FROM scratch\n" + copies.joined())
        let finished = try lamina.start(["build", context.string]).wait(limit: .seconds(60))
        #expect(finished.status == 0, "\(finished.errorText)")
    }

    @Test func oneJobIsOneStepAtATime() throws {
        let stages = (1...3).map {
            "FROM lamina/base AS s\($0)\nRUN --mount=type=cache,target=/c mkdir /c/now && echo \($0) && sleep 0.1 && rmdir /c/now "
                + "&& echo >/\($0)\n"
        }
        let copies = (1...3).map { "COPY --from=s\($0) /\($0) /\n" }
        let context = try scratch.context(stages.joined() + "FROM scratch\n" + copies.joined())
        let finished = try lamina("build", "--progress", "plain", "-j", "1", context.string)
        #expect(finished.status == 0, "\(finished.errorText)")
        let wrong = try lamina("build", "--jobs", "0", context.string)
        #expect(wrong.status == 2 && wrong.errorText.contains("--jobs must be 1 or more"))
    }

    /// Waits for something that a process is about to do.
    private func waitUntil(_ condition: () throws -> Bool) throws {
        for _ in 0..<3000 {
            if try condition() { return }
            usleep(10000)
        }
        throw CommandFailure(description: "waited in vain")
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
