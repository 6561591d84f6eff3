import Diagnostics

/// The value of `--chmod`.
enum SymbolicMode {
    /// Throws unless `text` is an octal mode up to 7777 or a symbolic one as chmod(1) takes it.
    static func validate(_ text: String) throws {
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let mode = Int(text, radix: 8), mode <= 0o7777 else {
                throw FrontendError(
                    .invalid,
                    "invalid chmod parameter: '\(text)'. it should be octal string and between 0 and 07777")
            }
            return
        }
        guard text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(isClause) else {
            throw FrontendError(
                .invalid, "invalid syntax", hint: "Write the mode as octal digits or as in chmod(1), e.g. u=rwX,go=rX.")
        }
    }

    /// `[ugoa]*` and then one or more operators, each with permissions or with the letter of one class to copy.
    private static func isClause(_ clause: Substring) -> Bool {
        var rest = clause.drop { "ugoa".contains($0) }
        guard !rest.isEmpty else { return false }
        while let sign = rest.first {
            guard "+-=".contains(sign) else { return false }
            rest = rest.dropFirst()
            if let copied = rest.first, "ugo".contains(copied) {
                rest = rest.dropFirst()
            } else {
                rest = rest.drop { "rwxXst".contains($0) }
            }
        }
        return true
    }
}
