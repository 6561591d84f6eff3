import Console

/// Foreign text for Markdown.
enum MarkdownText {
    /// The text with everything escaped that Markdown or a table of it would take for more than text.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in VisibleText.escaped(Array(text.utf8), doublingBackslashes: false) {
            if "\\`*_{}[]<>()#+|!~@&$".contains(character) { result += "\\" }
            result.append(character)
        }
        return result
    }

    /// A table whose cells are escaped already.
    static func table(_ headers: [String], _ rows: [[String]]) -> String {
        ([headers, headers.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |\n" }.joined()
    }
}
