import Contexts
import Graph
import Linux
import OCI
import Records
import Solver
import Store
import Trees

/// Sources of ADD that are not in the build context.
extension BuildRunner {
    /// The key of a file of the web: its checksum if one is given, otherwise the file that the server has now.
    func key(of source: HTTPSource, label: String) async throws -> Digest {
        var key = KeyHasher("http/1")
        key.add(source.fileName)
        key.add(source.permissions)
        key.add(source.owner)
        key.add(source.group)
        if let checksum = source.checksum {
            key.add(checksum, as: .content)
        } else {
            let file = try await remotes.current(source, label: label)
            key.add(file.digest, as: .content)
            key.add(file.modified.map { "\($0)" })
        }
        key.note(.url, Redaction.withoutLogins(source.url))
        return journal.finish(key)
    }

    /// The key of a repository's files: the commit, wherever it comes from.
    func key(of source: GitSource) async throws -> Digest {
        let commit = try await remotes.commit(of: source)
        var key = KeyHasher("git/1")
        key.add(commit.hash, as: .commit)
        key.add(source.subdirectory)
        key.add(source.includesSubmodules)
        key.add(source.times.rawValue)
        // The repository itself remembers what it came from.
        key.add(source.keepsGitDirectory ? source.publicRemote : nil)
        key.add(source.keepsGitDirectory ? source.ref : nil)
        key.note(.url, Redaction.withoutLogins(source.remote))
        return journal.finish(key)
    }

    func fetch(_ source: HTTPSource, label: String, step: StepReporter) async throws -> RemoteFileTree {
        let file =
            if let checksum = source.checksum {
                try await remotes.proven(source, by: checksum, step: step)
            } else {
                try await remotes.current(source, label: label)
            }
        return RemoteFileTree(source: source, file: file, store: store)
    }

    /// The files of a commit as a layer on nothing.
    func fetch(_ source: GitSource, step: StepReporter) async throws -> LayerStack {
        try await remotes.layer(of: source, now: now, step: step)
    }
}
