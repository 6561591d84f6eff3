import Diagnostics
import Images
import Linux
import OCI
import Store
import Trees

/// The files of a step's inputs, with directories to read them from.
struct InputFiles: Sendable {
    let snapshots: SnapshotUnpacker

    func tree(of input: StepResult) async throws -> any FileTree {
        switch input {
        case .context(let tree): tree
        case .remoteFile(let tree): tree
        case .files(let stack): try await tree(of: stack)
        }
    }

    /// The files of layers, all of which are unpacked for it.
    func tree(of stack: LayerStack) async throws -> LayerFileTree {
        let unpacked = try await snapshots.all(of: stack)
        return LayerFileTree(tree: try await snapshots.tree(of: stack), directories: unpacked.map(\.directory))
    }

    /// The owner that `--chown` or USER names, by the account files of the root file system `state`.
    ///
    /// - Throws: ``EngineError`` `.badOwner` for a name where `hasAccounts` says that there are no account files.
    func owner(_ text: String?, in state: LayerStack, hasAccounts: Bool) async throws -> FileOwner? {
        guard let text, !text.isEmpty else { return nil }
        let spec = OwnerSpec(text)
        guard hasAccounts || !spec.hasNames else {
            throw EngineError(
                .badOwner, "invalid user index: -1",
                hint: "Give --chown numbers: there is no passwd file to find the name in.")
        }
        let accounts =
            spec.hasNames ? try await snapshots.accounts(of: state) : UserDatabase(passwd: nil, group: nil)
        let owner = spec.resolve(in: accounts)
        return FileOwner(uid: owner.uid, gid: owner.gid)
    }
}
