import Diagnostics
import Graph
import Linux
import Sandbox
import Store
import SystemPackage
import Trees

extension BuildRunner {
    /// A bind mount as a copy, which is the command's own: what it writes there is lost either way.
    func addCopy(
        of bind: BindMount, _ input: StepResult, isMounted: Bool, to prepared: inout PreparedMounts
    ) async throws {
        let tree = try await sourceTree(input)
        let directory = try await offload { [store] in
            let node = try Self.bindSource(bind, in: tree)
            let directory = try store.temporaryDirectory()
            var copy = try TreeCopy(of: tree, into: directory.path)
            copy.makesDevices = false
            try copy.copy(node, to: "copy")
            return directory
        }
        prepared.held.append(directory)
        let (target, copy) = (FilePath(bind.target), directory.path.appending("copy"))
        if isMounted {
            prepared.mounts.append(SandboxMount(target: target, source: .bind(copy), isReadOnly: bind.isReadOnly))
        } else {
            prepared.substitutes.append(ChrootSubstitute(target: target, content: .moved(copy)))
        }
    }
}

extension PreparedMounts {
    /// A cache: its directory itself, or a copy where the command must not change it.
    ///
    /// Throws ``EngineError`` `.unsupported` for one directory in two places.
    mutating func add(_ mount: CacheMount, lentFrom directory: FilePath, _ path: FilePath) throws {
        // A link that a command left in the cache leads to where it would lead in there.
        let opened = try Directory(opening: directory).open(PathBytes(path.string), resolving: .inRoot)
        let source = path == "/" ? directory : FilePath(try opened.path().text)
        if mount.isReadOnly {
            substitutes.append(ChrootSubstitute(target: FilePath(mount.target), content: .copy(source)))
            return
        }
        let isLent = substitutes.contains { substitute in
            guard case .cache(let other) = substitute.content else { return false }
            return other.starts(with: directory)
        }
        guard !isLent else {
            throw EngineError(
                .unsupported, "the cache '\(mount.id)' cannot be in two places where nothing can be mounted",
                hint: "Mount it once, or use an isolation that can mount, see 'lamina doctor'.")
        }
        substitutes.append(ChrootSubstitute(target: FilePath(mount.target), content: .cache(source)))
    }
}
