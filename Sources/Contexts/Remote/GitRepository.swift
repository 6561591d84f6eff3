import Diagnostics
package import Graph
import Linux
import Registry
package import Solver
package import Store
package import SystemPackage

/// A commit and what it is called at its repository.
package struct GitCommit: Hashable, Sendable {
    /// 40 or 64 hexadecimal digits.
    package let hash: String
    /// The full name, `refs/heads/main`; `nil` for a commit that was named by its hash.
    package let ref: String?
}

/// A repository fetched as far as one commit of it is needed, in a directory that goes away with this.
package final class GitRepository: Sendable {
    private let source: GitSource
    /// Without a login.
    private let remote: String
    private let directory: TemporaryDirectory
    private let git: GitCommand
    /// `nil` for what is not reached by HTTP.
    private let url: HTTPURL?
    private let login: RemoteLogin?
    /// For what to say when it is missing.
    private let needsAgent: Bool
    /// Whether the server may not be asked.
    private let isOffline: Bool

    /// The name under which the fetched commit is kept, apart from all that the repository itself has.
    private static let localRef = "refs/lamina/source"
    private static let folder: FilePath = "files"

    package init(
        _ source: GitSource, in store: StoreRoot, environment: [String: String], credentials: BuildCredentials,
        isOffline: Bool = false
    ) throws {
        self.source = source
        self.isOffline = isOffline
        remote = source.publicRemote
        let ssh = try source.isSSH ? SSHAccess(credentials, environment: environment) : nil
        needsAgent = source.isSSH && ssh == nil
        directory = try store.temporaryDirectory()
        let address = try? WebAddress(parsing: source.remote)
        url = address?.url
        login = try address.flatMap { try credentials.repositoryLogin($0.url) }
        let authorization = login?.authorization ?? address?.authorization
        git = GitCommand(
            directory: directory.path, environment: environment,
            login: address.flatMap { address in authorization.map { (address.url.origin, $0) } }, ssh: ssh)
    }

    /// Throws if the server cannot be asked. A commit that is known already needs neither network nor agent.
    private func requireAccess() throws {
        guard !isOffline else {
            throw ContextsError(
                .git, "the repository \(remote) is not asked because of --offline",
                hint: "Name the whole hash of a commit that was fetched before, or leave --offline out.")
        }
        guard needsAgent else { return }
        throw ContextsError(
            .agentNotFound, "no SSH key \"default\" forwarded from the client",
            hint: "Lend an agent that has a key for \(remote) with --ssh default.")
    }

    /// The directory of the files after ``checkOut(_:step:)``.
    package var files: FilePath { directory.path.pushing(Self.folder) }

    // MARK: Names

    /// Asks the repository which commit the source means; one named by its hash needs no asking.
    ///
    /// Throws ``ContextsError`` `.git`, with BuildKit's words for another commit than the one expected.
    package func resolve() async throws -> GitCommit {
        if source.fetchesByCommit {
            guard Self.isHash(source.checksum) else {
                throw ContextsError(.git, "fetch-by-commit needs the whole hash of the commit as its checksum")
            }
            return GitCommit(hash: source.checksum, ref: nil)
        }
        if Self.isHash(source.ref) {
            try check([source.ref])
            return GitCommit(hash: source.ref, ref: nil)
        }
        let names = try candidates()
        try requireAccess()
        let patterns = names.flatMap { [$0, "\($0)^{}"] }
        let listing = try await explaining("failed to list refs of remote") {
            try await git.run(["ls-remote", "--quiet", "--", remote] + patterns)
        }
        var hashes: [String: String] = [:]
        for line in listing.split(separator: "\n") {
            let fields = line.split(separator: "\t").map(String.init)
            if fields.count == 2, Self.isHash(fields[0]) { hashes[fields[1]] = fields[0] }
        }
        guard let name = names.first(where: { hashes[$0] != nil }), let object = hashes[name] else {
            throw ContextsError(
                .git, "repository does not contain ref \(source.ref.isEmpty ? "HEAD" : source.ref)",
                hint: "Name a branch, a tag or the whole hash of a commit of \(remote).")
        }
        // An annotated tag is an object of its own, which leads to the commit.
        let hash = hashes["\(name)^{}"] ?? object
        try check([hash, object])
        return GitCommit(hash: hash, ref: name)
    }

    /// The full names that the ref may have, the one that counts first: a branch goes before a tag.
    private func candidates() throws -> [String] {
        let ref = source.ref
        let isName = ref.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !"~^:?*[\\".utf8.contains($0) }
        guard isName, !ref.hasPrefix("-"), !ref.contains("..") else {
            throw ContextsError(.git, "invalid Git ref '\(ref)'")
        }
        if ref.isEmpty || ref == "HEAD" { return ["HEAD"] }
        return ref.hasPrefix("refs/") ? [ref] : ["refs/heads/\(ref)", "refs/tags/\(ref)", "refs/\(ref)"]
    }

    private func check(_ hashes: [String]) throws {
        guard !source.checksum.isEmpty, !hashes.contains(where: { $0.hasPrefix(source.checksum) }) else { return }
        throw ContextsError(
            .checksum, "expected checksum to match \(source.checksum), got \(hashes[0])",
            hint: "The ref has moved, or the checksum is that of another commit.")
    }

    private static func isHash(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64) && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }

    // MARK: Files

    /// Fetches a commit and writes its files; returns the time of the commit in seconds since the epoch.
    package func checkOut(_ commit: GitCommit, step: StepReporter) async throws -> Int64 {
        try await obtain(commit, step: step)
        try await explaining("failed to check out remote") {
            _ = try await run(["checkout", "--quiet", "--force", "--detach", commit.hash], step)
        }
        // Submodules may be named relative to where the repository comes from.
        _ = try await run(["config", "remote.origin.url", remote], step)
        if source.includesSubmodules { try await updateSubmodules(step) }
        let time = try await time(of: commit)
        if source.keepsGitDirectory { try await tidy(step) }
        return time
    }

    /// Fetches a commit, and returns its time in seconds since the epoch.
    package func fetchTime(of commit: GitCommit, step: StepReporter) async throws -> Int64 {
        try await obtain(commit, step: step)
        return try await time(of: commit)
    }

    private func time(of commit: GitCommit) async throws -> Int64 {
        let time = try await run(["log", "-1", "--format=%ct", commit.hash], nil)
        return Int64(time.filter { $0.isNumber }) ?? 0
    }

    /// Makes a repository that has the commit, and no files yet.
    private func obtain(_ commit: GitCommit, step: StepReporter) async throws {
        try requireAccess()
        let format = commit.hash.utf8.count == 64 ? ["--object-format=sha256"] : []
        let make = ["init", "--quiet", "--template="] + format + ["--", Self.folder.string]
        try await explaining("failed to make a repository for remote") { _ = try await git.run(make, step: step) }
        try await fetch(commit, step: step)
    }

    private func run(_ arguments: [String], _ step: StepReporter?) async throws -> String {
        try await git.run(arguments, in: Self.folder, step: step)
    }

    /// Fetches as little as the server allows: the commit by its ref, by its hash, and else all branches and tags.
    private func fetch(_ commit: GitCommit, step: StepReporter) async throws {
        let shallow = ["fetch", "--quiet", "--depth=1", "--no-recurse-submodules", "--force"]
        let remote = ["--", remote]
        var attempts: [[String]] = []
        if let ref = commit.ref {
            attempts.append(shallow + ["--no-tags"] + remote + ["+\(ref):\(Self.localRef)"])
        }
        // The tags are of use to those who get to see the repository.
        let tags = commit.ref == nil && source.keepsGitDirectory ? "--tags" : "--no-tags"
        attempts.append(shallow + [tags] + remote + [commit.hash])
        attempts.append(
            ["fetch", "--quiet", "--tags", "--no-recurse-submodules", "--force"] + remote + [
                "+refs/heads/*:refs/remotes/origin/*"
            ] + (commit.ref.map { ["+\($0):\(Self.localRef)"] } ?? []))
        try await explaining("failed to fetch remote") {
            var failure = GitCommand.Failed(reason: "it has no commit \(commit.hash)")
            for attempt in attempts {
                do {
                    _ = try await run(attempt, step)
                    // The ref may have moved since it was asked for.
                    _ = try await run(["cat-file", "-e", "\(commit.hash)^{commit}"], nil)
                    return
                } catch let error as GitCommand.Failed {
                    failure = error
                }
            }
            throw failure
        }
    }

    private func updateSubmodules(_ step: StepReporter) async throws {
        guard try Directory(opening: files).statusIfExists(".gitmodules")?.type == .regular else { return }
        let update = ["submodule", "--quiet", "update", "--init", "--recursive"]
        try await explaining("failed to update submodules of remote") {
            // A plain file server cannot give a part of a repository.
            do { _ = try await run(update + ["--depth=1"], step) } catch is GitCommand.Failed {
                _ = try await run(update, step)
            }
        }
    }

    /// Leaves in the repository nothing that is about the fetching.
    private func tidy(_ step: StepReporter) async throws {
        _ = try await run(["update-ref", "-d", Self.localRef], step)
        try await offload { [files] in
            let repository = try Directory(opening: files.appending(".git"))
            for name in ["FETCH_HEAD", "ORIG_HEAD", "logs"] { try repository.removeTree(PathBytes(name)) }
        }
    }

    // MARK: Messages

    private func explaining<Value>(_ what: String, _ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as GitCommand.Failed {
            throw ContextsError(.git, "\(what) \(remote): \(error.reason)", hint: hint(error.reason), cause: error)
        }
    }

    /// The hint for a refusal, where Git's message is one.
    private func hint(_ reason: String) -> String? {
        if source.isSSH { return SSHAccess.hint(reason, remote) }
        guard let url else { return nil }
        if reason.contains("error: 30") {
            return "Name the address that the server points to: a login is not taken along to another."
        }
        let refusals = ["could not read Username", "Authentication failed", "error: 401", "error: 403"]
        guard refusals.contains(where: reason.contains) else { return nil }
        if let login { return "Check the secret \(login.secret)." }
        return "Give a token for it with --secret id=\(RemoteLogin.repositorySecret(url)),src=FILE."
    }
}

extension GitSource {
    /// The address of the repository, without the login of its URL. Over SSH a user's name is no secret, and part of the place.
    package var publicRemote: String {
        guard !isSSH, let start = remote.firstRange(of: "://")?.upperBound else { return remote }
        let authority = remote[start...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return remote }
        return String(remote[..<start] + remote[remote.index(after: at)...])
    }
}
