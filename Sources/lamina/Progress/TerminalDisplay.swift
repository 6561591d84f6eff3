import Solver

/// A display that is redrawn in place: one write a frame, each line drawn over the one before, so nothing flickers.
struct TerminalDisplay: ProgressDisplay {
    private static let frameInterval = Duration.milliseconds(100)
    /// Output of a failed step that is shown at the end; while it ran only a few lines were.
    private static let failureLines = 100

    private var trace = BuildTrace(tailCount: failureLines)
    private var lastFrame: Duration?
    /// The widths of the lines on the screen.
    private var drawn: [Int] = []
    private let useColours: Bool
    private let size: @Sendable () -> WindowSize?

    /// `size` is asked before each frame, as windows change.
    init(useColours: Bool, size: @escaping @Sendable () -> WindowSize?) {
        self.useColours = useColours
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
        let lines = TerminalFrame(trace: trace, now: now, size: window, useColours: useColours, isFinal: isFinal)
            .render()
        // A window that became narrower has wrapped the lines of the frame before.
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + window.columns - 1) / window.columns) }
        var text = "\u{1b}[?25l\r"
        if rows > 0 { text += "\u{1b}[\(min(rows, window.rows - 1))A" }
        for line in lines { text += "\(line)\u{1b}[K\n" }
        text += "\u{1b}[J\u{1b}[?25h"
        drawn = lines.map { TerminalText.width(of: TerminalText.neutralised($0)) }
        return Array(text.utf8)
    }
}
