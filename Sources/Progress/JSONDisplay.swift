import Diagnostics
import FoundationEssentials
import OCI
import Solver

/// BuildKit's `rawjson`: one document a line, each a `SolveStatus` with what has changed.
///
/// Source: BuildKit, client/graph.go; `data` and `short` are bytes and so in base64.
struct JSONDisplay: ProgressDisplay {
    private struct Step {
        let digest: String
        let label: String
        let inputs: [String]
        let started: Duration
        var statuses: [String: Duration] = [:]
    }

    private var open: [StepID: Step] = [:]
    private var digests: [StepID: String] = [:]
    private let start: Timestamp

    /// `start` is the time of day when the build began.
    init(start: Timestamp) { self.start = start }

    mutating func receive(_ event: BuildEvent, at now: Duration) -> [UInt8] {
        let (key, document) = encode(event, at: now)
        guard let document else { return [] }
        return JSON.object((key, .array([document]))).encoded() + [0x0a]
    }

    mutating func tick(at now: Duration) -> [UInt8] { [] }

    mutating func finish(at now: Duration, failed: Bool) -> [UInt8] {
        guard failed else { return [] }
        return open.keys.sorted { $0.number < $1.number }.flatMap { receive(.finished($0, .cancelled), at: now) }
    }

    private mutating func encode(_ event: BuildEvent, at now: Duration) -> (key: String, document: JSON?) {
        switch event {
        case .started(let id, let label, let inputs):
            let digest = Digest(of: "\(label)\(id.number)").description
            digests[id] = digest
            let step = Step(digest: digest, label: label, inputs: inputs.compactMap { digests[$0] }, started: now)
            open[id] = step
            return ("vertexes", vertex(step))
        case .finished(let id, let outcome):
            return ("vertexes", open.removeValue(forKey: id).map { vertex($0, completed: now, outcome: outcome) })
        case .status(let id, let status):
            return ("statuses", self.status(status, of: id, at: now))
        case .output(let id, let stream, let bytes):
            return ("logs", log(bytes, stream, of: id, at: now))
        case .warning(let id, let text):
            let document = open[id].map { step in
                JSON.object(
                    ("vertex", .string(step.digest)), ("level", .integer(1)),
                    ("short", .string(base64(Array(text.utf8)))))
            }
            return ("warnings", document)
        }
    }

    private func vertex(_ step: Step, completed: Duration? = nil, outcome: StepOutcome? = nil) -> JSON {
        var error: String?
        var details: JSON?
        if case .failed(let failure) = outcome { (error, details) = (failure.message, Self.details(of: failure)) }
        if case .cancelled = outcome { error = "context canceled" }
        return .object(
            ("digest", .string(step.digest)),
            ("inputs", step.inputs.isEmpty ? nil : .array(step.inputs.map { .string($0) })),
            ("name", .string(step.label)),
            ("started", time(step.started)),
            ("completed", completed.map(time)),
            ("cached", outcome == .cached ? .bool(true) : nil),
            ("error", error.map { .string($0) }),
            ("errorDetails", details))
    }

    /// Fields that BuildKit's documents do not have; `nil` where there is only the message.
    private static func details(of failure: StepFailure) -> JSON? {
        guard failure.code != nil || failure.hint != nil || failure.location != nil else { return nil }
        return .object(
            ("code", failure.code.map { .string($0) }), ("hint", failure.hint.map { .string($0) }),
            ("file", failure.location.map { .string($0.file) }),
            ("line", failure.location.map { .integer($0.lines.lowerBound) }))
    }

    private mutating func status(_ status: StepStatus, of id: StepID, at now: Duration) -> JSON? {
        guard let step = open[id] else { return nil }
        let started = step.statuses[status.name] ?? now
        open[id]?.statuses[status.name] = started
        return .object(
            ("id", .string(status.name)),
            ("vertex", .string(step.digest)),
            ("total", status.total.flatMap { $0 == 0 ? nil : .integer($0) }),
            ("current", .integer(status.current ?? 0)),
            ("timestamp", time(now)),
            ("started", time(started)),
            ("completed", status.isComplete ? time(now) : nil))
    }

    private func log(_ bytes: [UInt8], _ stream: Solver.OutputStream, of id: StepID, at now: Duration) -> JSON? {
        guard let step = open[id] else { return nil }
        return .object(
            ("vertex", .string(step.digest)), ("stream", .integer(stream.rawValue)),
            ("data", .string(base64(bytes))), ("timestamp", time(now)))
    }

    private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private func time(_ offset: Duration) -> JSON {
        let (seconds, attoseconds) = offset.components
        let nanoseconds = Int64(start.nanoseconds) + attoseconds / 1_000_000_000
        let time = Timestamp(
            seconds: start.seconds + seconds + nanoseconds / 1_000_000_000,
            nanoseconds: Int32(nanoseconds % 1_000_000_000))
        return .string(time.description)
    }
}
