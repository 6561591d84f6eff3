import Console
import GoCompat

/// The content of a file, as lines of text or in hexadecimal.
struct ContentPage: Hashable, Sendable {
    /// So many bytes of a file are shown.
    static let limit = 8 << 20

    let title: String
    /// The size of the whole file.
    let size: Int64
    private let bytes: [UInt8]
    /// The beginning of every line.
    private let starts: [Int32]
    var showsHex: Bool
    var position = ListPosition()
    /// The columns that are scrolled out on the left.
    var column = 0

    init(title: String, size: Int64, bytes: [UInt8]) {
        self.title = title
        self.size = size
        self.bytes = bytes
        var starts: [Int32] = bytes.isEmpty ? [] : [0]
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") && index + 1 < bytes.count {
            starts.append(Int32(truncatingIfNeeded: index + 1))
        }
        self.starts = starts
        showsHex = bytes.prefix(8192).contains(0)
    }

    private static func bytesPerLine(_ columns: Int) -> Int { columns >= 76 ? 16 : 8 }

    func lineCount(_ columns: Int) -> Int {
        guard showsHex else { return starts.count }
        let width = Self.bytesPerLine(columns)
        return (bytes.count + width - 1) / width
    }

    /// Shows the other form, at about the same place of the file.
    mutating func toggleHex(_ columns: Int) {
        let width = Self.bytesPerLine(columns)
        let offset = showsHex ? position.selected * width : starts.isEmpty ? 0 : Int(starts[position.selected])
        showsHex.toggle()
        column = 0
        let line = showsHex ? offset / width : max(0, starts.partitioningIndex { Int($0) > offset } - 1)
        position.select(line, of: lineCount(columns))
    }

    func line(_ index: Int, columns: Int) -> StyledLine {
        showsHex ? hexLine(index, Self.bytesPerLine(columns)) : textLine(index, columns)
    }

    private func textLine(_ index: Int, _ columns: Int) -> StyledLine {
        let start = Int(starts[index])
        var end = index + 1 < starts.count ? Int(starts[index + 1]) : bytes.count
        if end > start, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        // A line may be a megabyte long; a character takes at most four bytes.
        end = min(end, start + (column + columns + 1) * 4)
        let text = TerminalText.visibleLine(bytes[start..<end])
        guard column > 0 else { return StyledLine(text) }
        let hidden = TerminalText.prefix(text, columns: column)
        return StyledLine(String(text.unicodeScalars.dropFirst(hidden.unicodeScalars.count).map(Character.init)))
    }

    private func hexLine(_ index: Int, _ width: Int) -> StyledLine {
        let piece = bytes[(index * width)..<min(bytes.count, (index + 1) * width)]
        var line = StyledLine(Self.hexadecimal(index * width, digits: 8), .faint)
        line.append("  ")
        for place in 0..<width {
            let offset = piece.startIndex + place
            line.append(offset < piece.endIndex ? Self.hexadecimal(Int(piece[offset]), digits: 2) : "  ")
            line.append(place == width / 2 - 1 ? "  " : " ")
        }
        let text = piece.map { (0x20..<0x7f).contains($0) ? Character(Unicode.Scalar($0)) : "." }
        line.append(" " + String(text), .faint)
        return line
    }

    private static func hexadecimal(_ value: Int, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The state of the page for the status line.
    var summary: String {
        let part = Int64(bytes.count) < size ? ", the first \(HumanSize.short(Int64(bytes.count))) of it" : ""
        return "\(HumanSize.short(size))\(part)"
    }
}

extension [Int32] {
    /// The first index whose element satisfies the condition, in an array where all that do come last.
    fileprivate func partitioningIndex(where condition: (Int32) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
