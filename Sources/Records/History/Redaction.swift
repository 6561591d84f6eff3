import Frontend
import OCI

/// Hides secrets and logins in the values that records and explanations keep of keys.
package enum Redaction {
    /// Stands for a value that must not be seen. Equal values look alike; the four bytes of the hash are enough to
    /// tell values apart, and too few to prove a guess.
    package static func hidden(_ value: String) -> String { "<hidden \(Digest(of: "lamina \(value)").hex.prefix(8))>" }

    package static func isHidden(_ value: String) -> Bool { value.hasPrefix("<hidden ") && value.hasSuffix(">") }

    /// `NAME=value` without the value if the name is one of a secret, and without the logins in URLs.
    package static func variable(_ text: String) -> String {
        guard let equals = text.firstIndex(of: "=") else { return text }
        let name = String(text[..<equals])
        let value = String(text[text.index(after: equals)...])
        return "\(name)=\(VariableName.suggestsSecret(name) ? hidden(value) : withoutLogins(value))"
    }

    /// The text with `user:password@` taken out of every URL in it.
    package static func withoutLogins(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "://")?.upperBound {
            result += rest[..<start]
            rest = rest[start...]
            let authority = rest.prefix { !$0.isWhitespace && !"/\"'?#".contains($0) }
            if let at = authority.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        }
        return result + rest
    }
}
