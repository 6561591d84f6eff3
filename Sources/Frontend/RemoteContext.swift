package import Graph

/// A build context that is elsewhere, as a user names it.
package enum RemoteContext: Hashable, Sendable {
    case git(GitSource)
    /// An archive with the files of the context, or a Dockerfile.
    case http(HTTPSource)

    /// Parses `https://host/repository.git#ref:directory`, `git@host:path`, `github.com/owner/repository`, or any other
    /// URL of a file; `nil` for what is none of these. With `git+https://` a repository need not end in `.git`.
    ///
    /// The files of a repository have the time of their commit. `keepsGitDirectory` counts where the text says nothing.
    ///
    /// - Throws: ``FrontendError`` `.invalid` for a reference to a repository with a bad query.
    package init?(_ text: String, keepsGitDirectory: Bool = false) throws {
        if var reference = try Self.reference(text) {
            try reference.checkLogin()
            if reference.looksLocal { reference.remote = "https://" + reference.remote }
            if reference.times.isEmpty { reference.times = GitSource.Times.commit.rawValue }
            reference.keepsGitDirectory = reference.keepsGitDirectory ?? keepsGitDirectory
            self = .git(reference.source)
            return
        }
        let scheme = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard scheme.count == 2, ["http", "https"].contains(scheme[0].lowercased()) else { return nil }
        self = .http(HTTPSource(url: text, fileName: RemoteFlags.fileName(text)))
    }

    private static func reference(_ text: String) throws -> GitReference? {
        for scheme in ["https", "http"] where text.hasPrefix("git+\(scheme)://") {
            // The scheme is that of a repository whatever its name, and is replaced afterwards.
            var reference = try GitReference(parsing: "git" + text.dropFirst("git+\(scheme)".utf8.count))
            if let remote = reference?.remote { reference?.remote = scheme + remote.dropFirst("git".utf8.count) }
            return reference
        }
        return try GitReference(parsing: text)
    }

    /// The text that progress shows, without logins.
    package var label: String {
        switch self {
        case .git(let source): source.label
        case .http(let source): RemoteFlags.redacted(source.url)
        }
    }
}

extension GitReference {
    /// The source to fetch, where the instruction has only the reference.
    var source: GitSource {
        GitSource(
            remote: remote, ref: ref, subdirectory: String(ContainerPath.clean(subdirectory).dropFirst()),
            checksum: checksum, keepsGitDirectory: keepsGitDirectory ?? false,
            includesSubmodules: includesSubmodules ?? true, times: GitSource.Times(rawValue: times) ?? .checkout,
            fetchesByCommit: fetchesByCommit ?? false)
    }
}

extension GitSource {
    /// The step that fetches it.
    var label: String {
        let part = [ref, subdirectory].reversed().drop { $0.isEmpty }.reversed().joined(separator: ":")
        return "[internal] load git source \(RemoteFlags.redacted(remote))\(part.isEmpty ? "" : "#\(part)")"
    }
}
