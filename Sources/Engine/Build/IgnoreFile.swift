import Diagnostics
import DockerfileSyntax
import Frontend
import Linux
import SystemPackage

/// The ignore file of a build, or that there is none.
struct IgnoreFile: Sendable {
    /// Where it is; `nil` if there is none, and then nothing is ignored.
    let path: FilePath?
    let rules: IgnoreRules
    /// Its size in bytes.
    let size: Int

    /// Reads the ignore file beside the Dockerfile, else that of the context.
    ///
    /// Throws ``FrontendError`` `.syntax`, with the line, for a pattern that is none.
    init(dockerfile: FilePath?, context: FilePath) throws {
        let own = dockerfile.map { FilePath("\($0).dockerignore") }
        for path in [own, context.appending(".dockerignore")].compactMap({ $0 }) {
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
    /// Throws ``EngineError`` `.contextNotFound` unless the context is a directory.
    func requireContext() throws {
        do { _ = try Directory(opening: context) } catch let error as LinuxError where error.code == .notFound {
            let problem = error.errno == .notDirectory ? "is not a directory" : "not found"
            throw EngineError(
                .contextNotFound, "unable to prepare context: path \"\(context)\" \(problem)",
                hint: "Give the directory with the files of the build.")
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
