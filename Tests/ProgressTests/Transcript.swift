import Solver
import Synchronization

@testable import Progress

/// Plays events into a display at given times and collects what it writes.
struct Transcript {
    private var display: any ProgressDisplay
    private(set) var bytes: [UInt8] = []
    /// The output of each call, without calls that wrote nothing.
    private(set) var writes: [[UInt8]] = []

    init(_ display: any ProgressDisplay) { self.display = display }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func at(_ milliseconds: Int, _ events: BuildEvent...) {
        for event in events { keep(display.receive(event, at: .milliseconds(milliseconds))) }
    }

    mutating func tick(_ milliseconds: Int) { keep(display.tick(at: .milliseconds(milliseconds))) }

    mutating func finish(_ milliseconds: Int, failed: Bool = false) {
        keep(display.finish(at: .milliseconds(milliseconds), failed: failed))
    }

    /// The bytes written since the last call.
    mutating func taken() -> String {
        defer { bytes = [] }
        return text
    }

    private mutating func keep(_ output: [UInt8]) {
        bytes += output
        if !output.isEmpty { writes.append(output) }
    }
}

extension BuildEvent {
    static func start(_ number: Int, _ label: String, _ inputs: Int...) -> BuildEvent {
        .started(StepID(number: number), label: label, inputs: inputs.map { StepID(number: $0) })
    }

    static func log(_ number: Int, _ text: String) -> BuildEvent {
        .output(StepID(number: number), .standardOutput, Array(text.utf8))
    }

    static func status(
        _ number: Int, _ name: String, _ current: Int64? = nil, of total: Int64? = nil, done: Bool = false
    ) -> BuildEvent {
        .status(StepID(number: number), StepStatus(name: name, current: current, total: total, isComplete: done))
    }

    static func end(_ number: Int, _ outcome: StepOutcome = .done) -> BuildEvent {
        .finished(StepID(number: number), outcome)
    }

    static func warn(_ number: Int, _ text: String) -> BuildEvent { .warning(StepID(number: number), text) }
}
