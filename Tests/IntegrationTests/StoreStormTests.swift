import Glibc
import SystemPackage
import Testing

/// The store after builds were killed, and under concurrent builds.
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
        let context = try scratch.context(
            "FROM lamina/base\nRUN --mount=type=cache,target=/c echo ran >>/c/log; echo started; \(Gate.pass); "
                + "cat /c/log >/log\nRUN echo z\n")
        let gate = try Gate(in: scratch)
        let arguments = ["build", "--progress", "plain"] + gate.options + [context.string]
        let first = try lamina.start(arguments)
        try wait(until: { try first.errorsSoFar().contains(" started\n") })
        let second = try lamina.start(arguments)
        try wait(until: { try second.errorsSoFar().contains("waiting for the same step of another build") })
        try gate.open()
        let outcomes = try [first.wait(), second.wait()]
        #expect(outcomes.map(\.status) == [0, 0])
        #expect(outcomes.count { $0.errorText.contains("RUN echo z\n") } == 2)
        let image = try lamina.build(context)
        let all = try lamina.succeeding("build", "-o", "-", context.string)
        #expect(all.outputText.components("ran\n") == 1)
        #expect(!image.isEmpty)
    }

    @Test func whenTheFirstIsKilledTheSecondRunsTheStep() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo started; \(Gate.pass); echo done >/done\n")
        let gate = try Gate(in: scratch)
        let arguments = ["build", "--progress", "plain"] + gate.options + [context.string]
        let first = try lamina.start(arguments)
        try wait { try first.errorsSoFar().contains(" started\n") }
        let second = try lamina.start(arguments)
        try wait { try second.errorsSoFar().contains("waiting for the same step of another build") }
        first.send(SIGKILL)
        #expect(try first.wait().status == 137)
        try gate.open()
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
}

extension String {
    /// How often a text occurs.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
