/// How the text behind the flags of an instruction is split.
enum ArgumentGrammar: Equatable {
    /// A JSON array, else the whole text.
    case textOrArray

    /// A JSON array, else words between blanks.
    case wordsOrArray

    /// Words between blanks, no quoting.
    case plainWords

    /// The whole text.
    case text

    /// `name=value ...`, or the old `name value`.
    case pairs

    /// Words with quotes and escapes, which stay in them.
    case quotedWords

    /// A word, then a JSON array or a text.
    case typeAndText

    /// Another instruction.
    case instruction

    /// The keyword is unknown, so the text means nothing.
    case ignored

    /// Looks up the grammar for a keyword in lower case.
    init(keyword: String) {
        self =
            switch keyword {
            case "run", "cmd", "entrypoint", "shell": .textOrArray
            case "add", "copy", "volume": .wordsOrArray
            case "from", "expose": .plainWords
            case "maintainer", "stopsignal", "user", "workdir": .text
            case "env", "label": .pairs
            case "arg": .quotedWords
            case "healthcheck": .typeAndText
            case "onbuild": .instruction
            default: .ignored
            }
    }

    /// Splits a trimmed text. `keyword` is for messages.
    func parse(
        _ text: Text, keyword: String, escape: EscapeCharacter
    ) throws(DockerfileError) -> Node.Arguments {
        if self == .ignored { return .words([""], isJSON: false) }
        if text.isEmpty { return .words([], isJSON: false) }
        switch self {
        case .textOrArray:
            return try Self.array(text) ?? .words([text.string], isJSON: false)
        case .wordsOrArray:
            return try Self.array(text) ?? .words(text.splitAtBlanks().map(\.string), isJSON: false)
        case .plainWords:
            return .words(text.splitAtBlanks().map(\.string), isJSON: false)
        case .text, .instruction, .ignored:
            return .words([text.string], isJSON: false)
        case .pairs:
            return .pairs(try Self.pairs(text, keyword: keyword, escape: escape))
        case .quotedWords:
            return .words(Self.quotedWords(text, escape: escape).map(\.string), isJSON: false)
        case .typeAndText:
            return try Self.typeAndText(text)
        }
    }

    private static func array(_ text: Text) throws(DockerfileError) -> Node.Arguments? {
        switch JSONStringArray.parse(text) {
        case .strings(let strings): return .words(strings, isJSON: true)
        case .otherValues:
            throw DockerfileError("when using JSON array syntax, arrays must be comprised of strings only")
        case .notAnArray: return nil
        }
    }

    private static func typeAndText(_ text: Text) throws(DockerfileError) -> Node.Arguments {
        var end = text.startIndex
        while end < text.endIndex && text.spaceLength(at: end) == 0 { end += 1 }
        let type = text[..<end].string
        let rest = text[end...].trimmingLeadingSpace()
        if rest.isEmpty { return .words([type], isJSON: false) }
        guard case .words(let words, let isJSON) = try array(rest) else {
            return .words([type, rest.string], isJSON: false)
        }
        return .words([type] + words, isJSON: isJSON)
    }

    private static func pairs(
        _ text: Text, keyword: String, escape: EscapeCharacter
    ) throws(DockerfileError) -> Assignments {
        let words = quotedWords(text, escape: escape)
        let equals = UInt8(ascii: "=")
        guard let first = words.first, first.contains(equals) else {
            let parts = text.splitAtBlanks(limit: 2)
            if parts.count < 2 { throw DockerfileError("\(keyword) must have two arguments") }
            return Assignments(pairs: [Assignment(key: parts[0].string, value: parts[1].string)], isLegacy: true)
        }
        var pairs: [Assignment] = []
        for word in words {
            guard let position = word.firstIndex(of: equals) else {
                let shown = word.string.quoted
                throw DockerfileError("Syntax error - can't find = in \(shown). Must be of the form: name=value")
            }
            pairs.append(Assignment(key: word[..<position].string, value: word[(position + 1)...].string))
        }
        return Assignments(pairs: pairs, isLegacy: false)
    }

    /// Splits at Unicode white space outside quotes. Quotes and escapes stay for the expansion to resolve, except for
    /// an escape character with nothing behind it.
    static func quotedWords(_ text: Text, escape: EscapeCharacter) -> [Text] {
        var words: [Text] = []
        var index = text.startIndex
        while index < text.endIndex {
            let space = text.spaceLength(at: index)
            if space > 0 {
                index += space
                continue
            }
            let end = endOfQuotedWord(text, from: index, escape: escape)
            var word = text[index..<end.index]
            if end.dropsLast { word = word.dropLast() }
            if !word.isEmpty { words.append(word) }
            index = end.index
        }
        return words
    }

    private static func endOfQuotedWord(
        _ text: Text, from start: Int, escape: EscapeCharacter
    ) -> (index: Int, dropsLast: Bool) {
        var quote: UInt8?
        var index = start
        while index < text.endIndex {
            let byte = text[index]
            if quote == nil && text.spaceLength(at: index) > 0 { break }
            if byte == escape.rawValue && quote != UInt8(ascii: "'") {
                if index + 1 == text.endIndex { return (text.endIndex, true) }
                index += 2
                continue
            }
            if byte == quote {
                quote = nil
            } else if quote == nil && (byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"")) {
                quote = byte
            }
            index += 1
        }
        return (min(index, text.endIndex), false)
    }
}
