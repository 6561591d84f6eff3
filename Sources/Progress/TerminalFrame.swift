import Console
import GoCompat
import Solver

/// The picture of a build on a terminal, as a pure function of what is known of it.
struct TerminalFrame {
    /// The colour of a line.
    private typealias Style = KeyPath<ProgressColours, String>

    /// A line before it is cut to the window's width.
    private struct Line {
        let text: String
        var time: Duration?
        var style: Style?
    }

    /// The lines of one step, the line of the step first.
    private struct Block {
        let position: Int
        var lines: [Line]
        var log: [Line] = []
    }

    let trace: BuildTrace
    let now: Duration
    let size: WindowSize
    let useColours: Bool
    var colours = ProgressColours()
    /// The last frame stays on the screen, so it is not cut to the window's height.
    let isFinal: Bool

    /// How many lines of output a running step shows.
    static let logLines = 6

    /// The lines from top to bottom, none wider than the window less one column, so that no terminal wraps them.
    func render() -> [String] {
        [header()] + visible().flatMap { $0.lines + $0.log }.map(drawn)
    }

    private func header() -> String {
        let count = trace.steps.count
        let ended = trace.steps.count { !$0.isRunning }
        let began = trace.steps.first?.started ?? now
        var text = "[+] Building \((now - began).seconds.fixed(1))s (\(ended)/\(count))"
        if isFinal, count > 0, ended == count { text += " FINISHED" }
        let width = max(1, size.columns - 1)
        let builder = "lamina:default"
        let gap = width - TerminalText.width(of: text) - builder.count
        return gap < 1 ? TerminalText.prefix(text, columns: width) : text + String(repeating: " ", count: gap) + builder
    }

    // MARK: What fits

    /// Running steps first, then their output, then as many of the ended steps as there is room for.
    private func visible() -> [Block] {
        let blocks = trace.steps.indices.map(block)
        if isFinal { return blocks.map { Block(position: $0.position, lines: $0.lines) } }
        var room = max(1, size.rows - 2)
        var chosen: [Int: Block] = [:]
        for block in blocks where trace.steps[block.position].isRunning && room > 0 {
            chosen[block.position] = Block(position: block.position, lines: [block.lines[0]])
            room -= 1
        }
        for block in blocks {
            guard let running = chosen[block.position], room > 0 else { continue }
            let chores = block.lines.dropFirst().suffix(room)
            chosen[block.position]?.lines = running.lines + chores
            room -= chores.count
        }
        for (position, log) in logs(of: chosen.keys.sorted().map { blocks[$0] }, room: room) {
            chosen[position]?.log = log
            room -= log.count
        }
        for block in blocks.reversed() where !trace.steps[block.position].isRunning && room > 0 {
            let whole = block.lines.count <= room
            chosen[block.position] = whole ? block : Block(position: block.position, lines: [block.lines[0]])
            room -= whole ? block.lines.count : 1
        }
        return chosen.keys.sorted().compactMap { chosen[$0] }
    }

    /// Shares out the lines among the steps that have output, line by line.
    private func logs(of blocks: [Block], room: Int) -> [(Int, [Line])] {
        var counts = [Int](repeating: 0, count: blocks.count)
        var left = room
        for round in 1...Self.logLines {
            for (index, block) in blocks.enumerated() where left > 0 && block.log.count >= round {
                counts[index] = round
                left -= 1
            }
        }
        return zip(blocks, counts).map { ($0.position, $0.log.suffix($1)) }
    }

    // MARK: Lines

    private func block(of position: Int) -> Block {
        let step = trace.steps[position]
        let name =
            switch step.outcome {
            case .cached: "CACHED \(step.label)"
            case .cancelled: "CANCELED \(step.label)"
            case .failed: "ERROR \(step.label)"
            case .done, nil: step.label
            }
        let style: Style? =
            switch step.outcome {
            case .done, .cached: \.completed
            case .cancelled: \.cancelled
            case .failed: \.failed
            case nil: nil
            }
        var lines = [Line(text: " => \(name)", time: (step.finished ?? now) - step.started, style: style)]
        for status in step.statuses {
            let amount = status.progress.amount.isEmpty ? "" : " \(status.progress.amount)"
            let ended = status.finished ?? step.finished
            lines.append(
                Line(
                    text: " => => \(TerminalText.line(status.progress.name))\(amount)",
                    time: (ended ?? now) - status.started, style: ended == nil ? nil : style ?? \.completed))
        }
        lines += step.warnings.map { Line(text: " => => WARN: \($0)", style: \.warning) }
        return Block(position: position, lines: lines, log: step.isRunning ? log(of: step) : [])
    }

    private func log(of step: BuildTrace.Step) -> [Line] {
        var lines = step.tail.lines.map(\.bytes)
        if !step.cutter.unfinished.isEmpty { lines.append(step.cutter.unfinished) }
        return lines.suffix(Self.logLines).map { bytes in
            // No window shows more of a line than this.
            let text = TerminalText.neutralised(String(decoding: bytes.prefix(4096), as: UTF8.self))
            return Line(text: " => => # \(text)", style: \.faint)
        }
    }

    /// The line cut to the window, with its time at the right edge.
    private func drawn(_ line: Line) -> String {
        let timer = line.time.map { time in
            let seconds = time < .milliseconds(50) ? 0 : time.seconds
            return " \(seconds.fixed(1))s"
        }
        let text = TerminalText.line(line.text, right: timer ?? "", columns: max(1, size.columns - 1))
        guard useColours, let style = line.style else { return text }
        return "\u{1b}[\(colours[keyPath: style])m\(text)\u{1b}[0m"
    }
}
