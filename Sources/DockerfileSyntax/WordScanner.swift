/// Walks over a word once, from left to right, and resolves what is in it.
struct WordScanner {
    enum Quotes {
        /// They quote, and are dropped.
        case remove

        /// They quote, and stay.
        case keep

        /// They are ordinary characters.
        case literal
    }

    /// How deep substitutions may be nested in each other. The limit keeps hostile input from exhausting the stack.
    static let deepestNesting = 100

    /// The most bytes a word may have once variables are put into it. The limit keeps values that double from line to
    /// line from filling the memory.
    static let largestResult = 16 << 20

    static func check(count: Int) throws(DockerfileError) {
        guard count > largestResult else { return }
        throw DockerfileError("the text has more than \(largestResult >> 20) MiB after expansion")
    }

    let input: Text
    let quotes: Quotes

    /// Whether a variable that is not set stays as written.
    let keepsUnset: Bool

    var index: Int
    var keepsEscapes: Bool
    var nesting = 0
    private(set) var unmatched: [String] = []
    private var known: Set<String> = []

    /// Whether a quote was resolved.
    private(set) var sawQuotes = false

    private let escape: UInt8

    init(
        _ input: Text, escape: EscapeCharacter, quotes: Quotes, keepsUnset: Bool, keepsEscapes: Bool = false
    ) {
        self.input = input
        self.escape = escape.rawValue
        self.quotes = quotes
        self.keepsUnset = keepsUnset
        self.keepsEscapes = keepsEscapes
        index = input.startIndex
    }

    mutating func text(environment: (String) -> String?) throws(DockerfileError) -> String {
        var sink = WordSink(splits: false)
        try scan(until: nil, into: &sink, environment)
        return String(decoding: sink.text, as: UTF8.self)
    }

    mutating func words(environment: (String) -> String?) throws(DockerfileError) -> [String] {
        var sink = WordSink(splits: true)
        try scan(until: nil, into: &sink, environment)
        return sink.finishWords()
    }

    var peek: UInt8? { index < input.endIndex ? input[index] : nil }

    var isAtEnd: Bool { index == input.endIndex }

    /// Consumes up to `stop` and `stop` itself, or everything.
    private mutating func scan(
        until stop: UInt8?, into sink: inout WordSink, _ environment: (String) -> String?
    ) throws(DockerfileError) {
        while let byte = peek {
            if byte == stop {
                index += 1
                return
            }
            switch byte {
            case UInt8(ascii: "$"):
                sink.appendSplitting(try substitution(environment)[...])
                try Self.check(count: sink.count)
            case UInt8(ascii: "'") where quotes != .literal:
                sink.append(try singleQuoted())
            case UInt8(ascii: "\"") where quotes != .literal:
                sink.append(try doubleQuoted(environment))
                try Self.check(count: sink.count)
            case UInt8(ascii: "<"):
                sink.append(heredocOperator())
            case escape:
                sink.append(escaped())
            default:
                let length = max(1, input.spaceLength(at: index))
                sink.appendSplitting(input[index..<(index + length)])
                index += length
            }
        }
        if let stop {
            let shown = String(Unicode.Scalar(stop))
            throw DockerfileError("unexpected end of statement while looking for matching \(shown)")
        }
    }

    /// Resolves a part of a substitution, up to and with `stop`.
    mutating func part(
        until stop: UInt8, keepingEscapes: Bool, _ environment: (String) -> String?
    ) throws(DockerfileError) -> [UInt8] {
        let outer = keepsEscapes
        keepsEscapes = keepingEscapes
        defer { keepsEscapes = outer }
        var sink = WordSink(splits: false)
        try scan(until: stop, into: &sink, environment)
        return sink.text
    }

    /// Looks up a variable, and remembers it if it is not set.
    mutating func value(of name: String, _ environment: (String) -> String?) -> String? {
        if let value = environment(name) { return value }
        if known.insert(name).inserted { unmatched.append(name) }
        return nil
    }

    /// An escape character and what it escapes; at the end of the input it is dropped.
    private mutating func escaped() -> Text {
        let start = index
        index += 1
        if !isAtEnd { index += scalarLength(at: index) }
        return keepsEscapes ? input[start..<index] : input[(start + 1)..<index]
    }

    /// A `<`, or a `<<` with the white space behind it: the name of a here-document may stand apart.
    private mutating func heredocOperator() -> Text {
        let start = index
        index += 1
        guard peek == UInt8(ascii: "<") else { return input[start..<index] }
        index += 1
        while let byte = peek, byte.isBlank || byte == UInt8(ascii: "\n") { index += 1 }
        return input[start..<index]
    }

    private mutating func singleQuoted() throws(DockerfileError) -> Text {
        sawQuotes = true
        let start = index
        guard let end = input[(start + 1)...].firstIndex(of: UInt8(ascii: "'")) else {
            index = input.endIndex
            throw DockerfileError("unexpected end of statement while looking for matching single-quote")
        }
        index = end + 1
        return quotes == .keep ? input[start...end] : input[(start + 1)..<end]
    }

    private mutating func doubleQuoted(_ environment: (String) -> String?) throws(DockerfileError) -> [UInt8] {
        sawQuotes = true
        let quote = UInt8(ascii: "\"")
        var result: [UInt8] = quotes == .keep ? [quote] : []
        index += 1
        while let byte = peek {
            switch byte {
            case quote:
                index += 1
                if quotes == .keep { result.append(quote) }
                return result
            case UInt8(ascii: "$"):
                result.append(contentsOf: try substitution(environment))
                try Self.check(count: result.count)
            case escape:
                index += 1
                if keepsEscapes { result.append(escape) }
                guard let next = peek else { continue }
                if next == quote || next == UInt8(ascii: "$") || next == escape {
                    result.append(next)
                    index += 1
                } else {
                    result.append(escape)
                }
            default:
                result.append(byte)
                index += 1
            }
        }
        throw DockerfileError("unexpected end of statement while looking for matching double-quote")
    }

    func scalarLength(at index: Int) -> Int {
        let length =
            switch input[index] {
            case ..<0xC0: 1
            case ..<0xE0: 2
            case ..<0xF0: 3
            default: 4
            }
        return min(length, input.endIndex - index)
    }

    /// The character at the current place; there must be one.
    var scalar: Unicode.Scalar {
        if input[index] < 0x80 { return Unicode.Scalar(input[index]) }
        let bytes = input[index..<(index + scalarLength(at: index))]
        return bytes.string.unicodeScalars.first ?? "\u{FFFD}"
    }
}
