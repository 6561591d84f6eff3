import Execution
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
