import Asynchrony
import Diagnostics
package import Graph

/// Runs what a target needs: inputs first, independent steps at once, and each step at most one time.
///
/// A vertex is looked up by its definition before its inputs are touched, and by the content of its inputs before it
/// runs. A vertex that must run anew (``Vertex/ignoresCache``) makes the definitions of all that follow it say
/// nothing, so these are looked up by content alone.
///
/// Vertices that are equal, by definition or by content, run once: in this build the second waits for the first, and
/// builds that run at the same time agree by a claim on the content (``OperationRunner/claim(_:for:)``).
package actor GraphSolver<Runner: OperationRunner> {
    private let runner: Runner
    private let progress: ProgressReporter
    private let observe: @Sendable (VertexID, VertexNote<Runner.Key, Runner.Result>) -> Void
    private let limits: StepLimits
    private let turns: StepTurns
    private let usesDefinitions: Bool
    private var graph = BuildGraph()
    private var keys: [VertexID: Task<Runner.Key, any Error>] = [:]
    private var results: [VertexID: Task<Runner.Result, any Error>] = [:]
    /// By the index of the vertex, whether it must run anew or follows one that must.
    private var mustRerun: [Bool] = []
    /// The vertices that were reported as cached, with all that they need.
    private var reported: Set<VertexID> = []
    private var steps: [VertexID: StepID] = [:]
    /// The first vertex of each definition, apart for those that are looked up and those that are not.
    private var definitions: [Definition: VertexID] = [:]
    /// The vertex that makes the result of a content, if any does.
    private var contents: [Runner.Key: VertexID] = [:]
    /// Steps that are shown already, but wait for another build.
    private var waiting: [VertexID: StepReporter] = [:]
    private var failure: (any Error)?
    private var isCancelled = false

    private struct Definition: Hashable {
        let key: Runner.Key
        let mustRerun: Bool
    }

    /// `limits` say how many operations run at once. Without `usesDefinitions` every result is looked up by the content
    /// of its inputs, each of which is looked at then. `observe` is told what becomes of each vertex, from any thread.
    package init(
        runner: Runner, progress: ProgressReporter, limits: StepLimits = .standard(cores: 2),
        usesDefinitions: Bool = true,
        observe: @escaping @Sendable (VertexID, VertexNote<Runner.Key, Runner.Result>) -> Void = { _, _ in }
    ) {
        self.usesDefinitions = usesDefinitions
        self.runner = runner
        self.progress = progress
        self.observe = observe
        self.limits = limits
        turns = StepTurns(limits)
    }

    /// The result of `target`; see ``solve(_:targets:)``.
    package func solve(_ graph: BuildGraph, target: VertexID) async throws -> Runner.Result {
        try await solve(graph, targets: [target])[0]
    }

    /// The results of `targets`. When a step fails the others are cancelled and waited for, and its error is thrown.
    package func solve(_ graph: BuildGraph, targets: [VertexID]) async throws -> [Runner.Result] {
        self.graph = graph
        mustRerun = []
        for vertex in graph.vertices {
            mustRerun.append(vertex.ignoresCache || vertex.inputs.contains { mustRerun[$0.index] })
        }
        let outcome: Result<[Runner.Result], any Error> = await withTaskCancellationHandler {
            do { return .success(try await values(of: targets) { resultTask($0) }) } catch { return .failure(error) }
        } onCancel: {
            Task { await self.cancelAll() }
        }
        if case .failure = outcome { cancelAll() }
        // Nothing may go on after this returns: a running command holds mounts and processes.
        var ended = -1
        while ended < keys.count + results.count {
            ended = keys.count + results.count
            for task in keys.values { _ = await task.result }
            for task in results.values { _ = await task.result }
        }
        switch outcome {
        case .success(let results): return results
        case .failure(let error): throw failure ?? error
        }
    }

    /// Cancels the tasks there are. Those that they still make are cancelled as they begin: see ``begin(_:)``.
    private func cancelAll() {
        isCancelled = true
        for task in keys.values { task.cancel() }
        for task in results.values { task.cancel() }
    }

    /// Keeps cancellation going: a task that is made by a cancelled one does not inherit it.
    private func begin<Value>(_ task: Task<Value, any Error>) -> Task<Value, any Error> {
        if isCancelled { task.cancel() }
        return task
    }

    private func fail(_ error: any Error) {
        guard failure == nil, !(error is CancellationError) else { return }
        failure = error
        cancelAll()
    }

    // MARK: Keys

    private func keyTask(_ id: VertexID) -> Task<Runner.Key, any Error> {
        if let task = keys[id] { return task }
        let vertex = graph[id]
        let task = begin(
            Task { () throws -> Runner.Key in
                // A key may have to be asked for at a server.
                let inputs = try await values(of: vertex.inputs) { keyTask($0) }
                do {
                    let key = try await runner.definitionKey(of: vertex, inputs: inputs)
                    observe(id, .defined(key))
                    return key
                } catch {
                    let error = reported(error, of: vertex)
                    fail(error)
                    throw error
                }
            })
        keys[id] = task
        return task
    }

    // MARK: Results

    private func resultTask(_ id: VertexID) -> Task<Runner.Result, any Error> {
        if let task = results[id] { return task }
        let task = begin(
            Task { () throws -> Runner.Result in
                do { return try await resolve(graph[id]) } catch {
                    fail(error)
                    throw error
                }
            })
        results[id] = task
        return task
    }

    /// The values of tasks: all at once, unless only one step may run.
    private func values<Value: Sendable>(
        of inputs: [VertexID], _ task: (VertexID) -> Task<Value, any Error>
    ) async throws -> [Value] {
        var values: [Value] = []
        if limits.total == 1 {
            for input in inputs { values.append(try await task(input).value) }
        } else {
            for task in inputs.map({ task($0) }) { values.append(try await task.value) }
        }
        return values
    }

    private func resolve(_ vertex: Vertex) async throws -> Runner.Result {
        let definition = try await keyTask(vertex.id).value
        let isLookedUp = usesDefinitions && !mustRerun[vertex.id.index]
        let twin = Definition(key: definition, mustRerun: !isLookedUp)
        if let first = definitions[twin] {
            let result = try await resultTask(first).value
            reportKnown(vertex, result)
            return result
        }
        definitions[twin] = vertex.id
        if isLookedUp, let known = try await runner.cached(definition, for: vertex) {
            reportKnown(vertex, known)
            return known
        }
        let inputs = try await values(of: vertex.inputs) { resultTask($0) }
        let content: Runner.Key
        do {
            content = try await runner.contentKey(of: vertex, inputs: inputs)
        } catch {
            throw reported(error, of: vertex)
        }
        observe(vertex.id, .resolved(content))
        if vertex.ignoresCache { return try await run(vertex, inputs, savingAs: [definition, content]) }
        if let known = try await runner.cached(content, for: vertex) {
            // What is recorded under this key already keeps its age.
            if definition != content { try await runner.save(known, under: [definition], for: vertex) }
            reportCached(vertex)
            observe(vertex.id, .ended(.knownByContent(known)))
            return known
        }
        if let first = contents[content] {
            let result = try await resultTask(first).value
            try await runner.save(result, under: [definition], for: vertex)
            reportCached(vertex)
            observe(vertex.id, .ended(.knownByContent(result)))
            return result
        }
        contents[content] = vertex.id
        return try await runUnlessAnotherBuildDoes(vertex, inputs, definition, content)
    }

    private func run(
        _ vertex: Vertex, _ inputs: [Runner.Result], savingAs keys: [Runner.Key]
    ) async throws -> Runner.Result {
        let result = try await runInTurn(vertex, inputs: inputs)
        try await runner.save(result, under: keys, for: vertex)
        return result
    }

    /// The holder of the claim runs the step, and the others find its result. If it fails or dies, the next one runs it.
    private func runUnlessAnotherBuildDoes(
        _ vertex: Vertex, _ inputs: [Runner.Result], _ definition: Runner.Key, _ content: Runner.Key
    ) async throws -> Runner.Result {
        let claim = try await claim(content, for: vertex)
        defer { withExtendedLifetime(claim) {} }
        // It may have been made between the look-up and the claim.
        if let known = try await runner.cached(content, for: vertex) {
            try await runner.save(known, under: [definition], for: vertex)
            reportCached(vertex)
            observe(vertex.id, .ended(.knownByContent(known)))
            return known
        }
        return try await run(vertex, inputs, savingAs: [definition, content])
    }

    private func claim(_ content: Runner.Key, for vertex: Vertex) async throws -> StepClaim {
        do {
            return try await LockWaiter.wait(busy: { showWaiting(vertex) }) {
                let claim = try await runner.claim(content, for: vertex)
                return if case .granted = claim { claim } else { nil }
            }
        } catch {
            waiting.removeValue(forKey: vertex.id)?.finish(error)
            throw error
        }
    }

    private func showWaiting(_ vertex: Vertex) {
        guard waiting[vertex.id] == nil, runner.isVisible(vertex) else { return }
        let step = begin(vertex)
        step.status("waiting for the same step of another build")
        waiting[vertex.id] = step
    }

    /// Shows a vertex whose result is known by its definition, and with it all that was not needed for it.
    private func reportKnown(_ vertex: Vertex, _ result: Runner.Result) {
        for ancestor in graph.reachable(from: vertex.id, besides: &reported) {
            reportCached(ancestor)
            observe(ancestor.id, .ended(ancestor.id == vertex.id ? .knownByDefinition(result) : .notNeeded))
        }
    }

    private func reportCached(_ vertex: Vertex) {
        if let step = waiting.removeValue(forKey: vertex.id) { return step.finish(.cached) }
        guard steps[vertex.id] == nil, runner.isVisible(vertex) else { return }
        begin(vertex).finish(.cached)
    }

    private func begin(_ vertex: Vertex) -> StepReporter {
        let step = progress.begin(vertex.label, inputs: vertex.inputs.compactMap { steps[$0] })
        steps[vertex.id] = step.id
        observe(vertex.id, .shown(step.id))
        return step
    }

    private func runInTurn(_ vertex: Vertex, inputs: [Runner.Result]) async throws -> Runner.Result {
        guard runner.isVisible(vertex) else {
            let silent = ProgressReporter { _ in }
            let result = try await runner.run(vertex, inputs: inputs, step: silent.begin(vertex.label))
            observe(vertex.id, .ended(.ran(result)))
            return result
        }
        observe(vertex.id, .waiting)
        let isComputing = runner.isComputing(vertex)
        await turns.acquire(vertex.id, isComputing: isComputing)
        do {
            let result = try await runNow(vertex, inputs)
            await turns.release(isComputing: isComputing)
            return result
        } catch {
            await turns.release(isComputing: isComputing)
            throw error
        }
    }

    private func runNow(_ vertex: Vertex, _ inputs: [Runner.Result]) async throws -> Runner.Result {
        let waited = waiting.removeValue(forKey: vertex.id)
        if Task.isCancelled {
            waited?.finish(.cancelled)
            throw CancellationError()
        }
        let step = waited ?? begin(vertex)
        observe(vertex.id, .began)
        do {
            let result = try await runner.run(vertex, inputs: inputs, step: step)
            step.finish(.done)
            observe(vertex.id, .ended(.ran(result)))
            return result
        } catch {
            let located = Self.located(error, at: vertex)
            step.finish(located)
            observe(vertex.id, .ended(VertexOutcome(located)))
            throw located
        }
    }

    /// Shows a step that failed before it could start, e.g. because a file it names is missing.
    private func reported(_ error: any Error, of vertex: Vertex) -> any Error {
        let located = Self.located(error, at: vertex)
        if steps[vertex.id] == nil, runner.isVisible(vertex) { begin(vertex).finish(located) }
        observe(vertex.id, .ended(VertexOutcome(located)))
        return located
    }

    private static func located(_ error: any Error, at vertex: Vertex) -> any Error {
        (error as? any AnyFailure)?.located(at: vertex.location) ?? error
    }
}
