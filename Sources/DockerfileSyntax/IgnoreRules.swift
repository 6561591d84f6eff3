/// The patterns of an ignore file such as `.dockerignore`, or of `--exclude`.
///
/// Patterns are tried in order and the last match wins; one with a `!` takes paths back in. What matches a directory
/// matches everything below it. Paths are bytes, relative, with slashes between their components and none at the ends.
public struct IgnoreRules: Sendable {
    /// One pattern as its author wrote it.
    public struct Pattern: Hashable, Sendable {
        /// The cleaned pattern, without its `!`.
        public let text: String

        /// Whether it takes paths back in.
        public let isException: Bool

        /// The line in the file, or the place in the list, counted from 1.
        public let line: Int
    }

    /// The verdict of the rules on one path; needed to ask about the paths in it.
    public struct State: Hashable, Sendable {
        /// The last pattern that matched the path or a directory above it, -1 if none did.
        let pattern: Int
    }

    /// The patterns in order, without comments and blank lines.
    public private(set) var patterns: [Pattern] = []
    private(set) var matchers: [IgnorePattern] = []

    /// Finds the few patterns worth trying; `nil` where there are only few.
    private(set) var index: IgnorePatternIndex?

    /// Whether a pattern takes paths back in.
    public var hasExceptions: Bool { patterns.contains(where: \.isException) }

    /// Whether there is no pattern, so that nothing is ignored.
    public var isEmpty: Bool { patterns.isEmpty }

    /// Parses a whole ignore file.
    ///
    /// A `#` in the first column makes a comment. Patterns are trimmed and cleaned, and lose one leading slash.
    public init(parsing bytes: [UInt8]) throws(DockerfileError) {
        for (index, line) in Self.lines(of: bytes).enumerated() where line.first != UInt8(ascii: "#") {
            var pattern = line.trimmingSpace()
            let isException = pattern.first == UInt8(ascii: "!")
            if isException { pattern = pattern.dropFirst().trimmingSpace() }
            if !pattern.isEmpty { pattern = Self.withoutLeadingSlash(Self.cleaned(pattern))[...] }
            if pattern.isEmpty && !isException { continue }
            let start = SourcePosition(line: index + 1, column: 1)
            let range = SourceRange(
                start: start, end: SourcePosition(line: index + 1, column: line.count + 1))
            do {
                try append(pattern, isException: isException, line: index + 1)
            } catch {
                throw DockerfileError(error.message, at: range)
            }
        }
        index = IgnorePatternIndex(matchers)
    }

    /// Takes patterns one by one, as `--exclude` gives them. They are cleaned, but keep a leading slash.
    public init(patterns: [String]) throws(DockerfileError) {
        for (index, text) in patterns.enumerated() {
            let pattern = Text(text).trimmingSpace()
            if pattern.isEmpty { continue }
            let cleaned = Self.cleaned(pattern)
            let isException = cleaned.first == UInt8(ascii: "!")
            try append(cleaned.dropFirst(isException ? 1 : 0), isException: isException, line: index + 1)
        }
        self.index = IgnorePatternIndex(matchers)
    }

    private mutating func append(_ text: Text, isException: Bool, line: Int) throws(DockerfileError) {
        if text.isEmpty { throw DockerfileError("illegal exclusion pattern: \"!\"") }
        matchers.append(try IgnorePattern(Array(text)))
        patterns.append(Pattern(text: text.string, isException: isException, line: line))
    }

    private static func lines(of bytes: [UInt8]) -> [Text] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        return text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    private static func withoutLeadingSlash(_ pattern: [UInt8]) -> [UInt8] {
        pattern.count > 1 && pattern[0] == UInt8(ascii: "/") ? Array(pattern.dropFirst()) : pattern
    }

    /// Resolves `.`, `..` and repeated slashes without looking at any disk, as Go's `filepath.Clean` does.
    private static func cleaned(_ path: Text) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let isRooted = path.first == slash
        var components: [Text] = []
        for component in path.split(separator: slash) {
            if component.elementsEqual(".".utf8) { continue }
            guard component.elementsEqual("..".utf8) else {
                components.append(component)
                continue
            }
            if let last = components.last, !last.elementsEqual("..".utf8) {
                components.removeLast()
            } else if !isRooted {
                components.append(component)
            }
        }
        let joined = Array(components.joined(separator: [slash]))
        if isRooted { return [slash] + joined }
        return joined.isEmpty ? Array(".".utf8) : joined
    }
}
