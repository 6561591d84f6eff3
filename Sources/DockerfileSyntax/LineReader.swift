/// Hands out the physical lines of a file, each with its line feed.
struct LineReader {
    /// The longest line BuildKit reads, without its line feed.
    static let longestLine = 65535

    private let bytes: [UInt8]
    private var position: Int

    /// The number of the line read last.
    private(set) var lineNumber = 0

    /// Whether reading ended before a line that is too long.
    private(set) var stoppedAtLongLine = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        position = bytes.starts(with: mark) ? mark.count : 0
    }

    mutating func next() -> Text? {
        guard position < bytes.count, !stoppedAtLongLine else { return nil }
        let feed = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))
        let end = feed ?? bytes.count
        if end - position > Self.longestLine {
            stoppedAtLongLine = true
            return nil
        }
        let line = bytes[position..<(feed.map { $0 + 1 } ?? end)]
        position = line.endIndex
        lineNumber += 1
        return line
    }

    /// All lines without their terminators.
    static func lines(of bytes: [UInt8]) -> [Text] {
        var reader = LineReader(bytes)
        var lines: [Text] = []
        while let line = reader.next() { lines.append(line.trimmingLineEnd()) }
        return lines
    }
}
