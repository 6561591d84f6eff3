/// The blocks of a file, that is, its comments and instructions, and the blank lines between them.
struct FileLayout {
    private enum Block {
        /// A comment or a directive, without its line end.
        case comment(Text)

        /// The lines of an instruction, without their ends, and its here-documents byte for byte.
        case instruction(lines: [Text], body: Text)
    }

    /// The most blank lines that stay together.
    private static let largestGap = 2

    /// Each block with the number of blank lines above it.
    private var blocks: [(gap: Int, block: Block)] = []
    private let lineEnd: [UInt8]

    /// Takes a file that is known to be right.
    init(_ bytes: [UInt8]) throws(DockerfileError) {
        let parser = try NodeParser(parsing: bytes)
        let lines = Self.physicalLines(of: bytes)
        lineEnd = lines.first?.suffix(2).elementsEqual("\r\n".utf8) == true ? Array("\r\n".utf8) : [0x0A]
        var stages = 0
        var gap = 0
        var number = 0
        var nodes = parser.nodes[...]
        while number < lines.count {
            if let node = nodes.first, node.range.start.line == number + 1 {
                let end = node.range.end.line
                let own = lines[number..<node.lastOwnLine].map { $0.trimmingLineEnd() }
                let body = Self.joined(lines[node.lastOwnLine..<end])
                let layout = try InstructionLayout(node, lines: own, body: body, escape: parser.escape)
                blocks.append((gap, .instruction(lines: layout.formatted(), body: body)))
                if node.name == "from" {
                    stages += 1
                    if stages > 1 { separateStage() }
                }
                nodes.removeFirst()
                gap = 0
                number = end
                continue
            }
            if lines[number].trimmingLeadingSpace().isEmpty {
                gap += 1
            } else {
                blocks.append((gap, .comment(lines[number].trimmingLineEnd().trimmingTrailingBlanks())))
                gap = 0
            }
            number += 1
        }
        setFirstGap()
    }

    /// The file in its new form.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        for (gap, block) in blocks {
            for _ in 0..<min(gap, Self.largestGap) { result += lineEnd }
            switch block {
            case .comment(let line): result += line + lineEnd
            case .instruction(let lines, let body):
                for line in lines { result += line + lineEnd }
                result += body
                if let last = body.last, last != 0x0A { result += lineEnd }
            }
        }
        return result
    }

    /// Puts one blank line above the FROM that was added last, or above the comments that stick to it.
    private mutating func separateStage() {
        var index = blocks.count - 1
        while blocks[index].gap == 0, case .comment = blocks[index - 1].block { index -= 1 }
        blocks[index].gap = 1
    }

    /// A file begins with its first block, unless a comment would become a directive at the very top.
    private mutating func setFirstGap() {
        guard !blocks.isEmpty, blocks[0].gap > 0 else { return }
        blocks[0].gap = 0
        let comments = blocks.prefix { if case .comment = $0.block { $0.gap == 0 } else { false } }
        let lines = comments.map { item -> Text in if case .comment(let line) = item.block { line } else { [] } }
        if Self.hasDirective(lines) { blocks[0].gap = 1 }
    }

    private static func hasDirective(_ lines: [Text]) -> Bool {
        var scanner = DirectiveScanner()
        let first = lines.first?.trimmingLeadingSpace() ?? []
        // A second directive of one kind is an error, so whoever throws has seen one.
        let isDirective = (try? scanner.scan(first, number: 1)) ?? true
        let leading = try? DirectiveScanner.leadingDirectives(of: lines)
        return isDirective || leading?.isEmpty != true
    }

    /// The lines with their ends.
    private static func physicalLines(of bytes: [UInt8]) -> [Text] {
        var reader = LineReader(bytes)
        var lines: [Text] = []
        while let line = reader.next() { lines.append(line) }
        return lines
    }

    /// Lines that follow each other, as one text.
    private static func joined(_ lines: ArraySlice<Text>) -> Text { Array(lines.joined())[...] }
}

extension Dockerfile {
    /// The same file in the usual form: another text with the same meaning, which formatted again stays as it is.
    ///
    /// Keywords are in upper case; instructions begin in the first column; there is one blank line above each stage but
    /// the first and there are at most two elsewhere; nothing is blank at the end of a line, inside a continued
    /// instruction or at the end of the file. Words of FROM, ARG, ENV, LABEL, COPY, ADD, EXPOSE and VOLUME are one
    /// space apart, and their continuation lines begin with four.
    ///
    /// Comments, here-documents, commands and everything in quotes or in a JSON array are never touched, and lines
    /// end as the first one does. An instruction that would mean anything else in its new form is left as it is.
    ///
    /// Throws what ``init(parsing:)`` throws: a file with an error has no other form.
    public static func formatted(_ bytes: [UInt8]) throws(DockerfileError) -> [UInt8] {
        _ = try Dockerfile(parsing: bytes)
        return try FileLayout(bytes).bytes
    }
}
