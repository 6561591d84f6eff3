import Diagnostics
import Linux
package import SystemPackage

/// The files of this machine that a build is started with.
package enum LocalFiles {
    /// Requires that the context `path` is a directory; `name` is that of a context which is not the build's own.
    ///
    /// - Throws: ``ContextsError`` `.contextNotFound`.
    package static func requireContext(_ path: FilePath, named name: String? = nil) throws {
        do { _ = try Directory(opening: path) } catch let error as LinuxError where error.code == .notFound {
            let problem = error.errno == .notDirectory ? "is not a directory" : "not found"
            throw ContextsError(
                .contextNotFound,
                name.map { "failed to get build context \($0): path \"\(path)\" \(problem)" }
                    ?? "unable to prepare context: path \"\(path)\" \(problem)",
                hint: "Give the directory with the files of the \(name == nil ? "build" : "context").")
        }
    }

    /// The names of a Dockerfile that is not named; the first that is there counts.
    package static let dockerfileNames = ["Dockerfile", "dockerfile", "Containerfile"]

    /// The Dockerfile that is `chosen`; without one the first of ``dockerfileNames`` that is in the context.
    ///
    /// - Throws: ``ContextsError`` `.dockerfileNotFound`.
    package static func dockerfile(_ chosen: FilePath?, in context: FilePath) throws -> FilePath {
        let candidates = chosen.map { [$0] } ?? dockerfileNames.map { context.appending($0) }
        for path in candidates where try isFile(path) { return path }
        throw ContextsError(
            .dockerfileNotFound, "failed to read dockerfile: open \(candidates[0]): no such file or directory",
            hint: "Name the file with -f, or the directory that has it.")
    }

    /// Whether there is a file; anything else of that name is an error. A fifo is not waited for.
    package static func isFile(_ path: FilePath) throws -> Bool {
        let type: Linux.FileType
        do {
            type = try OwnedDescriptor.open(path, options: .nonBlocking).status().type
        } catch let error as LinuxError where error.code == .notFound {
            return false
        }
        guard type == .regular else {
            throw ContextsError(
                .dockerfileNotFound,
                "failed to read '\(path)': it is \(type == .directory ? "a directory" : "not a regular file")",
                hint: "Name a file with -f.")
        }
        return true
    }
}
