import Diagnostics
package import SystemPackage

/// A directory of the user's that may be in a checkout of a Git repository.
package struct LocalCheckout: Sendable {
    private let git: GitCommand

    package init(_ directory: FilePath, environment: [String: String]) {
        var git = GitCommand(directory: directory, environment: environment)
        git.staysInDirectory = false
        self.git = git
    }

    /// The time of the commit that is checked out, in seconds since 1970.
    ///
    /// Throws ``ContextsError`` `.noTime` where it says nothing about the files: there is no repository, or files differ
    /// from the commit.
    package func commitTime() async throws -> Int64 {
        let changes: String
        let time: String
        do {
            time = try await git.run(["log", "-1", "--format=%ct"])
            changes = try await git.run(["status", "--porcelain"])
        } catch let error as GitCommand.Failed {
            throw Self.noTime("the context is no Git checkout that can be read (\(error.reason))")
        } catch let error as ContextsError where error.code == .git {
            throw Self.noTime("the program 'git' is not installed")
        }
        if let line = changes.split(separator: "\n").first {
            throw Self.noTime("the checkout has changes ('\(line.dropFirst(3).prefix(200))')")
        }
        guard let seconds = Int64(time.split(separator: "\n").first ?? "") else {
            throw Self.noTime("the commit has no time")
        }
        return seconds
    }

    /// The address and the commit of the checkout, as buildx names them in provenance; nothing where there is none.
    package func facts() async -> [String: String] {
        guard let hash = try? await git.run(["rev-parse", "HEAD"]).split(separator: "\n").first else { return [:] }
        let changes = try? await git.run(["status", "--porcelain", "--untracked-files=no"])
        var facts = ["revision": changes?.isEmpty == false ? "\(hash)-dirty" : String(hash)]
        let remote = try? await git.run(["config", "--get", "remote.origin.url"]).split(separator: "\n").first
        facts["source"] = remote.map(String.init)
        return facts
    }

    private static func noTime(_ reason: String) -> ContextsError {
        ContextsError(
            .noTime, "--reproducible needs a time for the image, and \(reason)",
            hint: "Set SOURCE_DATE_EPOCH, or build from a Git checkout without changes.")
    }
}
