/// One instruction of a file and the ways to write it.
struct InstructionLayout {
    /// A physical line that adds to the logical one, without its escape character.
    private struct Piece {
        let text: Text
        let continues: Bool

        /// The comment lines that follow.
        var comments: [Text] = []
    }

    private static let indentation = "    ".utf8

    private let node: Node
    private let instruction: Instruction
    private let lines: [Text]
    private let body: Text
    private let escape: EscapeCharacter
    private var pieces: [Piece] = []

    /// `lines` are those of the logical line, without their ends; `body` are the here-documents that follow.
    init(_ node: Node, lines: [Text], body: Text, escape: EscapeCharacter) throws(DockerfileError) {
        self.node = node
        self.lines = lines
        self.body = body
        self.escape = escape
        instruction = try Instruction(node)
        for (index, line) in lines.enumerated() {
            let trimmed = line.trimmingLeadingSpace()
            if index > 0, trimmed.isEmpty { continue }
            if index > 0, trimmed.first == UInt8(ascii: "#") {
                pieces[pieces.count - 1].comments.append(line.trimmingTrailingBlanks())
                continue
            }
            let (text, continues) = (index > 0 ? line : trimmed).splitContinuation(escape)
            pieces.append(Piece(text: text, continues: continues))
        }
    }

    /// The lines in their new form; as they are if no other form is sure to mean the same.
    func formatted() -> [Text] {
        if consistsOfWords, let lines = wordLines(), meansTheSame(lines) { return lines }
        if let lines = textLines(), meansTheSame(lines) { return lines }
        return lines
    }

    /// Whether blanks between words mean nothing but that a word ends.
    private var consistsOfWords: Bool {
        switch instruction.kind {
        case .from, .arg, .expose: true
        case .env(let assignments), .label(let assignments): !assignments.isLegacy
        case .volume: !node.isJSON
        // The name of a here-document may have blanks.
        case .copy, .add: !node.isJSON && !node.text.contains("<<")
        case .run, .workdir, .user, .stopsignal, .cmd, .entrypoint, .shell, .healthcheck, .onbuild, .maintainer: false
        }
    }

    // MARK: Forms

    /// The lines with nothing behind the keyword changed; `nil` if the keyword is not on the first line alone.
    private func textLines() -> [Text]? {
        guard var first = pieces.first?.text, first.starts(with: node.keyword.utf8) else { return nil }
        first = first.dropFirst(node.keyword.utf8.count)
        let rest = first.drop(while: \.isBlank)
        var result: [Text] = []
        for (index, piece) in pieces.enumerated() {
            var line: Text = index > 0 ? piece.text : []
            if index == 0 {
                line += instruction.kind.name.utf8
                if rest.count < first.count { line.append(UInt8(ascii: " ")) }
                line += rest
            }
            if piece.continues { line.append(escape.rawValue) }
            result.append(line.trimmingTrailingBlanks())
            result += piece.comments
        }
        return result
    }

    /// The lines with one blank or one line break between words; `nil` if the logical line begins or ends oddly.
    private func wordLines() -> [Text]? {
        guard pieces.last?.continues == false else { return nil }
        let text: Text = Array(pieces.map(\.text).joined())[...]
        var breaks = lineBreaks[...]
        var result: [Text] = []
        var line: Text = []
        var end = 0
        for (index, word) in words(of: text).enumerated() {
            var comments: [Text] = []
            var isBroken = false
            while let next = breaks.first, next.offset <= word.lowerBound {
                // A word that begins on another line than its first letter would have to be put together.
                guard next.offset >= end, index > 0 else { return nil }
                isBroken = true
                comments += next.comments
                breaks.removeFirst()
            }
            if index > 0 { line.append(UInt8(ascii: " ")) }
            if isBroken {
                line.append(escape.rawValue)
                result += [line] + comments
                line = Array(Self.indentation)[...]
            }
            var start = word.lowerBound
            while let next = breaks.first, next.offset < word.upperBound {
                guard index > 0 else { return nil }
                result += [line + text[start..<next.offset] + [escape.rawValue]] + next.comments
                line = []
                start = next.offset
                breaks.removeFirst()
            }
            line += shown(text[start..<word.upperBound], at: index)
            end = word.upperBound
        }
        return result + [line]
    }

    /// The offsets in the logical line at which its lines are joined, with the comments there.
    private var lineBreaks: [(offset: Int, comments: [Text])] {
        var offset = 0
        return pieces.dropLast().map { piece in
            offset += piece.text.count
            return (offset, piece.comments)
        }
    }

    /// The words with their quotes and escapes, the keyword first.
    private func words(of text: Text) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        var quote: UInt8?
        var index = 0
        while index < text.count {
            let byte = text[index]
            if quote == nil, byte.isBlank {
                if let begun = start { words.append(begun..<index) }
                start = nil
            } else {
                start = start ?? index
                if byte == escape.rawValue, quote != UInt8(ascii: "'") {
                    index += 1
                } else if byte == quote {
                    quote = nil
                } else if quote == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                    quote = byte
                }
            }
            index += 1
        }
        if let start { words.append(start..<text.trimmingTrailingBlanks().count) }
        return words
    }

    /// A word as it is written in the new form: keywords are in upper case.
    private func shown(_ word: Text, at index: Int) -> Text {
        if index == 0 { return Text(instruction.kind.name) }
        guard case .from(let header) = instruction.kind, let keyword = header.asKeyword,
            index == 2 + node.flags.count, word.elementsEqual(keyword.utf8)
        else { return word }
        return Text("AS")
    }

    // MARK: Proof

    /// Whether lines in place of the old ones make the same instruction, and leave the next line alone.
    private func meansTheSame(_ lines: [Text]) -> Bool {
        if let last = lines.last, pieces.last?.continues == false, last.splitContinuation(escape).continues {
            return false
        }
        var bytes = Array((escape == .backtick ? "# escape=`\n" : "").utf8)
        for line in lines { bytes += line + [0x0A] }
        bytes += body
        guard let nodes = try? NodeParser(parsing: bytes).nodes, nodes.count == 1,
            let other = try? Instruction(nodes[0])
        else { return false }
        return other.means(instruction)
    }
}

extension Instruction {
    /// Whether both say the same, be it with other letters in keywords and other blanks between words.
    fileprivate func means(_ other: Instruction) -> Bool {
        if case .from(let header) = kind, case .from(let otherHeader) = other.kind {
            return header.base == otherHeader.base && header.platform == otherHeader.platform
                && header.originalName == otherHeader.originalName && flags == other.flags
        }
        return kind == other.kind && flags == other.flags && words == other.words && isJSON == other.isJSON
            && heredocs == other.heredocs
    }
}
