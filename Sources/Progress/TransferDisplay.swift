import Console
import GoCompat
import Images
import OCI
import Transports

/// The text to write about a transfer.
struct TransferOutput: Equatable {
    /// The ends of layers, and the lines in a window.
    var result = ""
    /// Everything else; it goes to the standard error.
    var notice = ""
}

/// One way to show a transfer: takes its events in and returns what to write. It neither reads a clock nor writes.
struct TransferDisplay: Sendable {
    enum Form: Sendable {
        /// Lines for logs: the end of each layer, and how far the others are now and then.
        case lines
        /// Lines that are redrawn in place in a window.
        case window
        /// A JSON document for each event.
        case documents
    }

    /// The time between two lines about one layer.
    private static let lineInterval = Duration.seconds(5)
    private static let frameInterval = Duration.milliseconds(100)

    private let form: Form
    private let words: TransferWords
    private let size: @Sendable () -> WindowSize?
    private var trace: TransferTrace
    private var screen = RedrawnLines()
    private var lastFrame: Duration?
    /// The time of the last line about each layer.
    private var told: [Digest: Duration] = [:]

    init(_ form: Form, _ words: TransferWords, size: @escaping @Sendable () -> WindowSize? = { nil }) {
        self.form = form
        self.words = words
        self.size = size
        trace = TransferTrace(words: words)
    }

    mutating func receive(_ event: TransferEvent, at now: Duration) -> TransferOutput {
        let layer = trace.apply(event, at: now)
        if case .waiting(let text) = event { return notice(text, at: now) }
        switch form {
        case .window: return tick(at: now)
        case .lines: return layer.map { line(about: $0, at: now) } ?? TransferOutput()
        case .documents: return layer.map { document(about: $0) } ?? TransferOutput()
        }
    }

    /// Called now and then while the transfer lasts.
    mutating func tick(at now: Duration) -> TransferOutput {
        guard form == .window, !trace.layers.isEmpty else { return TransferOutput() }
        if let lastFrame, now - lastFrame < Self.frameInterval { return TransferOutput() }
        return frame(at: now, isFinal: false)
    }

    mutating func finish(at now: Duration) -> TransferOutput {
        guard form == .window, !trace.layers.isEmpty else { return TransferOutput() }
        return frame(at: now, isFinal: true)
    }

    private mutating func frame(at now: Duration, isFinal: Bool) -> TransferOutput {
        lastFrame = now
        let window = size() ?? WindowSize(columns: 80, rows: 24)
        let frame = TransferFrame(trace: trace, words: words, now: now, size: window, isFinal: isFinal)
        return TransferOutput(result: screen.draw(frame.render(), in: window))
    }

    private mutating func notice(_ text: String, at now: Duration) -> TransferOutput {
        switch form {
        case .lines: return TransferOutput(notice: "\(text)\n")
        case .documents:
            return TransferOutput(notice: JSON.object(("status", .string("Waiting")), ("text", .string(text))).line)
        case .window:
            // The notice takes the place of the lines, which are drawn again below it.
            let window = size() ?? WindowSize(columns: 80, rows: 24)
            let line = screen.draw([TerminalText.line(text).ellipsized(to: max(1, window.columns - 1))], in: window)
            screen = RedrawnLines()
            return TransferOutput(result: trace.layers.isEmpty ? line : line + frame(at: now, isFinal: false).result)
        }
    }

    private mutating func line(about layer: TransferTrace.Layer, at now: Duration) -> TransferOutput {
        let name = layer.blob.digest.short
        if let outcome = layer.outcome { return TransferOutput(result: "\(name): \(outcome)\n") }
        guard let last = told[layer.blob.digest] else {
            told[layer.blob.digest] = now
            guard words.announcesStart else { return TransferOutput() }
            return TransferOutput(notice: "\(name): \(words.active) \(HumanSize.short(layer.blob.size))\n")
        }
        guard now - last >= Self.lineInterval else { return TransferOutput() }
        told[layer.blob.digest] = now
        let percent =
            Percentage.whole(Double(layer.count), of: Double(layer.blob.size), rounded: .down).map { " \($0)" } ?? ""
        return TransferOutput(notice: "\(name): \(words.active)\(percent)  \(layer.numbers(at: now))\n")
    }

    private func document(about layer: TransferTrace.Layer) -> TransferOutput {
        let document = JSON.object(
            ("status", .string(layer.outcome ?? words.active)), ("digest", .string(layer.blob.digest.description)),
            ("current", .integer(layer.outcome == nil ? layer.count : layer.blob.size)),
            ("total", .integer(layer.blob.size)))
        return TransferOutput(notice: document.line)
    }
}

extension JSON {
    fileprivate var line: String { String(decoding: encoded(), as: UTF8.self) + "\n" }
}
