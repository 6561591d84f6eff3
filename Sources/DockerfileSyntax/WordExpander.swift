/// The result of expanding a word.
public struct ExpandedWord: Hashable, Sendable {
    /// The word without quotes, escapes and variables.
    public let text: String

    /// The variables that were asked for and are not set, each once, in the order they were met.
    public let unmatched: [String]
}

/// The result of expanding and splitting a text.
public struct ExpandedWords: Hashable, Sendable {
    /// The words; none is empty.
    public let words: [String]

    /// The variables that were asked for and are not set, each once, in the order they were met.
    public let unmatched: [String]
}

/// Resolves quotes, escapes and variables in a word of a Dockerfile.
///
/// The syntax is a part of the shell's: `$name`, `${name}`, the modifiers `-` `+` `?` with and without colon, `#` `##`
/// `%` `%%`, and `/pattern/text` and `//pattern/text`. A value that comes in is not expanded again.
public struct WordExpander: Sendable {
    /// The purpose of an expansion.
    public enum Mode: Sendable {
        /// Quotes are removed, and a variable that is not set is empty.
        case word

        /// For names shown to people: quotes stay, and so does a variable that is not set.
        case display

        /// For the body of a here-document: quotes mean nothing.
        case heredocBody
    }

    /// The character that takes the next one literally. For bodies of here-documents it is always the backslash.
    public let escape: EscapeCharacter

    /// An expander for a file with this escape character.
    public init(escape: EscapeCharacter = .backslash) {
        self.escape = escape
    }

    /// Expands `word` to one text; `environment` gives the value of a variable, `nil` if it is not set.
    public func expand(
        _ word: String, mode: Mode = .word, environment: (String) -> String?
    ) throws(DockerfileError) -> ExpandedWord {
        let quotes: WordScanner.Quotes =
            switch mode {
            case .word: .remove
            case .display: .keep
            case .heredocBody: .literal
            }
        var scanner = WordScanner(Text(word), escape: escape, quotes: quotes, keepsUnset: mode == .display)
        do {
            let text = try scanner.text(environment: environment)
            return ExpandedWord(text: text, unmatched: scanner.unmatched)
        } catch {
            throw Self.explain(error, in: word)
        }
    }

    /// Expands `text` and splits it at the white space that is neither quoted nor escaped, also in values.
    ///
    /// Empty words vanish, even quoted ones.
    public func words(
        _ text: String, environment: (String) -> String?
    ) throws(DockerfileError) -> ExpandedWords {
        var scanner = WordScanner(Text(text), escape: escape, quotes: .remove, keepsUnset: false)
        do {
            let words = try scanner.words(environment: environment)
            return ExpandedWords(words: words, unmatched: scanner.unmatched)
        } catch {
            throw Self.explain(error, in: text)
        }
    }

    private static func explain(_ error: DockerfileError, in text: String) -> DockerfileError {
        DockerfileError("failed to process \(text.quoted): \(error.message)", at: error.range)
    }
}
