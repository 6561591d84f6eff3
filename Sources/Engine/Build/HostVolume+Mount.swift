import Requests
import Diagnostics
import Linux
import Sandbox
import Store
import SystemPackage
import Trees

extension HostVolume {
    /// The mount for a sandbox, and what must stay until its command has ended.
    func mount(in store: StoreRoot) throws -> (SandboxMount, held: TemporaryDirectory?) {
        guard access == .discarding else {
            let mount = SandboxMount(target: target, source: .bind(source), isReadOnly: access == .readOnly)
            return (mount, nil)
        }
        guard try FileStatus(of: source).type == .directory else {
            throw EngineError(.badVolume, "the volume option O is for directories, and \(source) is none")
        }
        let directory = try store.temporaryDirectory()
        let made = try BuildRunner.writableLayer(over: source, in: directory.path)
        let tree = SandboxTree.overlay(lowers: [source], upper: made.upper, work: made.work)
        return (SandboxMount(target: target, source: .tree(tree, path: "/"), isReadOnly: false), directory)
    }
}
