/// A source of ADD that is not in the build context.
///
/// What counts as a Git reference follows BuildKit: `git://` and `ssh://` URLs, http(s) URLs whose path ends in
/// `.git`, and `user@host:path`.
enum RemoteSource {
    case git
    case http

    /// `nil` if `text` is a path.
    init?(_ text: String) {
        let scheme = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard scheme.count == 2 else {
            guard Self.isShellLocation(text) else { return nil }
            self = .git
            return
        }
        switch scheme[0].lowercased() {
        case "git", "ssh": self = .git
        case "http", "https":
            let path = scheme[1].prefix { $0 != "?" && $0 != "#" }
            self = path.contains("/") && path.hasSuffix(".git") ? .git : .http
        default: return nil
        }
    }

    /// `user@host:path`, as scp(1) and Git take it.
    private static func isShellLocation(_ text: String) -> Bool {
        guard let at = text.firstIndex(of: "@"), at > text.startIndex else { return false }
        let user = text[..<at]
        let rest = text[text.index(after: at)...]
        guard let colon = rest.firstIndex(of: ":"), colon > rest.startIndex else { return false }
        let isWord: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
        return user.allSatisfy(isWord) && rest[..<colon].allSatisfy { isWord($0) || $0 == "." }
            && !rest[rest.index(after: colon)...].isEmpty
    }
}
