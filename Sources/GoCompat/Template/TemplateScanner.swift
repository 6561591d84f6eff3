import Diagnostics
import OCI

/// Reads the tokens of a template, byte by byte.
struct TemplateScanner {
    private static let keywords: Set<String> = [
        "if", "else", "end", "range", "with", "break", "continue", "define", "template", "block",
    ]

    private let bytes: [UInt8]
    private(set) var position = 0
    /// Whether the last action ended with `-}}`.
    private var trimsNext = false

    init(_ source: String) { bytes = Array(source.utf8) }

    // MARK: Messages

    func error(_ message: String) -> TemplateError {
        let line = 1 + bytes.prefix(position).count { $0 == 0x0a }
        return TemplateError(.syntax, "template parsing error: template: :\(line): \(message)")
    }

    func text(of range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The error message for the byte at the position.
    var unexpected: String {
        guard position < bytes.count else { return "unclosed action" }
        let rest = String(decoding: bytes[position...], as: UTF8.self)
        return "unexpected \"\(rest.prefix(1))\" in operand"
    }

    // MARK: Text and ends of actions

    /// The text before the next action, and whether there is one; the position is then inside it.
    mutating func text() -> (String, hasAction: Bool) {
        let start = position
        while position < bytes.count, !starts("{{") { position += 1 }
        var text = bytes[start..<position]
        if trimsNext { text = text.drop(while: Self.isSpace) }
        trimsNext = false
        guard position < bytes.count else { return (String(decoding: text, as: UTF8.self), false) }
        position += 2
        if starts("-"), position + 1 < bytes.count, Self.isSpace(bytes[position + 1]) {
            position += 1
            while let last = text.last, Self.isSpace(last) { text.removeLast() }
        }
        return (String(decoding: text, as: UTF8.self), true)
    }

    mutating func endAction() throws(TemplateError) {
        skipSpace()
        if starts("-}}"), position > 0, Self.isSpace(bytes[position - 1]) {
            trimsNext = true
            position += 3
        } else if starts("}}") {
            position += 2
        } else {
            throw error(position < bytes.count ? unexpected : "unclosed action")
        }
    }

    mutating func skipComment() throws(TemplateError) -> Bool {
        let start = position
        skipSpace()
        guard starts("/*") else {
            position = start
            return false
        }
        while position < bytes.count, !starts("*/") { position += 1 }
        guard position < bytes.count else { throw error("unclosed comment") }
        position += 2
        try endAction()
        return true
    }

    // MARK: Tokens

    /// Takes one of the words that are not functions.
    mutating func keyword() -> String? {
        let start = position
        if let word = identifier(), Self.keywords.contains(word) { return word }
        position = start
        return nil
    }

    mutating func identifier() -> String? {
        skipSpace()
        guard position < bytes.count, Self.isLetter(bytes[position]) else { return nil }
        return word()
    }

    /// `$` or `$name`, with the sign.
    mutating func variable() -> String? {
        skipSpace()
        guard starts("$") else { return nil }
        position += 1
        return "$" + word()
    }

    /// `$x :=`, `$x, $y :=` or the same with `=`.
    mutating func assignment() -> (names: [String], declares: Bool)? {
        let start = position
        var names: [String] = []
        repeat {
            guard let name = variable() else { break }
            names.append(name)
        } while take(",")
        if !names.isEmpty {
            if take(":=") { return (names, true) }
            if take("=") { return (names, false) }
        }
        position = start
        return nil
    }

    mutating func take(_ token: String) -> Bool {
        skipSpace()
        guard starts(token) else { return false }
        position += token.utf8.count
        return true
    }

    var isAtEnd: Bool { position == bytes.count }

    var atEndOfCommand: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count || starts("|") || starts(")") || starts("}}")
                || (starts("-}}") && Self.isSpace(bytes[position - 1]))
        }
    }

    var isAtEndOfOperand: Bool {
        position == bytes.count || Self.isSpace(bytes[position]) || starts("|") || starts(")") || starts("}}")
    }

    var isAtField: Bool {
        starts(".") && position + 1 < bytes.count && Self.isLetter(bytes[position + 1])
    }

    mutating func field() -> String {
        position += 1
        return word()
    }

    mutating func takeDot() -> Bool {
        guard starts(".") else { return false }
        position += 1
        return true
    }

    /// A string, a character, a number or a truth value.
    mutating func literal() throws(TemplateError) -> JSON? {
        skipSpace()
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try quoted())
        case UInt8(ascii: "`"):
            guard let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "`")) else {
                throw error("unterminated raw quoted string")
            }
            defer { position = end + 1 }
            return .string(text(of: position + 1..<end))
        default: return try number() ?? truth()
        }
    }

    private mutating func quoted() throws(TemplateError) -> String {
        var end = position + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != 0x0a {
            end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { throw error("unterminated quoted string") }
        guard let text = GoUnquoting.text(bytes[(position + 1)..<end]) else { throw error("invalid syntax") }
        position = end + 1
        return text
    }

    private mutating func number() throws(TemplateError) -> JSON? {
        let start = position
        let digits = bytes[start...].drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard let first = digits.first, Self.isDigit(first) else { return nil }
        var end = digits.startIndex
        while end < bytes.count, Self.isLetter(bytes[end]) || Self.isDigit(bytes[end]) || bytes[end] == 0x2e {
            end += 1
        }
        let text = text(of: start..<end)
        guard Int64(text) != nil || Double(text) != nil else { throw error("bad number syntax: \"\(text)\"") }
        position = end
        return .number(text.hasPrefix("+") ? String(text.dropFirst()) : text)
    }

    private mutating func truth() -> JSON? {
        let start = position
        switch identifier() {
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            position = start
            return nil
        }
    }

    // MARK: Bytes

    private mutating func word() -> String {
        let start = position
        while position < bytes.count, Self.isLetter(bytes[position]) || Self.isDigit(bytes[position]) { position += 1 }
        return text(of: start..<position)
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private func starts(_ token: String) -> Bool { bytes[position...].starts(with: token.utf8) }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80 || (0x41...0x5a).contains(byte & 0xdf)
    }
}
