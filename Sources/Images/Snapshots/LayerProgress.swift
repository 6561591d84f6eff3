import Graph
import Linux
package import OCI
package import Solver
import Store
import Synchronization

/// Progress of layers that are fetched and unpacked, shown under the step that they belong to.
package final class LayerProgress: Sendable {
    private struct State {
        /// The step that brought a layer into the build.
        var steps: [DiffID: StepReporter] = [:]
        /// Steps for layers that no step of this build brought, by where the layers come from.
        var others: [String: StepReporter] = [:]
        /// How many users keep a step open after its end.
        var uses: [StepID: Int] = [:]
    }

    private let progress: ProgressReporter
    private let state = Mutex(State())
    fileprivate let listener: LayerFetcher.Report

    /// `listener` hears of every layer that is fetched, whichever step shows it.
    package init(_ progress: ProgressReporter, listener: @escaping LayerFetcher.Report = { _ in }) {
        self.progress = progress
        self.listener = listener
    }

    /// Shows nothing.
    package static var silent: LayerProgress { LayerProgress(ProgressReporter { _ in }) }

    /// Makes a step the one that shows what becomes of layers.
    package func register(_ diffIDs: [DiffID], for step: StepReporter) {
        state.withLock { state in
            for diffID in diffIDs where state.steps[diffID] == nil { state.steps[diffID] = step }
        }
    }

    /// Runs work that may fetch or unpack layers. Steps that it has something to say about are open until its end.
    package func session<Value>(_ body: (LayerSession) async throws -> Value) async throws -> Value {
        let session = LayerSession(self)
        do {
            let value = try await body(session)
            session.end()
            return value
        } catch {
            session.end(error)
            throw error
        }
    }

    /// The step of a layer, opened again if it has ended; one is made for layers from a place. `nil` if there is none.
    fileprivate func open(
        _ diffID: DiffID, from place: String?, _ session: inout [StepID: StepReporter]
    ) -> StepReporter? {
        var isNew = false
        let found = state.withLock { state -> StepReporter? in
            if let step = state.steps[diffID] { return step }
            guard let place else { return nil }
            isNew = state.others[place] == nil
            let step = state.others[place] ?? progress.begin("[internal] fetch layers from \(place)")
            state.others[place] = step
            state.steps[diffID] = step
            return step
        }
        guard let step = found, session[step.id] == nil else { return found }
        session[step.id] = step
        let isFirst = state.withLock { state in
            state.uses[step.id, default: 0] += 1
            return state.uses[step.id] == 1
        }
        if isFirst, !isNew { step.resume() }
        return step
    }

    fileprivate func close(_ steps: [StepReporter], _ error: (any Error)?) {
        for step in steps {
            let isLast = state.withLock { state in
                state.uses[step.id, default: 1] -= 1
                return state.uses[step.id] == 0
            }
            guard isLast else { continue }
            if let error { step.finish(error) } else { step.finish(.done) }
        }
    }
}

/// Reports of one piece of work on layers.
package final class LayerSession: Sendable {
    private let progress: LayerProgress
    private let steps = Mutex<[StepID: StepReporter]>([:])

    package init(_ progress: LayerProgress) { self.progress = progress }

    private func step(_ diffID: DiffID, from place: String? = nil) -> StepReporter? {
        steps.withLock { progress.open(diffID, from: place, &$0) }
    }

    package func report(_ event: LayerFetchEvent) {
        progress.listener(event)
        switch event {
        case .fetching(let diffID, let blob, let count, let place):
            step(diffID, from: place)?.status("\(blob.digest)", current: count, total: blob.size)
        case .fetched(let diffID, let blob):
            step(diffID)?.status("\(blob.digest)", current: blob.size, total: blob.size, isComplete: true)
        }
    }

    /// Layers from so many bytes on take a while to unpack.
    private static let noticeableSize: Int64 = 8 << 20

    /// Shows that a layer is unpacked while `body` runs, if it was fetched for it or is large.
    package func extracting<Value>(
        _ diffID: DiffID, _ blob: Descriptor, _ body: () throws -> Value
    ) rethrows -> Value {
        let hasFetched = steps.withLock { !$0.isEmpty }
        guard hasFetched || blob.size >= Self.noticeableSize else { return try body() }
        let step = step(diffID)
        step?.status("extracting \(blob.digest)")
        let value = try body()
        step?.status("extracting \(blob.digest)", isComplete: true)
        return value
    }

    fileprivate func end(_ error: (any Error)? = nil) {
        let open = steps.withLock { Array($0.values) }
        progress.close(open, error)
    }
}
