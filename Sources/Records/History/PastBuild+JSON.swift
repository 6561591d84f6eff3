import OCI
import Solver
import Store

extension PastBuild {
    /// The document about a build for programs. Times are seconds with a fraction; `ingredients` tells what went into a
    /// key.
    func json(ingredients: (Digest) -> JSON?) -> JSON {
        .object(
            ("ID", .string(record.id)), ("Name", .string(record.name)), ("Target", .string(record.target)),
            ("Dockerfile", .string(details.dockerfile)),
            ("DockerfileDigest", details.dockerfileDigest.map { .string($0.description) }),
            ("Context", .string(details.context)), ("Platform", .string(details.platform)),
            ("BuildArgs", .array(details.arguments.map { .string($0) })), ("NoCache", .bool(details.ignoresCache)),
            ("Tags", .array(record.tags.map { .string($0) })), ("Status", .string(record.status.rawValue)),
            ("Error", record.error.map { .string($0) }), ("Image", record.imageID.map { .string($0.description) }),
            ("StartedAt", .string(record.started.description)),
            ("CompletedAt", record.status == .running ? nil : .string(record.finished.description)),
            ("Duration", duration.secondsJSON), ("TotalSteps", .integer(record.totalSteps)),
            ("CachedSteps", .integer(record.cachedSteps)), ("LogSize", .integer(record.logSize)),
            ("Version", .string(details.version)),
            ("Steps", .array(details.steps.indices.map { step($0, ingredients) })))
    }

    private func step(_ position: Int, _ ingredients: (Digest) -> JSON?) -> JSON {
        let step = details.steps[position]
        return .object(
            ("Position", .integer(position)), ("Number", step.number == 0 ? nil : .integer(step.number)),
            ("Label", .string(step.label)), ("Kind", .string(step.kind.rawValue)),
            ("Outcome", .string(step.outcome.rawValue)), ("Error", step.failure.map { .string($0.message) }),
            ("ErrorCode", step.failure?.code.map { .string($0) }), ("Hint", step.failure?.hint.map { .string($0) }),
            ("Lines", step.lines.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
            ("Inputs", .array(step.inputs.map { .integer($0) })), ("NoCache", .bool(step.ignoresCache)),
            ("Key", step.definition.map { .string($0.description) }),
            ("ContentKey", step.content.map { .string($0.description) }),
            ("Result", step.result.map { .string($0.description) }),
            ("Started", step.started.map(\.secondsJSON)), ("Ended", step.ended.map(\.secondsJSON)),
            ("Wall", step.wall.map(\.secondsJSON)), ("Wait", step.wait.map(\.secondsJSON)),
            ("CPU", step.cost.cpu.map(\.secondsJSON)), ("PeakMemory", step.cost.peakMemory.map { .integer($0) }),
            ("BytesIn", step.cost.bytesIn.map { .integer($0) }),
            ("BytesOut", step.cost.bytesOut.map { .integer($0) }),
            ("OutputBytes", .integer(step.outputBytes)),
            ("Ingredients", (step.content ?? step.definition).flatMap(ingredients)))
    }
}

extension Duration {
    /// Seconds with a fraction of six digits.
    var secondsJSON: JSON {
        let microseconds = nanoseconds / 1000
        let digits = String(abs(microseconds) % 1_000_000)
        let sign = microseconds < 0 ? "-" : ""
        let padding = String(repeating: "0", count: 6 - digits.count)
        return .number("\(sign)\(abs(microseconds) / 1_000_000).\(padding)\(digits)")
    }
}
