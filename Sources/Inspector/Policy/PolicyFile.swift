import Diagnostics

/// The rules of a `.dive-ci` file: names with values, as far as YAML is needed for them.
///
/// Read is a mapping `rules:` of names to texts or lists of texts, plain or in quotes, with comments. Anything else of
/// YAML is refused, so that no rule is passed over.
package struct PolicyFile: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case text(String)
        case list([String])
    }

    /// The rules in the order of the file, with their lines.
    package private(set) var rules: [(name: String, value: Value, line: Int)] = []

    package init() {}

    /// Throws ``InspectorError`` `.badPolicy` with the line.
    package init(parsing text: String) throws {
        var isInRules = false
        var open: Int?
        for (index, whole) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let number = index + 1
            let content = try Self.withoutComment(whole, number)
            let indent = content.prefix { $0 == " " }.count
            let line = content.trimmed
            if line.isEmpty || line == "---" && indent == 0 && rules.isEmpty { continue }
            guard !content.contains("\t") else { throw Self.bad("tabs cannot indent", number) }
            if indent == 0, !line.hasPrefix("- ") {
                guard line == "rules:" else { throw Self.bad("'rules:' is expected in place of '\(line)'", number) }
                isInRules = true
                continue
            }
            guard isInRules else { throw Self.bad("'rules:' is expected first", number) }
            if line.hasPrefix("- ") || line == "-" {
                guard let rule = open, case .list(let items) = rules[rule].value else {
                    throw Self.bad("a list belongs below the name of a rule", number)
                }
                rules[rule].value = .list(items + [try Self.scalar(line.dropFirst().trimmed, number)])
                continue
            }
            guard let colon = line.firstIndex(of: ":") else { throw Self.bad("'NAME: VALUE' is expected", number) }
            let name = try Self.scalar(line[..<colon].trimmed, number)
            let rest = line[line.index(after: colon)...]
            guard rest.isEmpty || rest.hasPrefix(" ") else { throw Self.bad("a space is expected after ':'", number) }
            open = rest.trimmed.isEmpty ? rules.count : nil
            rules.append((name, try Self.value(rest.trimmed, number), number))
        }
        // A name without anything is one without a value, as with dive.
        for index in rules.indices where rules[index].value == .list([]) && index != open {
            rules[index].value = .text("")
        }
        if let open, rules[open].value == .list([]) { rules[open].value = .text("") }
    }

    private static func bad(_ message: String, _ line: Int) -> InspectorError {
        InspectorError(.badPolicy, "line \(line) of the rules: \(message)")
    }

    /// The line without a comment: `#` at its beginning or after a space, outside of quotes.
    private static func withoutComment(_ line: Substring, _ number: Int) throws -> Substring {
        var quote: Character?
        var before: Character = " "
        for index in line.indices {
            let character = line[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "#", before == " " {
                return line[..<index]
            } else if character == "'" || character == "\"", before == " " || before == "[" || before == "," {
                quote = character
            }
            before = character
        }
        guard quote == nil else { throw bad("a quote is not closed", number) }
        return line
    }

    private static func value(_ text: String, _ number: Int) throws -> Value {
        guard !text.isEmpty else { return .list([]) }
        guard text.hasPrefix("[") else { return .text(try scalar(text, number)) }
        guard text.hasSuffix("]") else { throw bad("a '[' has no ']' on its line", number) }
        let inner = text.dropFirst().dropLast().trimmed
        if inner.isEmpty { return .list([]) }
        var parts: [String] = [""]
        var quote: Character?
        for character in inner {
            if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
            }
            if character == ",", quote == nil { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return .list(try parts.map { try scalar($0.trimmed, number) })
    }

    private static func scalar(_ text: String, _ number: Int) throws -> String {
        if text.hasPrefix("'") {
            guard text.count > 1, text.hasSuffix("'") else { throw bad("a quote is not closed", number) }
            return String(text.dropFirst().dropLast().replacing("''", with: "'"))
        }
        if text.hasPrefix("\"") {
            guard text.count > 1, text.hasSuffix("\"") else { throw bad("a quote is not closed", number) }
            let inner = String(text.dropFirst().dropLast())
            guard !inner.contains("\\") else { throw bad("escapes in \"…\" are not supported: use '…'", number) }
            return inner
        }
        if let first = text.first, "&*!|>%@`{}?".contains(first), text != "*", !isGlob(text) {
            throw bad("'\(text)' must be in quotes", number)
        }
        return text
    }

    /// A pattern such as `*.pem` is meant as one, although YAML would take it for an alias.
    private static func isGlob(_ text: String) -> Bool {
        text.hasPrefix("*.") || text.hasPrefix("**/") || text.hasPrefix("?")
    }

    package static func == (left: PolicyFile, right: PolicyFile) -> Bool {
        left.rules.elementsEqual(right.rules) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) { for rule in rules { hasher.combine(rule.name) } }
}

extension StringProtocol {
    /// The text without the spaces around it.
    fileprivate var trimmed: String {
        var rest = Substring(self).drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
