package import Console
import Linux
import OCI
package import Solver
import Store
import Synchronization

/// Shows the progress of one build: takes its events, from any thread, and notes when they came.
///
/// ```swift
/// let renderer = ProgressRenderer(mode: .auto)
/// let reporter = ProgressReporter(sink: renderer.receive)
/// ```
package final class ProgressRenderer: Sendable {
    private struct State {
        var display: (any ProgressDisplay)?
        var timer: Task<Void, Never>?
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Duration
    private let interval: Duration?
    private let output: @Sendable ([UInt8]) -> Void

    /// `clock` tells the time since the build began, `tick` how often a display wants to be called while nothing
    /// happens; `nil` means never. A display of `nil` shows nothing.
    init(
        display: (any ProgressDisplay)?, clock: @escaping @Sendable () -> Duration, tick: Duration?,
        output: @escaping @Sendable ([UInt8]) -> Void
    ) {
        state = Mutex(State(display: display))
        self.clock = clock
        interval = display == nil ? nil : tick
        self.output = output
    }

    /// Shows a build that begins now. ``ProgressMode/auto`` is decided by whether `terminal` is one.
    ///
    /// Reads `TERM`, `BUILDKIT_COLORS` and the variables that switch colours off.
    package convenience init(
        mode: ProgressMode, to terminal: OutputTerminal = .standardError,
        environment: (String) -> String? = OutputTerminal.environment
    ) {
        let origin = ContinuousClock.now
        let useColours = OutputTerminal.wantsColours(environment: environment)
        let display: (any ProgressDisplay)? =
            switch mode.resolved(isTerminal: terminal.canMoveCursor(environment: environment)) {
            case .auto, .plain: PlainDisplay()
            case .tty:
                TerminalDisplay(useColours: useColours, colours: ProgressColours(environment: environment)) {
                    terminal.size
                }
            case .rawjson: JSONDisplay(start: .now)
            case .quiet, .silent: nil
            }
        self.init(
            display: display, clock: { ContinuousClock.now - origin },
            tick: display is JSONDisplay ? nil : .milliseconds(100)
        ) { terminal.write($0) }
    }

    /// Takes in an event. Events after ``finish(error:)`` are ignored.
    package func receive(_ event: BuildEvent) {
        state.withLock { state in
            guard state.display != nil else { return }
            if state.timer == nil, let interval { state.timer = ticking(every: interval) }
            write(state.display?.receive(event, at: clock()))
        }
    }

    /// Shows how the build ended, once: the last frame, and the last output of steps that failed.
    ///
    /// Ends the display. After an error, steps that have not ended are shown as cancelled; ``ErrorRenderer`` shows the
    /// error itself.
    package func finish(error: (any Error)? = nil) {
        state.withLock { state in
            write(state.display?.finish(at: clock(), failed: error != nil))
            state.display = nil
            state.timer?.cancel()
            state.timer = nil
        }
    }

    private func tick() {
        state.withLock { state in write(state.display?.tick(at: clock())) }
    }

    /// Writing may block, so it is kept off the threads of the tasks.
    private func ticking(every interval: Duration) -> Task<Void, Never> {
        Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                guard !Task.isCancelled, let self else { return }
                try? await offload { self.tick() }
            }
        }
    }

    private func write(_ bytes: [UInt8]?) {
        if let bytes, !bytes.isEmpty { output(bytes) }
    }
}
