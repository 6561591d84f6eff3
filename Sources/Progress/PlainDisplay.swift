import Console
import GoCompat
package import Solver

/// BuildKit's plain format: every line begins with the number of its step, and steps that run at once take turns.
///
/// A step that is on keeps its turn for a while, so that the log does not flicker; who waits is buffered, within
/// bounds, and gets its turn after 10 seconds at the latest.
package struct PlainDisplay: ProgressDisplay {
    /// The display's state of a step besides the trace.
    private struct Line {
        /// Given when it is first printed; 0 before.
        var number = 0
        var isUpdated = false
        /// Events since it was last hidden, and when the first of them came: how busy it is.
        var events = 0
        var busySince = Duration.zero
        var pending: [LineCutter.Piece] = []
        var pendingSize = 0
        var printedWarnings = 0
        var updatedStatuses: [Int] = []
        /// The last line printed about each chore, and its time.
        var printedStatuses: [Int: (current: Int64, at: Duration)] = [:]
        /// Whether the last thing printed was a line without its end.
        var isOpen = false
    }

    private static let flushInterval = Duration.milliseconds(100)
    private static let antiFlicker = 5.0
    private static let maximumWait = Duration.seconds(10)
    private static let statusInterval = Duration.seconds(5)
    private static let minimumProgress = 0.05
    /// Bytes held back for a step that is hidden; more make it visible.
    private static let pendingLimit = 256 << 10

    private var trace = BuildTrace(tailCount: 10)
    private var lines: [Line] = []
    private var current: Int?
    private var lastNumber = 0
    private var lastFlush: Duration?
    private var printedFirst = false
    private var output: [UInt8] = []

    package init() { output = Array("#0 building with \"default\" instance using lamina driver\n\n".utf8) }

    package mutating func receive(_ event: BuildEvent, at now: Duration) -> [UInt8] {
        var pieces: [LineCutter.Piece] = []
        guard let position = trace.apply(event, at: now, sink: { pieces.append($0) }) else { return [] }
        if position == lines.count { lines.append(Line()) }
        hold(pieces, of: position)
        if case .status(_, let status) = event,
            let index = trace.steps[position].statuses.firstIndex(where: { $0.progress.name == status.name }),
            !lines[position].updatedStatuses.contains(index)
        {
            lines[position].updatedStatuses.append(index)
        }
        touch(position, at: now)
        if lines[position].pendingSize > Self.pendingLimit { print(position, at: now) }
        if let lastFlush, now - lastFlush < Self.flushInterval { return taken() }
        flush(at: now)
        return taken()
    }

    package mutating func tick(at now: Duration) -> [UInt8] {
        flush(at: now)
        return taken()
    }

    package mutating func finish(at now: Duration, failed: Bool) -> [UInt8] {
        if failed {
            var pieces: [(Int, LineCutter.Piece)] = []
            for position in trace.cancelOpenSteps(at: now, sink: { pieces.append(($0, $1)) }) {
                touch(position, at: now)
            }
            for (position, piece) in pieces { hold([piece], of: position) }
        }
        for position in lines.indices where trace.steps[position].cutter.unfinishedSince != nil {
            flushLine(of: position, ends: true, at: now)
        }
        flush(at: now)
        // Whoever is still hidden has its say before the log ends.
        for position in lines.indices where lines[position].isUpdated { print(position, at: now) }
        if let current { closeLine(of: current) }
        // A step may fail and another way to its result be found.
        if failed { put(trace.failureLog()) }
        return taken()
    }

    // MARK: Taking in

    private mutating func hold(_ pieces: [LineCutter.Piece], of position: Int) {
        lines[position].pending += pieces
        for piece in pieces {
            lines[position].pendingSize += piece.bytes.count + MemoryLayout<LineCutter.Piece>.stride
        }
    }

    private mutating func flushLine(of position: Int, ends: Bool, at now: Duration) {
        var pieces: [LineCutter.Piece] = []
        trace.flushLine(of: position, ends: ends, at: now) { pieces.append($0) }
        hold(pieces, of: position)
        touch(position, at: now)
    }

    private mutating func touch(_ position: Int, at now: Duration) {
        if lines[position].events == 0 { lines[position].busySince = now }
        lines[position].events += 1
        lines[position].isUpdated = true
    }

    // MARK: Whose turn it is

    private mutating func flush(at now: Duration) {
        lastFlush = now
        let before = current
        showLongPartialLine(of: before, at: now)
        let updated = lines.indices.filter { lines[$0].isUpdated }
        var ended = updated.filter { !trace.steps[$0].isRunning }
        ended.sort { (endTime(of: $0), $0) < (endTime(of: $1), $1) }
        if let before, ended.contains(before) { print(before, at: now) }
        for position in ended where position != before { print(position, at: now) }

        let waiting = updated.filter { trace.steps[$0].isRunning }
        let stillOn = before.map { trace.steps[$0].isRunning } ?? false
        guard !waiting.isEmpty else {
            if !stillOn, let open = trace.steps.firstIndex(where: \.isRunning) { print(open, at: now) }
            return
        }
        if let before, waiting.contains(before) { print(before, at: now) }
        guard let before, stillOn else {
            if let next = busiest(of: waiting, at: now) { print(next, at: now) }
            return
        }
        takeTurns(before, waiting, at: now)
    }

    private mutating func takeTurns(_ before: Int, _ waiting: [Int], at now: Duration) {
        let hidden = waiting.filter { $0 != before }
        if let overdue = hidden.filter({ now - lines[$0].busySince > Self.maximumWait })
            .min(by: { lines[$0].busySince < lines[$1].busySince })
        {
            print(overdue, at: now)
            return
        }
        let all = hidden + [before]
        let share = speed(of: before, at: now) / all.reduce(0) { $0 + speed(of: $1, at: now) }
        let turn = Self.antiFlicker / max(1 - share, 1e-9)
        if turn < (now - lines[before].busySince).seconds, let next = busiest(of: all, at: now) {
            print(next, at: now)
        }
    }

    private func endTime(of position: Int) -> Duration { trace.steps[position].finished ?? .zero }

    private func busiest(of positions: [Int], at now: Duration) -> Int? {
        positions.max { speed(of: $0, at: now) < speed(of: $1, at: now) }
    }

    /// Events a second.
    private func speed(of position: Int, at now: Duration) -> Double {
        Double(lines[position].events) / max((now - lines[position].busySince).seconds, 0.001)
    }

    /// A question without an end of line must not wait forever, and a progress bar shows itself now and then.
    private mutating func showLongPartialLine(of position: Int?, at now: Duration) {
        guard let position, let since = trace.steps[position].cutter.unfinishedSince,
            now - since >= Self.statusInterval
        else { return }
        flushLine(of: position, ends: false, at: now)
    }

    // MARK: Printing

    private mutating func print(_ position: Int, at now: Duration) {
        if lines[position].number == 0 {
            lastNumber += 1
            lines[position].number = lastNumber
        }
        let step = trace.steps[position]
        if position != current { switchTo(position, named: step.label) }
        for text in step.warnings.dropFirst(lines[position].printedWarnings) { put("WARN: \(text)", of: position) }
        lines[position].printedWarnings = step.warnings.count
        printStatuses(of: position)
        for piece in lines[position].pending { put(piece, of: position) }
        lines[position].pending = []
        lines[position].pendingSize = 0
        lines[position].isUpdated = false
        if let outcome = step.outcome {
            closeLine(of: position)
            printEnd(outcome, of: position)
            current = nil
            lines[position].events = 0
            lines[position].printedStatuses = [:]
        }
    }

    private mutating func switchTo(_ position: Int, named label: String) {
        if let old = current {
            closeLine(of: old)
            put("#\(lines[old].number) ...\n")
            lines[old].events = 0
        }
        if printedFirst { put("\n") }
        printedFirst = true
        put(label, of: position)
        current = position
    }

    private mutating func printStatuses(of position: Int) {
        for index in lines[position].updatedStatuses {
            let status = trace.steps[position].statuses[index]
            let amount = status.progress.current ?? 0
            if let last = lines[position].printedStatuses[index], !status.progress.isComplete {
                let progress =
                    (status.progress.total ?? 0) > 0
                    ? Double(amount - last.current) / Double(status.progress.total ?? 1) : 0
                if progress < Self.minimumProgress, status.updated - last.at < Self.statusInterval { continue }
            }
            lines[position].printedStatuses[index] = (amount, status.updated)
            var text = TerminalText.line(status.progress.name)
            if !status.progress.amount.isEmpty { text += " \(status.progress.amount)" }
            let elapsed = (status.updated - status.started).seconds
            if elapsed > 0.01 { text += " \(elapsed.fixed(1))s" }
            if status.progress.isComplete { text += " done" }
            put(text, of: position)
        }
        lines[position].updatedStatuses = []
    }

    private mutating func printEnd(_ outcome: StepOutcome, of position: Int) {
        switch outcome {
        case .done:
            let step = trace.steps[position]
            put("DONE \(((step.finished ?? step.started) - step.started).seconds.fixed(1))s", of: position)
        case .cached: put("CACHED", of: position)
        case .cancelled: put("CANCELED", of: position)
        case .failed(let failure):
            put("ERROR: \(TerminalText.lines(failure.message).joined(separator: "\n"))", of: position)
        }
    }

    /// A line of the display's own; a line of the step's that is still open ends before it.
    private mutating func put(_ text: String, of position: Int) {
        closeLine(of: position)
        put("#\(lines[position].number) \(text)\n")
    }

    private mutating func put(_ piece: LineCutter.Piece, of position: Int) {
        if !lines[position].isOpen {
            // The empty end of a line that a switch of steps has already ended.
            if !piece.begins, piece.bytes.isEmpty { return }
            let time = piece.time - trace.steps[position].started
            put("#\(lines[position].number) \(time.logStamp) ")
        }
        output += TerminalText.strippingEscapes(piece.bytes, keeping: .colours)
        if piece.ends { output.append(0x0a) }
        lines[position].isOpen = !piece.ends
    }

    private mutating func closeLine(of position: Int) {
        if lines[position].isOpen { output.append(0x0a) }
        lines[position].isOpen = false
    }

    private mutating func put(_ text: String) { output += Array(text.utf8) }

    private mutating func taken() -> [UInt8] {
        defer { output = [] }
        return output
    }
}
