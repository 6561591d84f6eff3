/// Cuts the output of a command into lines, whatever pieces it comes in.
///
/// `\r\n` ends a line as `\n` does. A lone `\r` starts the line over, as a terminal shows it, so a progress bar is one
/// line and not thousands. A line that outgrows ``limit`` is handed out in pieces, so memory stays bounded.
struct LineCutter: Sendable {
    /// A line, or a piece of one.
    struct Piece: Equatable, Sendable {
        /// The time from the start of the build to the beginning of the line.
        let time: Duration
        let bytes: [UInt8]
        /// Whether it begins a line, rather than going on with one.
        let begins: Bool
        let ends: Bool
    }

    static let limit = 64 << 10

    private var held: [UInt8] = []
    private var began: Duration?
    private var isContinuation = false
    private var sawReturn = false

    /// The part of the last line that was not handed out yet.
    var unfinished: [UInt8] { held }

    /// The time at which the unfinished line began; `nil` if there is none.
    var unfinishedSince: Duration? { held.isEmpty ? nil : began }

    mutating func feed(_ bytes: [UInt8], at time: Duration, to sink: (Piece) -> Void) {
        var rest = bytes[...]
        while let next = rest.first {
            if next == 0x0a {
                emit(ends: true, at: time, to: sink)
                sawReturn = false
                rest.removeFirst()
            } else if next == 0x0d {
                sawReturn = true
                rest.removeFirst()
            } else {
                if sawReturn { startOver(at: time, to: sink) }
                let run = rest.prefix(Self.limit - held.count).prefix { $0 != 0x0a && $0 != 0x0d }
                if began == nil { began = time }
                held += run
                rest = rest.dropFirst(run.count)
                if held.count >= Self.limit { emit(ends: false, at: time, to: sink) }
            }
        }
    }

    /// Hands out the unfinished line; `ends` says whether more of it may follow.
    mutating func flush(ends: Bool, at time: Duration, to sink: (Piece) -> Void) {
        guard !held.isEmpty || (ends && isContinuation) else { return }
        emit(ends: ends, at: time, to: sink)
    }

    private mutating func startOver(at time: Duration, to sink: (Piece) -> Void) {
        sawReturn = false
        // What was handed out cannot be taken back: the rest goes to a line of its own.
        if isContinuation { emit(ends: true, at: time, to: sink) }
        held.removeAll(keepingCapacity: true)
        began = time
    }

    private mutating func emit(ends: Bool, at time: Duration, to sink: (Piece) -> Void) {
        sink(Piece(time: began ?? time, bytes: held, begins: !isContinuation, ends: ends))
        held.removeAll(keepingCapacity: held.capacity <= Self.limit)
        isContinuation = !ends
        if ends { began = nil }
    }
}

/// The last lines of a step's output, within bounds.
struct LogTail: Sendable {
    struct Line: Equatable, Sendable {
        let time: Duration
        var bytes: [UInt8]
    }

    /// More of one line is never shown.
    static let lineLimit = 16 << 10

    private(set) var lines: [Line] = []
    private let count: Int

    init(count: Int) { self.count = count }

    mutating func append(_ piece: LineCutter.Piece) {
        if piece.begins || lines.isEmpty {
            if lines.count == count { lines.removeFirst() }
            lines.append(Line(time: piece.time, bytes: Array(piece.bytes.prefix(Self.lineLimit))))
        } else {
            let room = max(0, Self.lineLimit - lines[lines.count - 1].bytes.count)
            lines[lines.count - 1].bytes += piece.bytes.prefix(room)
        }
    }
}
