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

    /// Whether a text has a character that makes it a pattern: `*`, `?`, `[` or `\`.
    public static func hasMeta(_ text: String) -> Bool { text.utf8.contains { "*?[\\".utf8.contains($0) } }

    static let syntaxError = DockerfileError("syntax error in pattern")
}
