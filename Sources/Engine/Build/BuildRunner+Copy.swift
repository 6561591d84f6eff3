import Diagnostics
import DockerfileSyntax
import Graph
import Images
import Layers
import Linux
import OCI
import Solver
import Store
import Trees

extension BuildRunner {
    /// COPY and ADD: the layer is written straight from the sources, onto a base that need not be unpacked.
    func copy(_ copy: CopyOperation, inputs: [StepResult], of vertex: VertexID) async throws -> LayerStack {
        var sources: [any FileTree] = []
        for input in inputs.dropFirst() { sources.append(try await sourceTree(input)) }
        let state = inputs[0].state
        let owner = try await self.owner(copy.owner, in: state, hasAccounts: !state.layers.isEmpty)
        let base = try await snapshots.tree(of: state)
        let diffID = try await offload { [self, sources] in
            let planner = try CopyPlanner(copy, owner: owner, now: now.fileTime)
            var draft = LayerDraft(on: base)
            // The unpacked archives must stay until their files are in the layer.
            var archives: [UnpackedArchive] = []
            // Hard links are kept within what one match copies, with --parents that is all that a word selects below a
            // directory, but not between matches.
            var number = 0
            for source in copy.sources {
                switch source {
                case .inline(let file): try planner.write(file, into: &draft)
                case .path(let word, let input):
                    let tree = sources[input - 1]
                    let matches = try SourceMatcher(tree: tree, keepsParents: copy.keepsParents).matches(word)
                    for match in matches {
                        number += 1
                        if let context = tree as? ContextTree, match.node.entry.kind == .regular,
                            !context.isAsRead(match.node)
                        {
                            keys.noteChange(under: vertex)
                        }
                        if copy.archives.unpacks(inputs[input]),
                            let archive = try UnpackedArchive(match.node, in: tree, store: store)
                        {
                            try planner.unpack(archive.tree, copy: number, into: &draft)
                            archives.append(archive)
                        } else {
                            try planner.copy(match, from: tree, copy: number, into: &draft)
                        }
                    }
                }
            }
            if draft.hasChangedFiles { keys.noteChange(under: vertex) }
            return try withExtendedLifetime(archives) { try storage.write(draft) }
        }
        return state.adding(diffID, created: now)
    }

    /// WORKDIR: what is missing of the path is made, owned by the stage's user.
    func makeDirectory(_ directory: MakeDirectoryOperation, on state: LayerStack) async throws -> LayerStack {
        // Unlike a command, WORKDIR takes a user it does not find for root.
        let owner = try await self.owner(directory.owner, in: state, hasAccounts: true)
        let tree = try await snapshots.tree(of: state)
        let diffID = try await offload { [self] in
            var draft = LayerDraft(on: tree)
            let path = try draft.resolve(PathBytes(directory.path))
            let existing = draft.entry(at: path)
            if let existing, existing.kind != .directory {
                throw TreesError(.copyConflict, "mkdir /\(path): not a directory")
            }
            if existing == nil {
                try draft.makeDirectory(
                    path, NewDirectory(owner: owner ?? FileOwner(uid: 0, gid: 0), modified: now.fileTime))
            }
            return try storage.write(draft)
        }
        return state.adding(diffID, created: now)
    }

    /// The owner that `--chown` or USER names, by the account files of the root file system it is about.
    private func owner(_ text: String?, in state: LayerStack, hasAccounts: Bool) async throws -> FileOwner? {
        guard let text, !text.isEmpty else { return nil }
        let spec = OwnerSpec(text)
        guard hasAccounts || !spec.hasNames else {
            throw EngineError(
                .badOwner, "invalid user index: -1",
                hint: "Give --chown numbers: there is no passwd file to find the name in.")
        }
        let accounts = spec.hasNames ? try await accounts(of: state) : UserDatabase(passwd: nil, group: nil)
        let owner = spec.resolve(in: accounts)
        return FileOwner(uid: owner.uid, gid: owner.gid)
    }

    /// The accounts in a root's `/etc/passwd` and `/etc/group`.
    func accounts(of state: LayerStack) async throws -> UserDatabase {
        try await snapshots.accounts(of: state)
    }
}

extension LayerDraft {
    /// Whether it has files of a context that are not what they were when the keys of the step were made.
    fileprivate var hasChangedFiles: Bool {
        files.values.contains { file in
            guard case .file(let node, let tree as ContextTree) = file.content else { return false }
            return !tree.isAsRead(node)
        }
    }
}

extension ArchiveHandling {
    /// Whether an archive among the files of an input is unpacked.
    fileprivate func unpacks(_ input: StepResult) -> Bool {
        switch (self, input) {
        case (.copy, _): false
        case (.unpack, .context), (.unpackAll, .context), (.unpackAll, .remoteFile): true
        case (.unpack, _), (.unpackAll, _): false
        }
    }
}
