/// Turns the lines of a file into nodes: directives, comments, continuations and here-documents.
struct NodeParser {
    private(set) var nodes: [Node] = []
    private(set) var warnings: [SyntaxWarning] = []
    private(set) var escape = EscapeCharacter.backslash
    private(set) var directives = DirectiveScanner()
    private var reader: LineReader
    private var comments: [String] = []

    init(parsing bytes: [UInt8]) throws(DockerfileError) {
        reader = LineReader(bytes)
        while let line = reader.next() { try take(line) }
        if nodes.isEmpty { throw DockerfileError("file with no instructions") }
        if reader.stoppedAtLongLine {
            let position = SourcePosition(line: reader.lineNumber + 1, column: 1)
            throw DockerfileError(
                "dockerfile line greater than max allowed size of \(LineReader.longestLine)",
                at: SourceRange(start: position, end: position))
        }
    }

    private mutating func take(_ physical: Text) throws(DockerfileError) {
        let start = SourcePosition(
            line: reader.lineNumber, column: 1 + physical.count - physical.trimmingLeadingSpace().count)
        var last = physical.trimmingLineEnd()
        let line = last.trimmingLeadingSpace()
        if try takeDirective(line, at: range(from: start, to: last)) {
            comments = []
            return
        }
        if line.first == UInt8(ascii: "#") {
            takeComment(physical)
            return
        }
        var (joined, continues) = line.splitContinuation(escape)
        if joined.isEmpty && !continues { return }
        var hasEmptyLine = false
        while continues, let next = reader.next() {
            last = next.trimmingLineEnd()
            let trimmed = last.trimmingLeadingSpace()
            if trimmed.first == UInt8(ascii: "#") { continue }
            if trimmed.isEmpty {
                hasEmptyLine = true
                continue
            }
            let part: Text
            (part, continues) = last.splitContinuation(escape)
            joined.append(contentsOf: part)
        }
        if hasEmptyLine { warnEmptyLine(in: joined) }
        try add(joined, from: start, to: last)
    }

    private mutating func add(_ line: Text, from start: SourcePosition, to last: Text) throws(DockerfileError) {
        let opening = range(from: start, to: last)
        guard line.isUTF8 else { throw Self.notUTF8(at: opening) }
        do {
            var node = try Node(line: line, escape: escape, range: opening)
            node.comments = comments
            comments = []
            if node.canHaveHeredocs && node.text.contains("<<") {
                for marker in HeredocMarker.markers(in: node.text) {
                    let (heredoc, end) = try readHeredoc(marker, from: start)
                    node.heredocs.append(heredoc)
                    node.range = end
                }
            }
            nodes.append(node)
        } catch {
            throw DockerfileError(error.message, at: error.range ?? opening)
        }
    }

    private mutating func readHeredoc(
        _ marker: HeredocMarker, from start: SourcePosition
    ) throws(DockerfileError) -> (Heredoc, SourceRange) {
        var body: [UInt8] = []
        var last: Text = []
        while let line = reader.next() {
            last = line.trimmingLineEnd()
            let candidate = marker.chomp ? last.drop { $0 == UInt8(ascii: "\t") } : last
            if candidate.elementsEqual(marker.name.utf8) {
                let heredoc = Heredoc(
                    name: marker.name, bytes: body, expand: marker.expand, chomp: marker.chomp,
                    fileDescriptor: marker.fileDescriptor)
                return (heredoc, range(from: start, to: last))
            }
            body.append(contentsOf: line)
        }
        throw DockerfileError("unterminated heredoc", at: range(from: start, to: last))
    }

    /// The error for an instruction that would change if its bytes were made a string.
    ///
    /// Comments may be in any encoding, and so may the files of COPY and ADD: neither becomes text of the image.
    static func notUTF8(at range: SourceRange) -> DockerfileError {
        DockerfileError(
            "dockerfile parse error on line \(range.start.line): \(notUTF8)", at: range)
    }

    static let notUTF8 = "the instruction is not valid UTF-8; save the Dockerfile as UTF-8"

    /// Applies the line if it is a directive; the result says whether it is one.
    private mutating func takeDirective(_ line: Text, at range: SourceRange) throws(DockerfileError) -> Bool {
        do {
            guard try directives.scan(line, number: reader.lineNumber) else { return false }
            if let directive = directives.directives.last, directive.name == .escape {
                escape = try EscapeCharacter(directive: directive.value)
            }
            return true
        } catch {
            throw DockerfileError(error.message, at: error.range ?? range)
        }
    }

    /// Remembers a comment for the next instruction; an empty one forgets those before it.
    ///
    /// Only the first byte is cut off, so an indented comment keeps its `#`, as in BuildKit.
    private mutating func takeComment(_ physical: Text) {
        let comment = physical.dropFirst().trimmingSpace()
        if comment.isEmpty {
            comments = []
        } else {
            comments.append(comment.string)
        }
    }

    private mutating func warnEmptyLine(in line: Text) {
        warnings.append(
            SyntaxWarning(
                kind: .emptyContinuationLine, message: "Empty continuation line found in: \(line.string)",
                line: reader.lineNumber))
    }

    /// From `start` to the end of the line read last.
    private func range(from start: SourcePosition, to last: Text) -> SourceRange {
        SourceRange(start: start, end: SourcePosition(line: reader.lineNumber, column: last.count + 1))
    }
}
