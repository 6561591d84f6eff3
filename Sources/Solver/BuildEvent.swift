/// A step as progress counts it: a vertex of the graph, or a chore such as reading the Dockerfile.
package struct StepID: Hashable, Sendable {
    package let number: Int

    package init(number: Int) { self.number = number }
}

/// Which pipe of a command a piece of output came from.
package enum OutputStream: Int, Hashable, Sendable {
    case standardOutput = 1
    case standardError = 2
}

/// How a step ended.
package enum StepOutcome: Hashable, Sendable {
    case done
    /// Its result was known.
    case cached
    /// Another step failed, or the user gave up.
    case cancelled
    case failed(StepFailure)

    /// How a step ends that threw `error`.
    package init(_ error: any Error) {
        self = error is CancellationError ? .cancelled : .failed(StepFailure(error))
    }
}

/// How far a chore of a step has come, e.g. `transferring context`.
package struct StepStatus: Hashable, Sendable {
    package let name: String
    /// In bytes; `nil` when there is nothing to count.
    package let current: Int64?
    package let total: Int64?
    package let isComplete: Bool

    package init(name: String, current: Int64? = nil, total: Int64? = nil, isComplete: Bool) {
        self.name = name
        self.current = current
        self.total = total
        self.isComplete = isComplete
    }
}

/// An event of a build. The receiver notes the time.
package enum BuildEvent: Sendable {
    /// A step begins; or one that has ended is open again, to do what turned out to be needed only now.
    case started(StepID, label: String, inputs: [StepID])
    case output(StepID, OutputStream, [UInt8])
    case status(StepID, StepStatus)
    case warning(StepID, String)
    case finished(StepID, StepOutcome)
}
