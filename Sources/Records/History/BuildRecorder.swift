import Diagnostics
package import Graph
import Layers
import Linux
package import OCI
package import Solver
package import Store
import Synchronization
import SystemPackage
import Trees

/// Notes what happens in one build, and writes it into the history when the build has ended.
///
/// History is told to people: what goes wrong with it is no failure of the build. Before the end nothing is written but
/// the log, which others see the running build by; see ``BuildLogWriter``.
package final class BuildRecorder: Sendable {
    /// A step as progress knows it.
    struct Shown {
        var label: String
        var started: Duration
        var ended: Duration?
        var outcome: StepOutcome?
        var outputBytes: Int64 = 0
        var isVertex = false
    }

    struct State {
        var details = BuildDetails()
        var name = ""
        var target = ""
        var tags: [String] = []
        /// Of the steps that make files: how many are known to be cached, and how many there are.
        var cachedSteps = 0
        var totalSteps = 0
        /// By the index of the vertex, as it is in the graph; those that are not needed have none.
        var vertices: [Int: RecordedStep] = [:]
        var shown: [StepID: Shown] = [:]
        var isReady = false
    }

    /// The build's ID for users.
    package let reference: String
    package let journal = KeyIngredientLog()
    private let store: StoreRoot
    private let origin = ContinuousClock.now
    private let started = Timestamp.now
    private let state = Mutex(State())
    private let log = Mutex(Log())

    private struct Log: ~Copyable {
        var writer: BuildLogWriter?
        /// The events before there was a Dockerfile.
        var pending: [(time: Duration, event: BuildEvent)]? = []

        mutating func append(_ event: BuildEvent, at time: Duration) {
            if writer == nil { pending?.append((time, event)) } else { writer?.append(event, at: time) }
        }

        mutating func begin(_ writer: consuming BuildLogWriter) {
            for (time, event) in pending ?? [] { writer.append(event, at: time) }
            self.writer = consume writer
        }
    }

    package init(store: StoreRoot) {
        self.store = store
        reference = Self.newReference()
    }

    private static func newReference() -> String {
        // Without those that look like others.
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
        return String((0..<10).map { _ in letters[Int.random(in: letters.indices)] })
    }

    private var now: Duration { ContinuousClock.now - origin }

    // MARK: Taking in

    /// Takes in an event of progress.
    package func receive(_ event: BuildEvent) {
        let now = now
        switch event {
        case .started(let id, let label, _):
            // A step that is opened again began when it began first.
            state.withLock { state in
                if state.shown[id] == nil { state.shown[id] = Shown(label: label, started: now) }
            }
        case .output(let id, _, let bytes):
            state.withLock { $0.shown[id]?.outputBytes += Int64(bytes.count) }
        case .finished(let id, let outcome):
            state.withLock { state in
                state.shown[id]?.ended = now
                state.shown[id]?.outcome = outcome
            }
        case .status, .warning: return
        }
        log.withLock { $0.append(event, at: now) }
    }

    /// Notes what is built, as soon as there is a Dockerfile. `details` have no steps yet.
    package func begin(_ details: BuildDetails, target: String, tags: [ImageReference]) {
        state.withLock { state in
            state.details = details
            let given = details.arguments.last { $0.hasPrefix(Self.nameArgument) }?.dropFirst(Self.nameArgument.count)
            let name = Self.name(context: FilePath(details.context), dockerfile: FilePath(details.dockerfile))
            state.name = given.flatMap { $0.isEmpty ? nil : String($0) } ?? name
            state.target = target
            state.tags = tags.map(\.familiar)
            state.isReady = true
        }
    }

    /// Lets others see that the build runs, as soon as it is known what is built. Does nothing when they do already.
    package func announce() {
        let state = state.withLock { $0 }
        guard state.isReady else { return }
        let record = BuildRecord(
            id: reference, started: started, finished: started, name: state.name, target: state.target,
            status: .running, tags: state.tags)
        log.withLock { log in
            guard log.writer == nil, log.pending != nil else { return }
            if let writer = try? BuildLogWriter(store.builds, BuildOutline(record: record, details: state.details)) {
                log.begin(writer)
            }
            log.pending = nil
        }
    }

    /// `app` for `app/Dockerfile`, `app/deploy.Dockerfile` and the like for others.
    /// The build argument that names the build in the history.
    private static let nameArgument = "BUILDKIT_BUILD_NAME="

    private static func name(context: FilePath, dockerfile: FilePath) -> String {
        let folder = context.lastComponent?.string ?? "/"
        var rest = dockerfile
        guard rest.removePrefix(context) else { return "\(folder) (\(dockerfile.lastComponent?.string ?? "-"))" }
        return rest == "Dockerfile" ? folder : "\(folder)/\(rest.string)"
    }

    /// Notes the steps that the target needs, inputs first.
    package func plan(_ needed: [Vertex], kind: (Vertex) -> RecordedStep.Kind) {
        var positions: [VertexID: Int] = [:]
        for (position, vertex) in needed.enumerated() { positions[vertex.id] = position }
        state.withLock { state in
            for vertex in needed {
                var step = RecordedStep(
                    label: Redaction.withoutLogins(vertex.label), kind: kind(vertex))
                step.lines = vertex.location?.lines
                step.inputs = vertex.inputs.compactMap { positions[$0] }
                step.ignoresCache = vertex.ignoresCache
                state.vertices[vertex.id.index] = step
            }
            state.cachedSteps = 0
            state.totalSteps = state.vertices.values.count(where: \.kind.isWork)
        }
        writeCounts()
    }

    private func writeCounts() {
        let (cached, total) = state.withLock { ($0.cachedSteps, $0.totalSteps) }
        log.withLock { $0.writer?.count(cached: cached, of: total) }
    }

    /// Takes in what the solver found out. A result is the digest that names the files that came out, if one does.
    package func observe(_ vertex: VertexID, _ note: VertexNote<Digest, Digest?>) {
        let now = now
        let hasCounted = state.withLock { state in
            var step = state.vertices[vertex.index] ?? RecordedStep(label: "", kind: .chore)
            switch note {
            case .defined(let key): step.definition = key
            case .resolved(let key): step.content = key
            case .shown(let id):
                step.number = id.number
                state.shown[id]?.isVertex = true
            case .waiting: step.ready = now
            case .began: step.started = now
            case .ended(let outcome):
                let wasHit = step.outcome.isHit
                step.end(with: outcome)
                if step.started != nil { step.ended = now }
                if step.kind.isWork, step.outcome.isHit, !wasHit { state.cachedSteps += 1 }
            }
            defer { state.vertices[vertex.index] = step }
            return step.outcome.isHit != state.vertices[vertex.index]?.outcome.isHit
        }
        if hasCounted { writeCounts() }
    }

    // MARK: Writing

    /// Writes the record of the build, which has ended. Does nothing when it did not get as far as to a Dockerfile.
    package func finish(imageID: Digest?, error: (any Error)?) {
        let now = now
        announce()
        let state = self.state.withLock { $0 }
        guard state.isReady else { return }
        var details = state.details
        details.steps = Self.steps(of: state, costs: journal.costs, isCancelled: error is CancellationError, end: now)
        let work = details.work
        var record = BuildRecord(
            id: reference, started: started, finished: started.adding(now), name: state.name,
            target: state.target, status: error == nil ? .succeeded : error is CancellationError ? .cancelled : .failed,
            cachedSteps: work.count { $0.outcome.isHit }, totalSteps: work.count, imageID: imageID,
            tags: state.tags, error: error.flatMap { $0 is CancellationError ? nil : describe($0) },
            details: details.encoded)
        let history = BuildHistory(store: store)
        // Before this one has its record, as they are older.
        try? history.adoptLost()
        var kept: BuildLogFile?
        var running: BuildLogFile?
        if let writer = log.withLock({ $0.writer.take() }), var finished = try? writer.finish() {
            record.logSize = (try? finished.kept?.size()) ?? 0
            kept = finished.kept.take()
            running = finished.running.take()
        }
        try? store.builds.save(record, facts: facts(for: details), log: kept)
        // Only now it is not seen as one that runs.
        _ = consume running
    }

    private static func steps(
        of state: State, costs: [StepID: StepCost], isCancelled: Bool, end: Duration
    ) -> [RecordedStep] {
        var steps = state.vertices.sorted { $0.key < $1.key }.map(\.value)
        for index in steps.indices {
            let id = StepID(number: steps[index].number)
            guard let shown = state.shown[id] else { continue }
            steps[index].cost = costs[id] ?? StepCost()
            steps[index].outputBytes = shown.outputBytes
            if steps[index].started == nil {
                steps[index].started = shown.started
                steps[index].ended = shown.ended
            }
        }
        for (id, shown) in state.shown.sorted(by: { $0.key.number < $1.key.number }) where !shown.isVertex {
            var chore = RecordedStep(label: Redaction.withoutLogins(shown.label), kind: .chore)
            chore.number = id.number
            chore.started = shown.started
            chore.ended = shown.ended ?? end
            chore.outputBytes = shown.outputBytes
            switch shown.outcome {
            case .done, .cached: chore.outcome = .ran
            case .failed(let failure): (chore.outcome, chore.failure) = (.failed, failure)
            case .cancelled: chore.outcome = .cancelled
            case nil: chore.outcome = isCancelled ? .cancelled : .notReached
            }
            steps.append(chore)
        }
        return steps
    }

    /// The ingredients of the keys, and the lists of files that are not kept yet.
    private func facts(for details: BuildDetails) -> BuildFacts {
        var facts = BuildFacts()
        let known = journal.keys
        for key in details.steps.flatMap({ [$0.definition, $0.content] }).compactMap(\.self) {
            facts.keys[key] = known[key]?.encoded
        }
        for (digest, list) in journal.lists {
            let isKept = (try? store.builds.hasList(digest)) ?? false
            facts.lists[digest] = isKept ? [] : (try? list.encoded.compressedAtOnce()) ?? []
        }
        return facts
    }

}

extension RecordedStep {
    fileprivate mutating func end(with outcome: VertexOutcome<Digest?>) {
        switch outcome {
        case .knownByDefinition(let result): (self.outcome, self.result) = (.cached, result)
        case .knownByContent(let result): (self.outcome, self.result) = (.unchanged, result)
        case .notNeeded: if self.outcome == .notReached { self.outcome = .cached }
        case .ran(let result): (self.outcome, self.result) = (.ran, result)
        case .failed(let failure): (self.outcome, self.failure) = (.failed, failure)
        case .cancelled: self.outcome = .cancelled
        }
    }
}

extension Timestamp {
    fileprivate func adding(_ duration: Duration) -> Timestamp {
        let total = Int64(nanoseconds) + duration.nanoseconds
        return Timestamp(seconds: seconds + total / 1_000_000_000, nanoseconds: Int32(total % 1_000_000_000))
    }
}
