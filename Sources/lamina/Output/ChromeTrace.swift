import Engine
import Linux
import OCI
import Records
import Solver
import Store
import SystemPackage

/// A build in the Trace Event Format, which chrome://tracing and Perfetto show.
///
/// Source: "Trace Event Format", the document of the Catapult project: complete events (`ph` X) in microseconds, and
/// metadata events (`ph` M) that name the lanes.
struct ChromeTrace {
    let build: PastBuild

    /// Creates the file of a trace, or empties it.
    static func create(_ path: String) throws -> OwnedDescriptor {
        try OwnedDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
    }

    func write(to file: borrowing OwnedDescriptor) throws { try file.write(json.encoded().span) }

    var json: JSON {
        let steps = build.details.steps
        let lanes = Self.lanes(steps)
        let onPath = Set(CriticalPath(steps).positions)
        var events: [JSON] = [Self.metadata("process_name", lane: nil, "lamina build \(build.record.name)")]
        for lane in Set(lanes.values).sorted() {
            events.append(Self.metadata("thread_name", lane: lane, "slot \(lane)"))
        }
        for position in steps.indices {
            guard let lane = lanes[position] else { continue }
            if let wait = waitEvent(steps[position], lane: lane) { events.append(wait) }
            events.append(event(steps[position], lane: lane, isCritical: onPath.contains(position)))
        }
        return .object(
            ("traceEvents", .array(events)), ("displayTimeUnit", .string("ms")),
            (
                "otherData",
                .object(
                    ("build", .string(build.record.id)), ("started", .string(build.record.started.description)),
                    ("status", .string(build.record.status.rawValue)), ("version", .string(build.details.version)))
            ))
    }

    /// Steps that overlap are in different lanes; the first that is free is taken.
    private static func lanes(_ steps: [RecordedStep]) -> [Int: Int] {
        let shown = steps.indices.filter { steps[$0].wall != nil && (steps[$0].number > 0) }
        let order = shown.sorted { (start(steps[$0]), $0) < (start(steps[$1]), $1) }
        var lanes: [Int: Int] = [:]
        var free: [Duration] = []
        for position in order {
            let began = start(steps[position])
            let lane = free.firstIndex { $0 <= began } ?? free.count
            if lane == free.count { free.append(.zero) }
            free[lane] = steps[position].ended ?? began
            lanes[position] = lane + 1
        }
        return lanes
    }

    /// The waiting belongs to the step.
    private static func start(_ step: RecordedStep) -> Duration {
        step.ready ?? step.started ?? .zero
    }

    private static func metadata(_ name: String, lane: Int?, _ value: String) -> JSON {
        .object(
            ("name", .string(name)), ("ph", .string("M")), ("pid", .integer(1)), ("tid", .integer(lane ?? 0)),
            ("args", .object(("name", .string(value)))))
    }

    private func waitEvent(_ step: RecordedStep, lane: Int) -> JSON? {
        guard let ready = step.ready, let wait = step.wait, wait >= .microseconds(100) else { return nil }
        return complete(
            "waiting", "wait", from: ready, for: wait, lane: lane, args: .object(("step", .string(step.label))))
    }

    private func event(_ step: RecordedStep, lane: Int, isCritical: Bool) -> JSON {
        let args = JSON.object(
            ("outcome", .string(step.outcome.rawValue)), ("line", step.lines.map { .integer($0.lowerBound) }),
            ("critical", .bool(isCritical)), ("error", step.failure.map { .string($0.message) }),
            ("error_code", step.failure?.code.map { .string($0) }),
            ("cpu_us", step.cost.cpu.map { .integer($0.nanoseconds / 1000) }),
            ("peak_memory", step.cost.peakMemory.map { .integer($0) }),
            ("bytes_in", step.cost.bytesIn.map { .integer($0) }),
            ("bytes_out", step.cost.bytesOut.map { .integer($0) }))
        return complete(
            step.label, step.kind.rawValue, from: step.started ?? .zero, for: step.wall ?? .zero, lane: lane, args: args
        )
    }

    private func complete(
        _ name: String, _ category: String, from start: Duration, for length: Duration, lane: Int, args: JSON
    ) -> JSON {
        .object(
            ("name", .string(name)), ("cat", .string(category)), ("ph", .string("X")),
            ("ts", .integer(start.nanoseconds / 1000)), ("dur", .integer(max(0, length.nanoseconds / 1000))),
            ("pid", .integer(1)), ("tid", .integer(lane)), ("args", args))
    }
}
