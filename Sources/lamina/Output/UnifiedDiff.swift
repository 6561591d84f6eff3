/// The difference of two texts as `diff -u` prints it, byte for byte, so that `patch` can apply it.
struct UnifiedDiff {
    private enum Line {
        case same(ArraySlice<UInt8>)
        case removed(ArraySlice<UInt8>)
        case added(ArraySlice<UInt8>)

        var isChange: Bool { if case .same = self { false } else { true } }
        var isOld: Bool { if case .added = self { false } else { true } }
        var isNew: Bool { if case .removed = self { false } else { true } }
    }

    /// How many equal lines are shown around a change.
    private static let context = 3

    private let header: String
    private let lines: [Line]

    init(from old: [UInt8], named oldName: String, to new: [UInt8], named newName: String) {
        header = "--- \(oldName)\n+++ \(newName)\n"
        let before = Self.split(old)
        let after = Self.split(new)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in after.difference(from: before) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var lines: [Line] = []
        var (i, j) = (0, 0)
        while i < before.count || j < after.count {
            if removed.contains(i) {
                lines.append(.removed(before[i]))
                i += 1
            } else if inserted.contains(j) {
                lines.append(.added(after[j]))
                j += 1
            } else {
                lines.append(.same(before[i]))
                i += 1
                j += 1
            }
        }
        self.lines = lines
    }

    /// The whole text; empty if there is no difference.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        for hunk in hunks {
            if result.isEmpty { result += Array(header.utf8) }
            let old = Self.span(lines[..<hunk.lowerBound].count(where: \.isOld), lines[hunk].count(where: \.isOld))
            let new = Self.span(lines[..<hunk.lowerBound].count(where: \.isNew), lines[hunk].count(where: \.isNew))
            result += Array("@@ -\(old) +\(new) @@\n".utf8)
            for line in lines[hunk] { Self.append(line, to: &result) }
        }
        return result
    }

    /// The ranges of lines with a change near enough.
    private var hunks: [Range<Int>] {
        var hunks: [Range<Int>] = []
        for index in lines.indices where lines[index].isChange {
            let range = max(0, index - Self.context)..<min(lines.count, index + Self.context + 1)
            if let last = hunks.last, range.lowerBound <= last.upperBound {
                hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
            } else {
                hunks.append(range)
            }
        }
        return hunks
    }

    /// `first,count` with lines from 1; an empty span names the line before it.
    private static func span(_ before: Int, _ count: Int) -> String {
        count == 1 ? "\(before + 1)" : "\(count == 0 ? before : before + 1),\(count)"
    }

    private static func append(_ line: Line, to result: inout [UInt8]) {
        let text: ArraySlice<UInt8>
        switch line {
        case .same(let content):
            result.append(UInt8(ascii: " "))
            text = content
        case .removed(let content):
            result.append(UInt8(ascii: "-"))
            text = content
        case .added(let content):
            result.append(UInt8(ascii: "+"))
            text = content
        }
        result += text
        if text.last != 0x0A { result += Array("\n\\ No newline at end of file\n".utf8) }
    }

    /// The lines with their ends.
    private static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = text[...]
        while let feed = rest.firstIndex(of: 0x0A) {
            lines.append(rest[...feed])
            rest = rest[(feed + 1)...]
        }
        if !rest.isEmpty { lines.append(rest) }
        return lines
    }
}
