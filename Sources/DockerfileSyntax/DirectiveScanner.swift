/// Recognises parser directives, which are allowed only at the very top of a file.
struct DirectiveScanner {
    private(set) var directives: [Directive] = []
    private var isDone = false

    /// Takes the next line of the file, and tells whether it is a directive.
    mutating func scan(_ line: Text, number: Int) throws(DockerfileError) -> Bool {
        guard !isDone, let (name, value) = Self.split(line), let known = Directive.Name(rawValue: name) else {
            isDone = true
            return false
        }
        if directives.contains(where: { $0.name == known }) {
            let start = SourcePosition(line: number, column: 1)
            let range = SourceRange(start: start, end: SourcePosition(line: number, column: line.count + 1))
            throw DockerfileError("only one \(name) parser directive can be used", at: range)
        }
        directives.append(Directive(name: known, value: value, line: number))
        return true
    }

    /// The directives of a file that are read before parsing: `syntax` and `check`.
    ///
    /// Unlike the parser, which only asks for `escape`, this look-up passes over an interpreter line and does not
    /// accept indented lines.
    static func leadingDirectives(of lines: [Text]) throws(DockerfileError) -> [Directive] {
        var scanner = DirectiveScanner()
        let skipped = lines.first?.starts(with: "#!".utf8) == true ? 1 : 0
        for (index, line) in lines.enumerated().dropFirst(skipped) {
            if try !scanner.scan(line, number: index + 1) { break }
        }
        return scanner.directives.filter { $0.name != .escape }
    }

    private static func split(_ line: Text) -> (name: String, value: String)? {
        guard line.first == UInt8(ascii: "#") else { return nil }
        let rest = line.dropFirst().trimmingSpace()
        guard rest.first?.isLetter == true else { return nil }
        let name = rest.prefix { $0.isLetter || $0.isDigit }
        let assignment = rest[name.endIndex...].trimmingLeadingSpace()
        let value = assignment.dropFirst().trimmingSpace()
        guard assignment.first == UInt8(ascii: "="), !value.isEmpty else { return nil }
        return (name.string.lowercased(), value.string)
    }
}

extension EscapeCharacter {
    init(directive value: String) throws(DockerfileError) {
        switch value {
        case "\\": self = .backslash
        case "`": self = .backtick
        default: throw DockerfileError("invalid escape token '\(value)' does not match ` or \\")
        }
    }
}
