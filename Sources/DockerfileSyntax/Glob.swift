/// A pattern of Go's `filepath.Match`: `*` and `?` do not match a slash, `[a-z]` and `[^a]` are sets, `\` escapes.
public struct Glob: Hashable, Sendable {
    private var pattern = PathPattern()

    /// Compiles a pattern; fails with "syntax error in pattern" on an open set or an escape with nothing behind it.
    public init(_ pattern: String) throws(DockerfileError) { try self.init(Text(pattern)) }

    /// Compiles a pattern that need not be UTF-8, such as a line of an ignore file.
    init(_ pattern: Text) throws(DockerfileError) {
        var rest = pattern
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): self.pattern.append(.run)
            case UInt8(ascii: "?"): self.pattern.append(.one)
            case UInt8(ascii: "["):
                guard let set = ScalarSet(&rest) else { throw Self.syntaxError }
                self.pattern.append(.set(set))
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { throw Self.syntaxError }
                self.pattern.append(literal: escaped)
            default: self.pattern.append(literal: byte)
            }
        }
    }

    /// Whether the whole of `name` matches.
    public func matches(_ name: [UInt8]) -> Bool { pattern.matches(name, count: name.count) }

    /// Whether a text is a pattern: it has a `*`, `?` or `[` that is not escaped.
    ///
    /// BuildKit takes every other text as it stands, backslashes included: `a\*` names a file of these three characters.
    public static func isPattern(_ text: String) -> Bool {
        var bytes = text.utf8[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\\") {
                _ = bytes.popFirst()
            } else if "*?[".utf8.contains(byte) {
                return true
            }
        }
        return false
    }

    static let syntaxError = DockerfileError("syntax error in pattern")
}
