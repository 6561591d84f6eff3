/// An instruction split into keyword, flags and arguments, before anything of it is checked.
struct Node: Sendable {
    /// The words after the flags, split by the grammar of the instruction.
    indirect enum Arguments: Sendable {
        /// Words or one whole text; `isJSON` if they were written as a JSON array.
        case words([String], isJSON: Bool)
        case pairs(Assignments)

        /// The instruction inside an ONBUILD.
        case instruction(Node)
    }

    let keyword: String
    let flags: [String]
    let arguments: Arguments

    /// The logical line.
    let text: String

    var heredocs: [Heredoc] = []
    var comments: [String] = []
    var range: SourceRange

    /// The last physical line of the logical line; here-documents begin behind it.
    var lastOwnLine: Int

    /// The keyword for look-ups.
    var name: String { keyword.lowercased() }

    /// The arguments as words, none if they are something else.
    var words: [String] {
        if case .words(let words, _) = arguments { words } else { [] }
    }

    /// The words after the flags, split at white space, whatever the grammar.
    var allWords: [String] {
        switch arguments {
        case .words(let words, _): words
        case .pairs(let assignments):
            assignments.pairs.flatMap { assignments.isLegacy ? [$0.key, $0.value] : ["\($0.key)=\($0.value)"] }
        case .instruction(let inner): [inner.text]
        }
    }

    var isJSON: Bool {
        if case .words(_, let isJSON) = arguments { isJSON } else { false }
    }

    /// Whether markers of here-documents mean anything in the line.
    var canHaveHeredocs: Bool {
        if case .instruction(let inner) = arguments { return inner.canHaveHeredocs }
        return ["run", "copy", "add"].contains(name) && !isJSON
    }
}

extension Node {
    /// Splits a logical line. Inside ONBUILD another ONBUILD is not split further, as it is an error anyway.
    init(line: Text, escape: EscapeCharacter, range: SourceRange, isNested: Bool = false) throws(DockerfileError) {
        let parts = line.trimmingSpace().splitAtBlanks(limit: 2)
        keyword = parts[0].string
        text = line.string
        self.range = range
        lastOwnLine = range.end.line
        var rest: Text = []
        if parts.count > 1 {
            (flags, rest) = FlagWords.split(parts[1])
        } else {
            flags = []
        }
        rest = rest.trimmingSpace()
        let grammar = ArgumentGrammar(keyword: keyword.lowercased())
        if grammar == .instruction, !rest.isEmpty, !isNested {
            arguments = .instruction(try Node(line: rest, escape: escape, range: range, isNested: true))
        } else {
            arguments = try grammar.parse(rest, keyword: keyword.uppercased(), escape: escape)
        }
    }
}

/// The flags in front of the arguments of an instruction.
enum FlagWords {
    /// Splits off the leading words that start with `--`.
    ///
    /// Quotes and escapes are resolved; the escape character is always a backslash here, also inside single quotes.
    /// A bare `--` ends the flags and is dropped.
    static func split(_ text: Text) -> (flags: [String], rest: Text) {
        var flags: [String] = []
        var rest = text.trimmingLeadingSpace()
        while rest.starts(with: "--".utf8) {
            let (word, end) = word(at: rest)
            rest = rest[end...]
            if word.elementsEqual("--".utf8) { break }
            flags.append(word.string)
            rest = rest.trimmingLeadingSpace()
        }
        return (flags, rest)
    }

    private static func word(at text: Text) -> (word: Text, end: Int) {
        var word: Text = []
        var quote: UInt8?
        var index = text.startIndex
        while index < text.endIndex {
            var byte = text[index]
            if quote == nil {
                if text.spaceLength(at: index) > 0 { break }
                if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                    quote = byte
                    index += 1
                    continue
                }
            } else if byte == quote {
                quote = nil
                index += 1
                continue
            }
            if byte == UInt8(ascii: "\\") {
                index += 1
                if index == text.endIndex { break }
                byte = text[index]
            }
            word.append(byte)
            index += 1
        }
        return (word, index)
    }
}
