import Diagnostics
package import Graph
import Linux
import OCI
import Requests
package import Sandbox
import Store
package import SystemPackage
import Trees

/// The mounts of a command, and all that must stay until it has ended.
package struct PreparedMounts: Sendable {
    package var mounts: [SandboxMount] = []
    /// Substitutes for mounts where nothing can be mounted, as far as they take more than the mount itself says.
    package var substitutes: [ChrootSubstitute] = []
    /// Variables that hold secrets.
    package var variables: [(name: String, value: String)] = []
    /// Directories in use and locks on them.
    package var held: [any AnyObject & Sendable] = []

    package init(
        mounts: [SandboxMount] = [], substitutes: [ChrootSubstitute] = [],
        variables: [(name: String, value: String)] = [], held: [any AnyObject & Sendable] = []
    ) {
        self.mounts = mounts
        self.substitutes = substitutes
        self.variables = variables
        self.held = held
    }
}

extension PreparedMounts {
    /// A cache: its directory itself, or a copy where the command must not change it.
    ///
    /// Throws ``ExecutionError`` `.unsupported` for one directory in two places.
    package mutating func add(_ mount: CacheMount, from directory: FilePath, _ path: FilePath) throws {
        // A link that a command left in the cache leads to where it would lead in there.
        let opened = try Directory(opening: directory).open(PathBytes(path.string), resolving: .inRoot)
        let source = path == "/" ? directory : FilePath(try opened.path().text)
        if mount.isReadOnly {
            substitutes.append(
                ChrootSubstitute(target: FilePath(mount.target), content: .copy(source), isReadOnly: true))
            return
        }
        let isPlaced = substitutes.contains { substitute in
            guard case .cache(let other) = substitute.content else { return false }
            return other.starts(with: directory)
        }
        guard !isPlaced else {
            throw ExecutionError(
                .unsupported, "the cache '\(mount.id)' cannot be in two places where nothing can be mounted",
                hint: "Mount it once, or use an isolation that can mount, see 'lamina doctor'.")
        }
        substitutes.append(ChrootSubstitute(target: FilePath(mount.target), content: .cache(source)))
    }
}
