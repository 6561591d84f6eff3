import Synchronization

/// Numbers the steps of one build and passes on what happens in them.
package final class ProgressReporter: Sendable {
    private let nextNumber = Mutex(1)
    private let sink: @Sendable (BuildEvent) -> Void

    /// `sink` is called from any thread, one call at a time for each step.
    package init(sink: @escaping @Sendable (BuildEvent) -> Void) { self.sink = sink }

    /// A reporter whose events `observer` sees before this one's receiver does. Only one of the two may be used.
    package func observed(by observer: @escaping @Sendable (BuildEvent) -> Void) -> ProgressReporter {
        ProgressReporter { [sink] event in
            observer(event)
            sink(event)
        }
    }

    /// Announces a step.
    package func begin(_ label: String, inputs: [StepID] = []) -> StepReporter {
        let id = nextNumber.withLock { number in
            defer { number += 1 }
            return StepID(number: number)
        }
        sink(.started(id, label: label, inputs: inputs))
        return StepReporter(id: id, label: label, sink: sink)
    }

    /// Runs a chore as a step of its own.
    package func step<Value>(
        _ label: String, _ body: (StepReporter) async throws -> Value
    ) async throws -> Value {
        let step = begin(label)
        do {
            let value = try await body(step)
            step.finish(.done)
            return value
        } catch {
            step.finish(error)
            throw error
        }
    }
}

/// The voice of one running step.
package struct StepReporter: Sendable {
    package let id: StepID
    private let label: String
    private let sink: @Sendable (BuildEvent) -> Void

    init(id: StepID, label: String, sink: @escaping @Sendable (BuildEvent) -> Void) {
        self.id = id
        self.label = label
        self.sink = sink
    }

    package func output(_ stream: OutputStream, _ bytes: [UInt8]) { sink(.output(id, stream, bytes)) }

    package func status(_ name: String, current: Int64? = nil, total: Int64? = nil, isComplete: Bool = false) {
        sink(.status(id, StepStatus(name: name, current: current, total: total, isComplete: isComplete)))
    }

    package func warn(_ text: String) { sink(.warning(id, text)) }

    /// Opens a step again that has ended, as there is more to do for it. It must be finished again.
    package func resume() { sink(.started(id, label: label, inputs: [])) }

    package func finish(_ outcome: StepOutcome) { sink(.finished(id, outcome)) }

    /// Ends the step with what went wrong in it.
    package func finish(_ error: any Error) { finish(StepOutcome(error)) }
}
