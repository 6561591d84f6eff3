import Console
import GoCompat
import Solver

/// The state of a build from its events, with their times since the start of the build.
struct BuildTrace: Sendable {
    /// One chore of a step.
    struct Status: Sendable {
        var progress: StepStatus
        let started: Duration
        var updated: Duration

        var finished: Duration? { progress.isComplete ? updated : nil }
    }

    struct Step: Sendable {
        let id: StepID
        let label: String
        /// The time at which it began or, if it was opened again, at which that happened.
        var started: Duration
        var finished: Duration?
        var outcome: StepOutcome?
        var statuses: [Status] = []
        var warnings: [String] = []
        var cutter = LineCutter()
        var tail: LogTail

        var isRunning: Bool { outcome == nil }

        var failure: StepFailure? { if case .failed(let failure) = outcome { failure } else { nil } }
    }

    /// In the order they began.
    private(set) var steps: [Step] = []
    private var positions: [StepID: Int] = [:]
    private let tailCount: Int

    /// `tailCount` is how many of the last lines of each step are kept.
    init(tailCount: Int) { self.tailCount = tailCount }

    /// Takes in an event and returns the position of its step; `nil` when it says nothing new.
    ///
    /// `sink` gets the output as lines. Output after the end of a step is dropped.
    /// Warnings are not: what is wrong with a Dockerfile shows only after it was read.
    mutating func apply(_ event: BuildEvent, at now: Duration, sink: (LineCutter.Piece) -> Void = { _ in }) -> Int? {
        if case .started(let id, let label, _) = event {
            if let position = positions[id] { return reopen(position, at: now) }
            positions[id] = steps.count
            steps.append(
                Step(id: id, label: TerminalText.line(label), started: now, tail: LogTail(count: tailCount)))
            return steps.count - 1
        }
        guard let position = positions[event.step], steps[position].isRunning || event.isWarning else { return nil }
        switch event {
        case .started: break
        case .output(_, _, let bytes):
            var cutter = steps[position].cutter
            steps[position].cutter = LineCutter()
            cutter.feed(bytes, at: now) { keep($0, of: position, sink: sink) }
            steps[position].cutter = cutter
        case .status(_, let status): update(status, of: position, at: now)
        case .warning(_, let text): steps[position].warnings.append(TerminalText.line(text))
        case .finished(_, let outcome):
            flushLine(of: position, ends: true, at: now, sink: sink)
            steps[position].cutter = LineCutter()
            steps[position].finished = now
            steps[position].outcome = outcome
            if steps[position].failure == nil { steps[position].tail = LogTail(count: tailCount) }
        }
        return position
    }

    private mutating func reopen(_ position: Int, at now: Duration) -> Int? {
        guard !steps[position].isRunning else { return nil }
        steps[position].started = now
        steps[position].finished = nil
        steps[position].outcome = nil
        return position
    }

    /// Hands out the unfinished line of a step.
    mutating func flushLine(of position: Int, ends: Bool, at now: Duration, sink: (LineCutter.Piece) -> Void) {
        var cutter = steps[position].cutter
        cutter.flush(ends: ends, at: now) { keep($0, of: position, sink: sink) }
        steps[position].cutter = cutter
    }

    /// Ends what is still open, when the build is over before its steps said so.
    mutating func cancelOpenSteps(at now: Duration, sink: (Int, LineCutter.Piece) -> Void = { _, _ in }) -> [Int] {
        let open = steps.indices.filter { steps[$0].isRunning }
        for position in open {
            _ = apply(.finished(steps[position].id, .cancelled), at: now) { sink(position, $0) }
        }
        return open
    }

    private mutating func keep(_ piece: LineCutter.Piece, of position: Int, sink: (LineCutter.Piece) -> Void) {
        steps[position].tail.append(piece)
        sink(piece)
    }

    private mutating func update(_ status: StepStatus, of position: Int, at now: Duration) {
        if let known = steps[position].statuses.firstIndex(where: { $0.progress.name == status.name }) {
            steps[position].statuses[known].progress = status
            steps[position].statuses[known].updated = now
        } else {
            steps[position].statuses.append(Status(progress: status, started: now, updated: now))
        }
    }
}

extension BuildEvent {
    fileprivate var isWarning: Bool {
        if case .warning = self { true } else { false }
    }

    /// The step it is about.
    var step: StepID {
        switch self {
        case .started(let id, _, _), .output(let id, _, _), .status(let id, _), .warning(let id, _),
            .finished(let id, _):
            id
        }
    }
}

extension StepStatus {
    /// `1.98MB / 4.00MB`, `1.98MB` or nothing.
    var amount: String {
        if let total, total > 0 { return "\(HumanSize.fixed(current ?? 0)) / \(HumanSize.fixed(total))" }
        guard let current, current != 0 else { return "" }
        return HumanSize.fixed(current)
    }
}

extension Duration {
    /// Seconds as log lines begin with them: the longer it takes, the fewer decimals.
    var logStamp: String { seconds.fixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1) }
}
