/// A place in a source text.
public struct SourcePosition: Hashable, Sendable {
    /// The line, counted from 1.
    public let line: Int

    /// The column in bytes of UTF-8, counted from 1.
    public let column: Int

    /// The place at a line and a column, both counted from 1.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

extension SourcePosition: Comparable {
    /// Whether a place is nearer to the beginning of the text.
    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A stretch of a source text: from the first byte of what it names to just behind the last one.
public struct SourceRange: Hashable, Sendable {
    /// The first byte.
    public let start: SourcePosition

    /// Just behind the last byte.
    public let end: SourcePosition

    /// The range between two places; an end before the start is taken to be the start.
    public init(start: SourcePosition, end: SourcePosition) {
        self.start = start
        self.end = max(start, end)
    }

    /// The lines touched, first and last included.
    public var lines: ClosedRange<Int> { start.line...end.line }
}
