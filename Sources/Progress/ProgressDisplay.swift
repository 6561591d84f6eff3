import Console
package import Solver

/// One way to show events: takes them in and returns the bytes to write, if any. It neither reads a clock nor writes.
package protocol ProgressDisplay: Sendable {
    mutating func receive(_ event: BuildEvent, at now: Duration) -> [UInt8]

    /// Called now and then while a build runs.
    mutating func tick(at now: Duration) -> [UInt8]

    /// The remaining lines. `failed` says that steps which did not end will not.
    mutating func finish(at now: Duration, failed: Bool) -> [UInt8]
}

extension BuildTrace {
    /// The last output of each failed step: the first thing to look at.
    ///
    /// The times are counted from the step's start.
    func failureLog() -> String {
        var text = ""
        for step in steps where step.failure != nil {
            text += "------\n > \(step.label):\n"
            for line in step.tail.lines {
                let content = TerminalText.strippingEscapes(line.bytes, keeping: .none)
                text += "\((line.time - step.started).logStamp) \(String(decoding: content, as: UTF8.self))\n"
            }
            text += "------\n"
        }
        return text
    }
}
