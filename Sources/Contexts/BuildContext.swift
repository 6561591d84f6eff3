import Diagnostics
package import Frontend
import Glibc
import Graph
import Linux
import Requests
import Store
import Synchronization
package import SystemPackage
import Trees

/// The files of a build, ready to be read.
package struct BuildContext: Sendable {
    package let directory: FilePath
    /// Whether it is the user's own directory: one whose ignore file counts, and whose files are known again by their
    /// inodes.
    package let isLocal: Bool
    /// The Dockerfile, where it came along and is not among the files.
    package let definition: DockerfileSource?
    /// The time at which the files were made, in seconds since 1970, if that is known at once.
    package let time: Int64?
    /// The owner of the directory.
    package let held: (any AnyObject & Sendable)?

    /// Whether the directory is gone after the build.
    package var isTemporary: Bool { held != nil }

    package init(
        _ directory: FilePath, isLocal: Bool = false, definition: DockerfileSource? = nil, time: Int64? = nil,
        held: (any AnyObject & Sendable)? = nil
    ) {
        self.directory = directory
        self.isLocal = isLocal
        self.definition = definition
        self.time = time
        self.held = held
    }

    /// The context that is one of this one's directories; no link leads there.
    ///
    /// - Throws: ``ContextsError`` `.contextNotFound`.
    package func directory(_ path: FilePath) throws -> BuildContext {
        let relative = PathBytes(path.components.map(\.string).joined(separator: "/"))
        do { _ = try Directory(opening: directory).directory(relative, resolving: .noSymlinks) } catch {
            throw ContextsError(
                .contextNotFound, "the build context has no directory '\(path)'",
                hint: "Name a directory of the context with --context-sub-path.", cause: error)
        }
        return BuildContext(
            directory.appending(path.components), isLocal: isLocal, definition: definition, time: time, held: held)
    }
}
