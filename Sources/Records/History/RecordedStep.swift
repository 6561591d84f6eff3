package import OCI
package import Solver
import Trees

/// One step of a recorded build: a vertex of its graph, or a chore such as reading the Dockerfile.
package struct RecordedStep: Hashable, Sendable {
    /// The kind of a step, by the name that records give it.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let chore = Kind(rawValue: "chore")
        package static let scratch = Kind(rawValue: "scratch")
        package static let image = Kind(rawValue: "image")
        package static let context = Kind(rawValue: "context")
        package static let http = Kind(rawValue: "http")
        package static let git = Kind(rawValue: "git")
        package static let run = Kind(rawValue: "run")
        package static let copy = Kind(rawValue: "copy")
        package static let directory = Kind(rawValue: "directory")

        private static let sources: Set<Kind> = [.scratch, .image, .context, .http, .git]

        /// Whether it is an instruction that makes files: what a cached ratio counts.
        package var isWork: Bool { self != .chore && !Self.sources.contains(self) }
    }

    package enum Outcome: String, Hashable, Sendable {
        /// Its result was known under its definition, or was not even needed.
        case cached
        /// Its definition was new; its inputs turned out to be as in a build before.
        case unchanged
        case ran
        case failed
        case cancelled
        /// The build ended before it.
        case notReached = "not-reached"

        package var isHit: Bool { self == .cached || self == .unchanged }
    }

    /// The text that progress shows, e.g. `[build 2/5] RUN make`, without logins.
    package var label: String
    package var kind: Kind
    package var outcome = Outcome.notReached
    /// The failure of a step that failed.
    package var failure: StepFailure?
    /// The lines in the Dockerfile.
    package var lines: ClosedRange<Int>?
    /// The positions of the steps whose results it uses, the base first.
    package var inputs: [Int] = []
    /// Whether it had to run whatever was known (`--no-cache`).
    package var ignoresCache = false
    /// The keys: by the definition, and by the content of the inputs where that was looked at.
    package var definition: Digest?
    package var content: Digest?
    /// Names the file system that came out, where that is known.
    package var result: Digest?
    /// The number that progress and the log know it by; 0 if it was not shown.
    package var number = 0
    /// The times, since the start of the build, at which it could have begun, began and ended.
    package var ready: Duration?
    package var started: Duration?
    package var ended: Duration?
    /// Output of the command, in bytes.
    package var outputBytes: Int64 = 0
    package var cost = StepCost()

    package init(label: String, kind: Kind) {
        self.label = label
        self.kind = kind
    }

    /// From its start to its end.
    package var wall: Duration? {
        guard let started, let ended else { return nil }
        return ended - started
    }

    /// How long it waited for its turn.
    package var wait: Duration? {
        guard let ready, let started else { return nil }
        return started - ready
    }
}

/// The resources and sizes of a step; `nil` is not known.
package struct StepCost: Hashable, Sendable {
    /// Of the command and all it started.
    package var cpu: Duration?
    /// The most memory of its processes, in bytes.
    package var peakMemory: Int64?
    /// Bytes of files that were read from the inputs or fetched.
    package var bytesIn: Int64?
    /// Bytes of the files in the layer that was made.
    package var bytesOut: Int64?

    package init(cpu: Duration? = nil, peakMemory: Int64? = nil, bytesIn: Int64? = nil, bytesOut: Int64? = nil) {
        self.cpu = cpu
        self.peakMemory = peakMemory
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
    }
}

extension RecordedStep {
    var json: JSON {
        .object(
            ("label", .string(label)), ("kind", .string(kind.rawValue)), ("outcome", .string(outcome.rawValue)),
            ("failure", failure?.json),
            ("lines", lines.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
            ("inputs", inputs.isEmpty ? nil : .array(inputs.map { .integer($0) })),
            ("noCache", ignoresCache ? .bool(true) : nil),
            ("definition", definition.map { .string($0.description) }),
            ("content", content.map { .string($0.description) }), ("result", result.map { .string($0.description) }),
            ("number", number == 0 ? nil : .integer(number)),
            ("ready", ready.map(\.json)), ("started", started.map(\.json)), ("ended", ended.map(\.json)),
            ("outputBytes", outputBytes == 0 ? nil : .integer(outputBytes)),
            ("cpu", cost.cpu.map(\.json)), ("peakMemory", cost.peakMemory.map { .integer($0) }),
            ("bytesIn", cost.bytesIn.map { .integer($0) }), ("bytesOut", cost.bytesOut.map { .integer($0) }))
    }

    init?(_ json: JSON) {
        guard let label = json["label"]?.string, let kind = json["kind"]?.string.map(Kind.init(rawValue:)),
            let outcome = json["outcome"]?.string.flatMap(Outcome.init)
        else { return nil }
        self.init(label: label, kind: kind)
        self.outcome = outcome
        func digest(_ name: String) -> Digest? { json[name]?.string.flatMap { try? Digest(parsing: $0) } }
        // Older records have the message alone.
        failure = json["failure"].flatMap(StepFailure.init) ?? json["error"]?.string.map { StepFailure($0) }
        if let bounds = json["lines"]?.array?.compactMap(\.integer), bounds.count == 2, bounds[0] <= bounds[1] {
            lines = Int(bounds[0])...Int(bounds[1])
        }
        inputs = (json["inputs"]?.array ?? []).compactMap { $0.integer.map(Int.init) }
        ignoresCache = json["noCache"]?.bool ?? false
        definition = digest("definition")
        content = digest("content")
        result = digest("result")
        number = json["number"]?.integer.map(Int.init) ?? 0
        ready = json["ready"].flatMap(Duration.init)
        started = json["started"].flatMap(Duration.init)
        ended = json["ended"].flatMap(Duration.init)
        outputBytes = json["outputBytes"]?.integer ?? 0
        cost = StepCost(
            cpu: json["cpu"].flatMap(Duration.init), peakMemory: json["peakMemory"]?.integer,
            bytesIn: json["bytesIn"]?.integer, bytesOut: json["bytesOut"]?.integer)
    }
}

extension Duration {
    /// In nanoseconds.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? (seconds < 0 ? .min : .max) : whole.addingClamped(attoseconds / 1_000_000_000)
    }

    fileprivate var json: JSON { .integer(nanoseconds) }

    fileprivate init?(_ json: JSON) {
        guard let count = json.integer else { return nil }
        self = .nanoseconds(count)
    }
}
