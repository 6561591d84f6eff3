package import Solver
import Synchronization
package import Trees

/// Shows how much of a large context was read, as a step of the build.
package final class ContextProgress: Sendable {
    private let progress: ProgressReporter
    private let step = Mutex<(reporter: StepReporter, isOpen: Bool)?>(nil)

    package init(_ progress: ProgressReporter) { self.progress = progress }

    /// Counts what is read of the context, for as long as the build runs.
    package var reading: ContextReading { ContextReading { self.show($0, $1) } }

    private func show(_ count: Int64, _ isComplete: Bool) {
        step.withLock { step in
            let reporter = step?.reporter ?? progress.begin("[internal] load build context")
            if step?.isOpen == false { reporter.resume() }
            reporter.status("transferring context:", current: count, isComplete: isComplete)
            if isComplete { reporter.finish(.done) }
            step = (reporter, !isComplete)
        }
    }
}
