import Diagnostics
import Frontend
package import Graph
import Linux
package import SystemPackage
import Trees

/// The place of a context's files.
package enum ContextLocation: Hashable, Sendable {
    case directory(FilePath)
    /// An archive with the files, or a Dockerfile without any.
    case standardInput
    case git(GitSource, label: String)
    /// An archive with the files, or a Dockerfile.
    case http(HTTPSource, label: String)
    /// An archive with the files, in a file of this machine.
    case archive(FilePath)
    /// An archive with the files, in an object store.
    case object(S3Object)

    /// Parses `PATH`, `URL` or `-`. A directory of this machine goes before a repository that is named like it.
    ///
    /// - Throws: ``FrontendError`` `.invalid` for a reference to a repository with a bad query.
    package init(parsing text: String, keepsGitDirectory: Bool = false) throws {
        if text == "-" {
            self = .standardInput
            return
        }
        if !Self.isDirectory(text),
            let remote = try RemoteContext(text, keepsGitDirectory: keepsGitDirectory)
        {
            switch remote {
            case .git(let source): self = .git(source, label: remote.label)
            case .http(let source): self = .http(source, label: "[internal] load remote build context")
            }
            return
        }
        self = .directory(FilePath(text))
    }
}

extension ContextLocation {
    /// Parses the argument of a build: as ``init(parsing:keepsGitDirectory:)``, or kaniko's `dir://PATH`, `tar://FILE`,
    /// `tar://stdin` or `s3://BUCKET/KEY`. The environment says where a bucket is.
    ///
    /// - Throws: also ``RequestsError`` `.badContext` for an object that is not named.
    package init(argument text: String, keepsGitDirectory: Bool, environment: [String: String]) throws {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !Self.isDirectory(text) else {
            try self.init(parsing: text, keepsGitDirectory: keepsGitDirectory)
            return
        }
        switch (parts[0], parts[1]) {
        case ("dir", let path): self = .directory(FilePath(path))
        case ("tar", "stdin"): self = .standardInput
        case ("tar", let path): self = .archive(FilePath(path))
        case ("s3", _): self = .object(try S3Object(parsing: text, environment: environment))
        default: try self.init(parsing: text, keepsGitDirectory: keepsGitDirectory)
        }
    }

    private static func isDirectory(_ text: String) -> Bool {
        (try? FileStatus(of: FilePath(text)).type) == .directory
    }
}

/// The inputs of a build that its user names.
package struct BuildInputs: Hashable, Sendable {
    /// The origin of the Dockerfile, if it is no file.
    package enum Definition: Hashable, Sendable {
        case standardInput
        case url(HTTPSource)
    }

    /// `nil` is the directory that the request names.
    package var context: ContextLocation?
    /// The directory of ``context`` that has the files; `nil` for all of it.
    package var subdirectory: FilePath?
    package var definition: Definition?
    /// The ignore file, in place of the one that is looked for.
    package var ignoreFile: FilePath?
    package var contexts: [NamedContext] = []

    package init() {}

    /// - Throws: ``RequestsError`` `.badContext` when one and the same input is to be two things.
    package func check() throws {
        guard context == .standardInput, definition == .standardInput else { return }
        throw RequestsError(
            .badContext, "invalid argument: can't use stdin for both build context and dockerfile",
            hint: "Put the Dockerfile into the archive, or give the context as a directory.")
    }
}
