import Diagnostics
import GoCompat

/// A Git repository as a user names it, and what of it is wanted: `https://host/repository.git#ref:directory`, or the
/// same said by a query.
struct GitReference: Hashable, Sendable {
    /// The address for Git: a URL with its scheme in lower case, or `user@host:path`.
    var remote: String
    /// Empty where none is named.
    var ref = ""
    /// As written in a query, clean from a fragment.
    var subdirectory = ""
    var checksum = ""
    var keepsGitDirectory: Bool?
    var includesSubmodules: Bool?
    /// `checkout` or `commit`; empty where none is named.
    var times = ""
    var fetchesByCommit: Bool?
    /// Whether it could be a path as well: `github.com/owner/repository`.
    var looksLocal = false
    /// Whether it travels in the clear and unproven.
    var isUnencrypted = false

    /// Parses a reference; `nil` when the text is none.
    ///
    /// - Throws: ``FrontendError`` `.invalid` for a reference with a bad query.
    init?(parsing text: String) throws {
        let hash = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let question = hash[0].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let location = question[0]
        let query = question.count == 2 ? String(question[1]) : ""
        guard let isURL = Self.isURL(location) else { return nil }
        remote = String(location)
        if isURL, let scheme = location.split(separator: ":").first {
            remote = scheme.lowercased() + location.dropFirst(scheme.count)
            isUnencrypted = ["http", "git"].contains(scheme.lowercased())
        }
        // An empty query stays in the URL, as it does in BuildKit.
        if question.count == 2, query.isEmpty { remote += "?" }
        looksLocal = Self.looksLocal(text)
        try apply(query: query)
        if hash.count == 2 { try apply(fragment: isURL ? hash[1].percentDecoded : String(hash[1])) }
    }

    /// Whether a text names a repository without a scheme, as only a build context may be named.
    static func looksLocal(_ text: String) -> Bool { text.hasPrefix("github.com/") }

    /// Whether the text before query and fragment is a URL or another form; `nil` when it names no repository.
    private static func isURL(_ text: Substring) -> Bool? {
        let scheme = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard scheme.count == 2 else {
            return looksLocal(String(text)) || isShellLocation(text) ? false : nil
        }
        switch scheme[0].lowercased() {
        case "git", "ssh": return true
        case "http", "https": return scheme[1].contains("/") && scheme[1].hasSuffix(".git") ? true : nil
        default: return nil
        }
    }

    /// `user@host:path`, as scp(1) and Git take it.
    private static func isShellLocation(_ text: Substring) -> Bool {
        guard let at = text.firstIndex(of: "@"), at > text.startIndex else { return false }
        let user = text[..<at]
        let rest = text[text.index(after: at)...]
        guard let colon = rest.firstIndex(of: ":"), colon > rest.startIndex else { return false }
        let isWord: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
        return user.allSatisfy(isWord) && rest[..<colon].allSatisfy { isWord($0) || $0 == "." }
            && !rest[rest.index(after: colon)...].isEmpty
    }

    /// Makes sure that who logs in over SSH, and where, is no option of the program that does it, and no password, for
    /// which SSH has no use.
    func checkLogin() throws {
        var authority: Substring
        if remote.hasPrefix("ssh://") {
            authority = remote.dropFirst("ssh://".count).prefix { $0 != "/" }
        } else if !remote.contains("://") {
            authority = remote.prefix { $0 != ":" }
        } else {
            return
        }
        if let at = authority.lastIndex(of: "@") {
            let login = authority[..<at]
            guard !login.contains(":") else {
                throw FrontendError(
                    .invalid, "a Git URL with ssh:// cannot hold a password",
                    hint: "Lend an agent with --ssh default, and leave the password out.")
            }
            guard !login.hasPrefix("-") else { throw Self.invalid("invalid user in the Git URL: \(login)") }
            authority = authority[authority.index(after: at)...]
        }
        guard !authority.isEmpty, !authority.hasPrefix("-") else {
            throw Self.invalid("invalid host in the Git URL: \(GoFormat.quoted(String(authority)))")
        }
    }

    // MARK: Details

    private mutating func apply(fragment: String) throws {
        let parts = fragment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        try setRef(parts[0])
        let directory = parts.count == 2 ? String(ContainerPath.clean(parts[1]).dropFirst()) : ""
        guard !directory.isEmpty else { return }
        try Self.agree("subdir", directory, subdirectory)
        subdirectory = directory
    }

    private mutating func setRef(_ name: String) throws {
        guard !name.isEmpty else { return }
        try Self.agree("ref", name, ref)
        ref = name
    }

    private static func agree(_ what: String, _ one: String, _ other: String) throws {
        guard !other.isEmpty, one != other else { return }
        throw invalid("\(what) conflicts: \(GoFormat.quoted(one)) vs \(GoFormat.quoted(other))")
    }

    private static func invalid(_ message: String) -> FrontendError { FrontendError(.invalid, message) }

    private mutating func apply(query: String) throws {
        var values: [String: String] = [:]
        var names: [String] = []
        for item in query.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].replacing("+", with: " ").percentDecoded
            guard values[name] == nil else {
                throw Self.invalid("query \(GoFormat.quoted(name)) has multiple values")
            }
            values[name] = parts.count == 2 ? parts[1].replacing("+", with: " ").percentDecoded : ""
            names.append(name)
        }
        var named = ""
        var ref = ""
        for name in names {
            let value = values[name] ?? ""
            switch name {
            case "ref", "tag", "branch", "subdir", "checksum", "commit":
                guard !value.isEmpty else { throw Self.invalid("query \(GoFormat.quoted(name)) has no value") }
            default: break
            }
            switch name {
            case "ref": ref = value
            case "tag":
                guard values["branch"] == nil else { throw Self.invalid("branch conflicts with tag") }
                named = "refs/tags/\(value)"
            case "branch":
                guard values["tag"] == nil else { throw Self.invalid("branch conflicts with tag") }
                named = "refs/heads/\(value)"
            case "subdir": subdirectory = value
            case "checksum", "commit": checksum = value
            case "keep-git-dir": keepsGitDirectory = try Self.flag(name, value)
            case "submodules": includesSubmodules = try Self.flag(name, value)
            case "fetch-by-commit": fetchesByCommit = try Self.flag(name, value)
            case "mtime":
                guard ["checkout", "commit"].contains(value) else {
                    throw Self.invalid(
                        "invalid mtime value: \(GoFormat.quoted(value)) (must be \"checkout\" or \"commit\")")
                }
                times = value
            default: throw Self.invalid("unexpected query \(GoFormat.quoted(name))")
            }
        }
        try setRef(named)
        try setRef(ref)
    }

    /// Without a value a flag is on.
    private static func flag(_ name: String, _ value: String) throws -> Bool {
        switch value {
        case "", "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw invalid("invalid \(name) value: \(GoFormat.quoted(value))")
        }
    }
}

extension StringProtocol {
    /// With `%xx` resolved; a text with a bad escape, or whose bytes would be no text, stays as it is.
    var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16) else {
                return String(self)
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self) ?? String(self)
    }
}
