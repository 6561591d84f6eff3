import Requests
import Diagnostics
import DockerfileSyntax
import Frontend
import Linux
import SystemPackage
import Trees

/// The ignore file of a build, or that there is none.
struct IgnoreFile: Sendable {
    /// Where it is; `nil` if there is none, and then nothing is ignored.
    let path: FilePath?
    let rules: IgnoreRules
    /// Its size in bytes.
    let size: Int

    /// Nothing is ignored.
    static func none() throws -> IgnoreFile { try IgnoreFile(candidates: [], own: nil) }

    /// Reads the ignore file beside the Dockerfile, else that of the context; `chosen` goes before both, and has to be
    /// there.
    ///
    /// Throws ``FrontendError`` `.syntax`, with the line, for a pattern that is none.
    init(dockerfile: FilePath?, context: FilePath, chosen: FilePath? = nil) throws {
        if let chosen {
            try self.init(chosen: chosen)
            return
        }
        let own = dockerfile.map { FilePath("\($0).dockerignore") }
        try self.init(candidates: [own, context.appending(".dockerignore")].compactMap(\.self), own: own)
    }

    /// Reads the one file that counts.
    ///
    /// Throws ``EngineError`` `.badContext` if it is not there, and ``FrontendError`` `.syntax` for a bad pattern.
    init(chosen: FilePath) throws {
        try self.init(candidates: [chosen], own: chosen)
        guard path != nil else {
            throw EngineError(.badContext, "the ignore file \(chosen) is not there", hint: "Check --ignorefile.")
        }
    }

    private init(candidates: [FilePath], own: FilePath?) throws {
        for path in candidates {
            guard try BuildRequest.isFile(path) else { continue }
            let bytes = try OwnedDescriptor.open(path).readAll(limit: 16 << 20)
            do { rules = try IgnoreRules(parsing: bytes) } catch {
                throw FrontendError(error, file: path == own ? path.string : ".dockerignore")
            }
            self.path = path
            size = bytes.count
            return
        }
        path = nil
        rules = try IgnoreRules(patterns: [])
        size = 0
    }
}

extension BuildRequest {
    /// Throws ``EngineError`` `.contextNotFound` unless the context is a directory; `name` is that of a context which
    /// is not the build's own.
    func requireContext(named name: String? = nil) throws {
        do { _ = try Directory(opening: context) } catch let error as LinuxError where error.code == .notFound {
            let problem = error.errno == .notDirectory ? "is not a directory" : "not found"
            throw EngineError(
                .contextNotFound,
                name.map { "failed to get build context \($0): path \"\(context)\" \(problem)" }
                    ?? "unable to prepare context: path \"\(context)\" \(problem)",
                hint: "Give the directory with the files of the \(name == nil ? "build" : "context").")
        }
    }

    /// The file asked for; without one `Dockerfile`, or `dockerfile` where only that is there.
    ///
    /// Throws ``EngineError`` `.dockerfileNotFound`.
    func dockerfilePath() throws -> FilePath {
        let candidates = dockerfile.map { [$0] } ?? ["Dockerfile", "dockerfile"].map { context.appending($0) }
        for path in candidates where try Self.isFile(path) { return path }
        throw EngineError(
            .dockerfileNotFound, "failed to read dockerfile: open \(candidates[0]): no such file or directory",
            hint: "Name the file with -f, or the directory that has it.")
    }

    /// Whether there is a file; anything else of that name is an error. A fifo is not waited for.
    fileprivate static func isFile(_ path: FilePath) throws -> Bool {
        let type: Linux.FileType
        do {
            type = try OwnedDescriptor.open(path, options: .nonBlocking).status().type
        } catch let error as LinuxError where error.code == .notFound {
            return false
        }
        guard type == .regular else {
            throw EngineError(
                .dockerfileNotFound,
                "failed to read '\(path)': it is \(type == .directory ? "a directory" : "not a regular file")",
                hint: "Name a file with -f.")
        }
        return true
    }
}
