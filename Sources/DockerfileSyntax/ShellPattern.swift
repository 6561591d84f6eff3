/// A pattern of a substitution: `*` is any text, `?` any character, neither with a line feed; the rest is literal.
struct ShellPattern {
    private enum Element: Equatable {
        case any
        case one
        case literal(Unicode.Scalar)
    }

    private var elements: [Element] = []

    /// Reads a pattern in which escapes are still there: `\*`, `\?`, `\\`, `\}` and `\/` stand for their last character.
    init(_ pattern: Text) throws(DockerfileError) {
        var scalars = pattern.string.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "*": if elements.last != .any { elements.append(.any) }
            case "?": elements.append(.one)
            case "\\":
                let next = scalars.popFirst()
                guard let next, "*?\\}/".unicodeScalars.contains(next) else {
                    let escape = "invalid escape '\\\(next ?? "\u{FFFD}")'"
                    throw DockerfileError("invalid pattern (\(pattern.string)) in substitution: \(escape)")
                }
                elements.append(.literal(next))
            default: elements.append(.literal(scalar))
            }
        }
    }

    /// The most steps one use may take: the length of the pattern times that of the value.
    private static let mostSteps = 1 << 27

    /// The characters of a value that is to be matched.
    private func scalars(of value: String) throws(DockerfileError) -> [Unicode.Scalar] {
        let scalars = Array(value.unicodeScalars)
        let steps = elements.count.multipliedReportingOverflow(by: scalars.count)
        guard !steps.overflow, steps.partialValue <= Self.mostSteps else {
            throw DockerfileError("the pattern and the value of the substitution are too long for each other")
        }
        return scalars
    }

    func trimmingPrefix(of value: String, longest: Bool) throws(DockerfileError) -> String {
        let scalars = try scalars(of: value)
        guard let length = matchedLength(scalars, longest: longest) else { return value }
        return String(String.UnicodeScalarView(scalars[length...]))
    }

    func trimmingSuffix(of value: String, longest: Bool) throws(DockerfileError) -> String {
        let scalars = try scalars(of: value)
        var reversed = self
        reversed.elements.reverse()
        guard let length = reversed.matchedLength(scalars.reversed(), longest: longest) else { return value }
        return String(String.UnicodeScalarView(scalars[..<(scalars.count - length)]))
    }

    func replacing(in value: String, with text: String, all: Bool) throws(DockerfileError) -> String {
        let scalars = try scalars(of: value)
        let length = text.utf8.count
        var inserted = 0
        // Not by `append(contentsOf:)` of a view of scalars: that makes room for just so many and copies all each time.
        var result = ""
        var copied = 0
        var position = 0
        while position <= scalars.count, let match = firstMatch(in: scalars, from: position) {
            for scalar in scalars[copied..<match.lowerBound] { result.unicodeScalars.append(scalar) }
            // An empty match right behind the last one is part of it.
            if match.upperBound > copied || match.lowerBound == 0 {
                inserted += length
                try WordScanner.check(count: inserted)
                result += text
            }
            copied = match.upperBound
            if !all { break }
            position = max(match.upperBound, position + 1)
        }
        for scalar in scalars[copied...] { result.unicodeScalars.append(scalar) }
        return result
    }

    /// The length of the shortest or longest beginning of `value` that matches.
    private func matchedLength(_ value: [Unicode.Scalar], longest: Bool) -> Int? {
        var starts = [Int?](repeating: nil, count: elements.count + 1)
        starts[0] = 0
        var best: Int?
        for position in 0...value.count {
            skipAny(&starts)
            if starts[elements.count] != nil {
                best = position
                if !longest { return best }
            }
            if position == value.count || !step(&starts, over: value[position]) { break }
        }
        return best
    }

    /// The first match at or behind `start`, as long as it can be.
    ///
    /// All places to begin are tried at once: `starts` holds, for each place in the pattern, the earliest beginning
    /// that leads there. So the time is that of one pass, whatever the pattern.
    private func firstMatch(in value: [Unicode.Scalar], from start: Int) -> Range<Int>? {
        var starts = [Int?](repeating: nil, count: elements.count + 1)
        var best: Range<Int>?
        for position in start...value.count {
            if best == nil && starts[0] == nil { starts[0] = position }
            skipAny(&starts)
            if let begin = starts[elements.count], best.map({ begin <= $0.lowerBound }) ?? true {
                best = begin..<position
            }
            if let best {
                for index in starts.indices where starts[index].map({ $0 > best.lowerBound }) ?? false {
                    starts[index] = nil
                }
            }
            if position == value.count { break }
            if !step(&starts, over: value[position]) && best != nil { break }
        }
        return best
    }

    /// Lets every `any` match nothing.
    private func skipAny(_ starts: inout [Int?]) {
        for (index, element) in elements.enumerated() where element == .any {
            guard let start = starts[index] else { continue }
            starts[index + 1] = min(start, starts[index + 1] ?? start)
        }
    }

    /// Moves over one character, and tells whether any way to match is left.
    private func step(_ starts: inout [Int?], over scalar: Unicode.Scalar) -> Bool {
        starts[elements.count] = nil
        // Backwards, so that what moves in has not moved on yet.
        for index in elements.indices.reversed() {
            guard let start = starts[index] else { continue }
            let moves: Bool
            switch elements[index] {
            case .any:
                if scalar == "\n" { starts[index] = nil }
                continue
            case .one: moves = scalar != "\n"
            case .literal(let expected): moves = scalar == expected
            }
            starts[index] = nil
            if moves { starts[index + 1] = min(start, starts[index + 1] ?? start) }
        }
        return starts.contains { $0 != nil }
    }
}
