import Diagnostics
package import Graph

/// Runs what a target needs: inputs first, independent steps at once, and each step at most one time.
///
/// A vertex is looked up by its definition before its inputs are touched, and by the content of its inputs before it
/// runs. A vertex that must run anew (``Vertex/ignoresCache``) makes the definitions of all that follow it say
/// nothing, so these are looked up by content alone.
package actor GraphSolver<Runner: OperationRunner> {
    private let runner: Runner
    private let progress: ProgressReporter
    private let observe: @Sendable (VertexID, VertexNote<Runner>) -> Void
    private let limit: Int
    private let usesDefinitions: Bool
    private var graph = BuildGraph()
    private var keys: [VertexID: Task<Runner.Key, any Error>] = [:]
    private var results: [VertexID: Task<Runner.Result, any Error>] = [:]
    private var mustRerun: [VertexID: Bool] = [:]
    private var steps: [VertexID: StepID] = [:]
    private var running = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var failure: (any Error)?

    /// `limit` is how many operations run at once. Without `usesDefinitions` every result is looked up by the content
    /// of its inputs, each of which is looked at then. `observe` is told what becomes of each vertex, from any thread.
    package init(
        runner: Runner, progress: ProgressReporter, limit: Int = 16, usesDefinitions: Bool = true,
        observe: @escaping @Sendable (VertexID, VertexNote<Runner>) -> Void = { _, _ in }
    ) {
        self.usesDefinitions = usesDefinitions
        self.runner = runner
        self.progress = progress
        self.observe = observe
        self.limit = limit
    }

    /// The result of `target`. When a step fails the others are cancelled and waited for, and its error is thrown.
    package func solve(_ graph: BuildGraph, target: VertexID) async throws -> Runner.Result {
        self.graph = graph
        let task = resultTask(target)
        let outcome = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            Task { await self.cancelAll() }
        }
        if case .failure = outcome { cancelAll() }
        // Nothing may go on after this returns: a running command holds mounts and processes.
        for task in keys.values { _ = await task.result }
        for task in results.values { _ = await task.result }
        switch outcome {
        case .success(let result): return result
        case .failure(let error): throw failure ?? error
        }
    }

    private func cancelAll() {
        for task in keys.values { task.cancel() }
        for task in results.values { task.cancel() }
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
        let task = Task { () throws -> Runner.Key in
            // All at once: a key may have to be asked for at a server.
            let tasks = vertex.inputs.map { keyTask($0) }
            var inputs: [Runner.Key] = []
            for task in tasks { inputs.append(try await task.value) }
            do {
                let key = try await runner.definitionKey(of: vertex, inputs: inputs)
                observe(id, .defined(key))
                return key
            } catch {
                let error = reported(error, of: vertex)
                fail(error)
                throw error
            }
        }
        keys[id] = task
        return task
    }

    private func rerunsOrFollowsRerun(_ id: VertexID) -> Bool {
        if let known = mustRerun[id] { return known }
        let vertex = graph[id]
        let answer = vertex.ignoresCache || vertex.inputs.contains { rerunsOrFollowsRerun($0) }
        mustRerun[id] = answer
        return answer
    }

    // MARK: Results

    private func resultTask(_ id: VertexID) -> Task<Runner.Result, any Error> {
        if let task = results[id] { return task }
        let task = Task { () throws -> Runner.Result in
            do { return try await resolve(graph[id]) } catch {
                fail(error)
                throw error
            }
        }
        results[id] = task
        return task
    }

    private func resolve(_ vertex: Vertex) async throws -> Runner.Result {
        let definition = try await keyTask(vertex.id).value
        let isLookedUp = usesDefinitions && !rerunsOrFollowsRerun(vertex.id)
        if isLookedUp, let known = try await runner.cached(definition, for: vertex) {
            for ancestor in graph.reachable(from: vertex.id) {
                reportCached(ancestor)
                observe(ancestor.id, .ended(ancestor.id == vertex.id ? .knownByDefinition(known) : .notNeeded))
            }
            return known
        }
        let inputTasks = vertex.inputs.map { resultTask($0) }
        var inputs: [Runner.Result] = []
        for task in inputTasks { inputs.append(try await task.value) }
        let content: Runner.Key
        do {
            content = try await runner.contentKey(of: vertex, inputs: inputs)
        } catch {
            throw reported(error, of: vertex)
        }
        observe(vertex.id, .resolved(content))
        if !vertex.ignoresCache, let known = try await runner.cached(content, for: vertex) {
            // What is recorded under this key already keeps its age.
            if definition != content { try await runner.save(known, under: [definition], for: vertex) }
            reportCached(vertex)
            observe(vertex.id, .ended(.knownByContent(known)))
            return known
        }
        let result = try await runInTurn(vertex, inputs: inputs)
        try await runner.save(result, under: [definition, content], for: vertex)
        return result
    }

    private func reportCached(_ vertex: Vertex) {
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
        await acquire()
        defer { release() }
        try Task.checkCancellation()
        let step = begin(vertex)
        observe(vertex.id, .began)
        do {
            let result = try await runner.run(vertex, inputs: inputs, step: step)
            step.finish(.done)
            observe(vertex.id, .ended(.ran(result)))
            return result
        } catch {
            let located = Self.located(error, at: vertex)
            step.finish(located)
            observe(vertex.id, .ended(error is CancellationError ? .cancelled : .failed(describe(located))))
            throw located
        }
    }

    /// Shows a step that failed before it could start, e.g. because a file it names is missing.
    private func reported(_ error: any Error, of vertex: Vertex) -> any Error {
        let located = Self.located(error, at: vertex)
        if steps[vertex.id] == nil, runner.isVisible(vertex) { begin(vertex).finish(located) }
        observe(vertex.id, .ended(error is CancellationError ? .cancelled : .failed(describe(located))))
        return located
    }

    private static func located(_ error: any Error, at vertex: Vertex) -> any Error {
        (error as? any AnyFailure)?.located(at: vertex.location) ?? error
    }

    // MARK: Turns

    private func acquire() async {
        if running < limit {
            running += 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Hands the place on to the step that waits longest.
    private func release() {
        if waiting.isEmpty {
            running -= 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
