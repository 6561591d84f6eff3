import Diagnostics
import Graph
import OCI
import Solver
import Synchronization
import Testing

/// A runner that counts: keys and results are texts.
private final class TextRunner: OperationRunner {
    struct State {
        var known: [String: String] = [:]
        var ran: [String] = []
        var running = 0
        var peak = 0
        /// How often a claim is refused.
        var claimedByOthers: [String: Int] = [:]
        var refusals = 0
    }

    let state = Mutex(State())
    /// Steps that fail, once an endless step runs where there is one.
    let failing: Set<String>
    let error: any Error
    /// Steps that end only when they are cancelled.
    let endless: Set<String>
    /// How many steps have to run at once before the first of them ends.
    let together: Int
    /// Replaces the result of a step, to see what follows from an equal or a different one.
    let results: [String: String]
    /// Results that other builds make while this one waits.
    let others: [String: String]

    init(
        failing: Set<String> = [], error: any Error = Broken(), endless: Set<String> = [], together: Int = 0,
        results: [String: String] = [:], others: [String: String] = [:]
    ) {
        self.failing = failing
        self.error = error
        self.endless = endless
        self.together = together
        self.results = results
        self.others = others
    }

    struct Broken: Error {}

    func definitionKey(of vertex: Vertex, inputs: [String]) async throws -> String {
        "def(\(vertex.label):\(inputs.joined(separator: ",")))"
    }

    func contentKey(of vertex: Vertex, inputs: [String]) async throws -> String {
        "content(\(vertex.label):\(inputs.joined(separator: ",")))"
    }

    func cached(_ key: String, for vertex: Vertex) async throws -> String? { state.withLock { $0.known[key] } }

    func save(_ result: String, under keys: [String], for vertex: Vertex) async throws {
        state.withLock { state in for key in keys { state.known[key] = result } }
    }

    func run(_ vertex: Vertex, inputs: [String], step: StepReporter) async throws -> String {
        state.withLock { state in
            state.ran.append(vertex.label)
            state.running += 1
            state.peak = max(state.peak, state.running)
        }
        defer { state.withLock { $0.running -= 1 } }
        if endless.contains(vertex.label) { try await Task.sleep(for: .seconds(3600)) }
        if failing.contains(vertex.label) {
            try await untilSo { endless.isSubset(of: ran) }
            throw error
        }
        try await untilSo { state.withLock { $0.peak } >= together }
        // Time for steps that must not run now to be seen.
        if together > 0 { for _ in 0..<200 { await Task.yield() } }
        return results[vertex.label] ?? "\(vertex.label)(\(inputs.joined(separator: ",")))"
    }

    func claim(_ content: String, for vertex: Vertex) async throws -> StepClaim {
        state.withLock { state in
            guard let count = state.claimedByOthers[content] else { return .granted(nil) }
            state.claimedByOthers[content] = count > 1 ? count - 1 : nil
            state.refusals += 1
            // The other build is done with it.
            if count == 1, let result = others[content] { state.known[content] = result }
            return .busy
        }
    }

    func isComputing(_ vertex: Vertex) -> Bool { vertex.label.hasPrefix("compute") }

    func isVisible(_ vertex: Vertex) -> Bool { true }

    var ran: [String] { state.withLock { $0.ran } }
}

/// Waits for other tasks to make a condition true.
private func untilSo(_ condition: () -> Bool) async throws {
    while !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}

private final class Recorder: Sendable {
    let outcomes = Mutex<[String: StepOutcome]>([:])
    private let labels = Mutex<[StepID: String]>([:])

    var reporter: ProgressReporter {
        ProgressReporter { [self] event in
            switch event {
            case .started(let id, let label, _): labels.withLock { $0[id] = label }
            case .finished(let id, let outcome):
                let label = labels.withLock { $0[id] ?? "?" }
                outcomes.withLock { $0[label] = outcome }
            default: break
            }
        }
    }

    subscript(label: String) -> StepOutcome? { outcomes.withLock { $0[label] } }
}

private enum TestCode: String, FailureCode { case broken = "test.broken" }

/// `a` and `b` are made from nothing, `c` from both, `d` from `c`; `unused` from nothing.
private func diamond(rerunning: Set<String> = []) -> (BuildGraph, VertexID) {
    var graph = BuildGraph()
    func add(_ label: String, _ inputs: [VertexID]) -> VertexID {
        graph.add(.scratch, inputs: inputs, label: label, ignoresCache: rerunning.contains(label))
    }
    let a = add("a", [])
    let b = add("b", [])
    _ = add("unused", [])
    let c = add("c", [a, b])
    let d = add("d", [c])
    return (graph, d)
}

@Suite(.timeLimit(.minutes(10))) struct GraphSolverTests {
    @Test func runsWhatIsNeededOnce() async throws {
        let runner = TextRunner()
        let (graph, target) = diamond()
        let result = try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(graph, target: target)
        #expect(result == "d(c(a(),b()))")
        #expect(runner.ran.sorted() == ["a", "b", "c", "d"])
    }

    @Test func severalTargetsShareWhatTheyNeed() async throws {
        let runner = TextRunner()
        let (graph, target) = diamond()
        let all = graph.reachable(from: target).map(\.id)
        let results = try await GraphSolver(runner: runner, progress: Recorder().reporter)
            .solve(graph, targets: [target, all[2], target])
        #expect(results == ["d(c(a(),b()))", "c(a(),b())", "d(c(a(),b()))"])
        #expect(runner.ran.sorted() == ["a", "b", "c", "d"])
    }

    @Test(arguments: [1, 4]) func oneTargetThatFailsEndsTheOthers(_ limit: Int) async throws {
        var graph = BuildGraph()
        let good = graph.add(.scratch, inputs: [], label: limit == 1 ? "good" : "endless")
        let bad = graph.add(.scratch, inputs: [], label: "bad")
        let runner = TextRunner(failing: ["bad"], endless: limit == 1 ? [] : ["endless"])
        await #expect(throws: TextRunner.Broken.self) {
            try await GraphSolver(runner: runner, progress: Recorder().reporter, limits: StepLimits(total: limit))
                .solve(graph, targets: [good, bad])
        }
    }

    @Test func asksOnlyForTheTargetWhenItIsKnown() async throws {
        let runner = TextRunner()
        let (graph, target) = diamond()
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(graph, target: target)
        let recorder = Recorder()
        let again = try await GraphSolver(runner: runner, progress: recorder.reporter).solve(graph, target: target)
        #expect(again == "d(c(a(),b()))")
        #expect(runner.ran.count == 4)
        for label in ["a", "b", "c", "d"] { #expect(recorder[label] == .cached) }
        #expect(recorder["unused"] == nil)
    }

    @Test func equalResultsCutTheRebuildOff() async throws {
        let runner = TextRunner(results: ["a": "same"])
        let first = diamond()
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(first.0, target: first.1)
        let (graph, target) = diamond(rerunning: ["a"])
        let recorder = Recorder()
        _ = try await GraphSolver(runner: runner, progress: recorder.reporter).solve(graph, target: target)
        #expect(recorder["a"] == .done)
        #expect(recorder["c"] == .cached)
        #expect(recorder["d"] == .cached)
        #expect(runner.ran.count == 5)
    }

    @Test func independentStepsRunAtOnceUpToTheLimit() async throws {
        var graph = BuildGraph()
        let leaves = (0..<6).map { graph.add(.scratch, inputs: [], label: "\($0)") }
        let target = graph.add(.scratch, inputs: leaves, label: "t")
        let runner = TextRunner(together: 3)
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter, limits: StepLimits(total: 3))
            .solve(graph, target: target)
        #expect(runner.state.withLock { $0.peak } == 3)
    }

    @Test func oneAtATimeIsInTheOrderOfTheGraph() async throws {
        let (graph, target) = diamond()
        let runner = TextRunner(together: 1)
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter, limits: StepLimits(total: 1))
            .solve(graph, target: target)
        #expect(runner.state.withLock { $0.peak } == 1)
        #expect(runner.ran == ["a", "b", "c", "d"])
    }

    @Test func thoseThatComputeHaveALimitOfTheirOwn() async throws {
        var graph = BuildGraph()
        let leaves = (0..<12).map { graph.add(.scratch, inputs: [], label: $0 < 6 ? "compute \($0)" : "wait \($0)") }
        let target = graph.add(.scratch, inputs: leaves, label: "t")
        let runner = TextRunner(together: 8)
        _ = try await GraphSolver(
            runner: runner, progress: Recorder().reporter, limits: StepLimits(total: 10, computing: 2)
        ).solve(graph, target: target)
        #expect(runner.state.withLock { $0.peak } == 8)
    }

    @Test(arguments: [[], ["x"]] as [Set<String>])
    func equalVerticesRunOnce(rerunning: Set<String>) async throws {
        var graph = BuildGraph()
        func stage() -> VertexID {
            let x = graph.add(.scratch, inputs: [], label: "x", ignoresCache: rerunning.contains("x"))
            return graph.add(.scratch, inputs: [x], label: "y")
        }
        let target = graph.add(.scratch, inputs: [stage(), stage()], label: "t")
        let runner = TextRunner(together: 1)
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(graph, target: target)
        #expect(runner.ran.sorted() == ["t", "x", "y"])
    }

    @Test func equalContentRunsOnce() async throws {
        var graph = BuildGraph()
        let leaves = ["a", "b"].map { graph.add(.scratch, inputs: [], label: $0) }
        let twins = leaves.map { graph.add(.scratch, inputs: [$0], label: "twin") }
        let target = graph.add(.scratch, inputs: twins, label: "t")
        let runner = TextRunner(together: 1, results: ["a": "same", "b": "same"])
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(graph, target: target)
        #expect(runner.ran.sorted() == ["a", "b", "t", "twin"])
    }

    /// With a result when the other build has made it, without one when it has failed.
    @Test(arguments: [true, false]) func waitsForAnotherBuildWithTheSameStep(isMade: Bool) async throws {
        var graph = BuildGraph()
        let target = graph.add(.scratch, inputs: [], label: "a")
        let key = "content(a:)"
        let runner = TextRunner(others: isMade ? [key: "made elsewhere"] : [:])
        runner.state.withLock { $0.claimedByOthers[key] = 3 }
        let recorder = Recorder()
        let result = try await GraphSolver(runner: runner, progress: recorder.reporter).solve(graph, target: target)
        #expect(result == (isMade ? "made elsewhere" : "a()"))
        #expect(recorder["a"] == (isMade ? .cached : .done))
        #expect(runner.ran == (isMade ? [] : ["a"]))
    }

    @Test func noCacheWaitsForNobody() async throws {
        var graph = BuildGraph()
        let target = graph.add(.scratch, inputs: [], label: "a", ignoresCache: true)
        let runner = TextRunner()
        runner.state.withLock { $0.claimedByOthers["content(a:)"] = .max }
        _ = try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(graph, target: target)
        #expect(runner.ran == ["a"])
    }

    @Test func aWaitCanBeCancelled() async throws {
        var graph = BuildGraph()
        let target = graph.add(.scratch, inputs: [], label: "a")
        let runner = TextRunner()
        runner.state.withLock { $0.claimedByOthers["content(a:)"] = .max }
        let recorder = Recorder()
        let task = Task {
            try await GraphSolver(runner: runner, progress: recorder.reporter).solve(graph, target: target)
        }
        try await untilSo { runner.state.withLock { $0.refusals } > 0 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(recorder["a"] == .cancelled && runner.ran.isEmpty)
    }

    @Test func aFailureCancelsTheOthersAndIsReported() async throws {
        var graph = BuildGraph()
        let slow = graph.add(.scratch, inputs: [], label: "slow")
        let bad = graph.add(.scratch, inputs: [], label: "bad")
        let target = graph.add(.scratch, inputs: [slow, bad], label: "t")
        let runner = TextRunner(failing: ["bad"], endless: ["slow"])
        let recorder = Recorder()
        await #expect(throws: TextRunner.Broken.self) {
            try await GraphSolver(runner: runner, progress: recorder.reporter).solve(graph, target: target)
        }
        #expect(recorder["t"] == nil)
        #expect(runner.state.withLock { $0.running } == 0)
        #expect(recorder["slow"] == .cancelled)
        #expect(recorder["bad"] != .done)
        #expect(runner.state.withLock { $0.known.keys.contains { $0.contains("bad") } } == false)
    }

    @Test func cancellationEndsStepsThatRun() async throws {
        let (graph, target) = diamond()
        let runner = TextRunner(endless: ["a", "b"])
        let (begun, signal) = AsyncStream.makeStream(of: Void.self)
        let reporter = ProgressReporter { if case .started = $0 { signal.yield() } }
        let task = Task { try await GraphSolver(runner: runner, progress: reporter).solve(graph, target: target) }
        for await _ in begun { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(runner.state.withLock { $0.running } == 0)
    }

    @Test func aBuildThatIsCancelledBeforeItBeginsRunsNothing() async throws {
        let (graph, target) = diamond()
        let runner = TextRunner(endless: ["a", "b"])
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await GraphSolver(runner: runner, progress: Recorder().reporter).solve(graph, target: target)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(runner.ran.isEmpty)
    }

    @Test func eventsAndNotesCarryTheWholeFailure() async throws {
        let range = SourceRange(file: "Dockerfile", lines: 3...4)
        var graph = BuildGraph()
        let target = graph.add(.scratch, inputs: [], label: "a", location: range)
        let error = Failure(TestCode.broken, "it broke", hint: "Mend it.")
        let recorder = Recorder()
        let notes = Mutex<[StepFailure]>([])
        let solver = GraphSolver(runner: TextRunner(failing: ["a"], error: error), progress: recorder.reporter) {
            if case .ended(.failed(let failure)) = $1 { notes.withLock { $0.append(failure) } }
        }
        await #expect(throws: Failure<TestCode>.self) { try await solver.solve(graph, target: target) }
        let expected = StepFailure("it broke", code: "test.broken", hint: "Mend it.", at: range)
        #expect(recorder["a"] == .failed(expected))
        #expect(notes.withLock { $0 } == [expected])
    }

    @Test func observersLearnHowEachStepWasAnswered() async throws {
        let runner = TextRunner(results: ["a": "same"])
        func outcomes(of build: (BuildGraph, VertexID)) async throws -> [String] {
            let notes = Mutex<[VertexID: [String]]>([:])
            let solver = GraphSolver(runner: runner, progress: Recorder().reporter) { vertex, note in
                notes.withLock { $0[vertex, default: []] += [Self.word(note)] }
            }
            _ = try await solver.solve(build.0, target: build.1)
            return notes.withLock { notes in
                build.0.vertices.compactMap { vertex in
                    notes[vertex.id].map { "\(vertex.label): \($0.joined(separator: " "))" }
                }
            }
        }
        #expect(
            try await outcomes(of: diamond())
                == ["a", "b", "c", "d"].map {
                    "\($0): defined resolved waiting shown began ran"
                })
        #expect(
            try await outcomes(of: diamond()) == [
                "a: defined shown notNeeded", "b: defined shown notNeeded", "c: defined shown notNeeded",
                "d: defined shown definition",
            ])
        #expect(
            try await outcomes(of: diamond(rerunning: ["a"])) == [
                "a: defined resolved waiting shown began ran", "b: defined shown definition",
                "c: defined resolved shown content", "d: defined resolved shown content",
            ])
    }

    private static func word(_ note: VertexNote<String, String>) -> String {
        switch note {
        case .defined: "defined"
        case .resolved: "resolved"
        case .shown: "shown"
        case .waiting: "waiting"
        case .began: "began"
        case .ended(.knownByDefinition): "definition"
        case .ended(.knownByContent): "content"
        case .ended(.notNeeded): "notNeeded"
        case .ended(.ran): "ran"
        case .ended(.failed): "failed"
        case .ended(.cancelled): "cancelled"
        }
    }
}
