import Console
import Solver

/// A display that is redrawn in place, with one write a frame.
struct TerminalDisplay: ProgressDisplay {
    private static let frameInterval = Duration.milliseconds(100)
    /// The lines of output that the end shows of a failed step; a running step shows fewer.
    private static let failureLines = 100

    private var trace = BuildTrace(tailCount: failureLines)
    private var lastFrame: Duration?
    private var screen = RedrawnLines()
    private let useColours: Bool
    private let colours: ProgressColours
    private let size: @Sendable () -> WindowSize?

    /// Creates a display; it reads `size` before each frame, as windows change.
    init(
        useColours: Bool, colours: ProgressColours = ProgressColours(), size: @escaping @Sendable () -> WindowSize?
    ) {
        self.useColours = useColours
        self.colours = colours
        self.size = size
    }

    mutating func receive(_ event: BuildEvent, at now: Duration) -> [UInt8] {
        guard trace.apply(event, at: now) != nil else { return [] }
        return tick(at: now)
    }

    mutating func tick(at now: Duration) -> [UInt8] {
        if let lastFrame, now - lastFrame < Self.frameInterval { return [] }
        guard !trace.steps.isEmpty else { return [] }
        return frame(at: now, isFinal: false)
    }

    mutating func finish(at now: Duration, failed: Bool) -> [UInt8] {
        if failed { _ = trace.cancelOpenSteps(at: now) }
        guard !trace.steps.isEmpty else { return [] }
        // A step may fail and another way to its result be found.
        return frame(at: now, isFinal: true) + (failed ? Array(trace.failureLog().utf8) : [])
    }

    private mutating func frame(at now: Duration, isFinal: Bool) -> [UInt8] {
        lastFrame = now
        let window = size() ?? WindowSize(columns: 80, rows: 24)
        let lines = TerminalFrame(
            trace: trace, now: now, size: window, useColours: useColours, colours: colours, isFinal: isFinal
        ).render()
        return Array(screen.draw(lines, in: window).utf8)
    }
}
