import Diagnostics
import Graph
import OCI

/// A source of ADD that is not in the build context: Git before HTTP, and what is neither is a path.
enum RemoteSource: Hashable {
    case git(GitReference)
    case http(String)

    /// `nil` if `text` is a path.
    ///
    /// - Throws: ``FrontendError`` `.invalid` for a Git reference with a bad query.
    init?(_ text: String) throws {
        // What only looks like a repository is a path here, with whatever pattern it holds.
        if !GitReference.looksLocal(text), let reference = try GitReference(parsing: text) {
            self = .git(reference)
            return
        }
        let scheme = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard scheme.count == 2, ["http", "https"].contains(scheme[0].lowercased()) else { return nil }
        self = .http(text)
    }
}

/// The flags of ADD for remote sources.
struct RemoteFlags {
    /// Expanded; empty where it is not given.
    let checksum: String
    let keepsGitDirectory: Bool?
    /// How many paths and URLs the instruction has.
    let sourceCount: Int

    /// The step that fetches a source; `nil` for a path of the context.
    ///
    /// - Throws: ``FrontendError`` `.invalid` in BuildKit's words.
    func operation(_ text: String) throws -> (operation: Graph.Operation, label: String)? {
        let remote = try RemoteSource(text)
        if !checksum.isEmpty {
            guard sourceCount == 1 else {
                throw FrontendError(.invalid, "checksum can't be specified for multiple sources")
            }
            guard remote != nil else { throw FrontendError(.invalid, "checksum requires HTTP(S) or Git sources") }
        }
        switch remote {
        case nil: return nil
        case .http(let url):
            let source = HTTPSource(url: url, checksum: try digest(), fileName: Self.fileName(url))
            return (.http(source), Self.redacted(url))
        case .git(let reference):
            let source = try git(reference)
            return (.git(source), source.label)
        }
    }

    private func git(_ reference: GitReference) throws -> GitSource {
        if let flag = keepsGitDirectory, let query = reference.keepsGitDirectory, flag != query {
            throw FrontendError(.invalid, "inconsistent keep-git-dir configuration")
        }
        if !checksum.isEmpty, !reference.checksum.isEmpty, checksum != reference.checksum {
            throw FrontendError(.invalid, "inconsistent checksum configuration")
        }
        try reference.checkLogin()
        var source = reference.source
        if !checksum.isEmpty { source.checksum = checksum }
        source.keepsGitDirectory = keepsGitDirectory ?? source.keepsGitDirectory
        return source
    }

    private func digest() throws -> Digest? {
        guard !checksum.isEmpty else { return nil }
        let parts = checksum.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isWord: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "_=-".contains($0)) }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[1].allSatisfy(isWord) else {
            throw FrontendError(.invalid, "invalid checksum digest format", hint: Self.checksumHint)
        }
        guard parts[0] == "sha256" else {
            throw FrontendError(.invalid, "unsupported digest algorithm", hint: Self.checksumHint)
        }
        guard parts[1].utf8.count == 64 else {
            throw FrontendError(.invalid, "invalid checksum digest length", hint: Self.checksumHint)
        }
        do { return try Digest(parsing: checksum) } catch {
            throw FrontendError(.invalid, "invalid checksum digest format", hint: Self.checksumHint, cause: error)
        }
    }

    private static let checksumHint = "Write it as sha256:<64 lower-case hex digits>."

    /// The last element of the URL's path, `__unnamed__` if it has none that can be a file's name. Slashes at the end
    /// of the path do not count.
    static func fileName(_ url: String) -> String {
        let authority = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        let path = authority.prefix { $0 != "?" && $0 != "#" }.drop { $0 != "/" }
        let name = path.percentDecoded.split(separator: "/").last ?? ""
        let isUsable = !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(0)
        return isUsable ? String(name) : "__unnamed__"
    }

    /// A URL without the user name and the password it may hold.
    static func redacted(_ url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url }
        let authority = url[start...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return url[..<start] + "xxxxx:xxxxx" + url[at...]
    }
}
