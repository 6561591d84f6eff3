import Diagnostics
import Linux
package import Requests
package import Sandbox
package import Store
package import SystemPackage
import Trees

extension HostVolume {
    /// The mount for a sandbox, and what must stay until its command has ended.
    package func mount(in store: StoreRoot) throws -> (SandboxMount, held: TemporaryDirectory?) {
        guard access == .discarding else {
            let mount = SandboxMount(target: target, source: .bind(source), isReadOnly: access == .readOnly)
            return (mount, nil)
        }
        guard try FileStatus(of: source).type == .directory else {
            throw ExecutionError(.badVolume, "the volume option O is for directories, and \(source) is none")
        }
        let directory = try store.temporaryDirectory()
        let tree = try SandboxTree.discarding(over: [source], in: directory.path)
        return (SandboxMount(target: target, source: .tree(tree, path: "/"), isReadOnly: false), directory)
    }
}

extension SandboxTree {
    /// An overlay on `lowers`, top first and at least one, whose changes are discarded with the empty `directory`.
    ///
    /// The root of the overlay has the owner and the permissions of the top one.
    package static func discarding(over lowers: [FilePath], in directory: FilePath) throws -> SandboxTree {
        let status = try FileStatus(of: lowers[0])
        let opened = try Directory(opening: directory)
        try opened.makeDirectory("upper", permissions: 0o755)
        try opened.setOwner("upper", status.owner, status.group)
        try opened.setPermissions("upper", status.permissions)
        try opened.makeDirectory("work", permissions: 0o700)
        return .overlay(lowers: lowers, upper: directory.appending("upper"), work: directory.appending("work"))
    }
}
