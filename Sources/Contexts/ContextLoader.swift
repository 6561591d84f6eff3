import Diagnostics
import Frontend
package import Graph
package import Images
import Layers
import Linux
package import OCI
package import Requests
package import Solver
package import Store
import SystemPackage
import Trees

/// Brings the files of contexts to where they can be read.
package struct ContextLoader: Sendable {
    package let store: StoreRoot
    package let remotes: RemoteSources
    package let snapshots: SnapshotUnpacker

    package init(store: StoreRoot, remotes: RemoteSources, snapshots: SnapshotUnpacker) {
        self.store = store
        self.remotes = remotes
        self.snapshots = snapshots
    }

    package func load(_ location: ContextLocation) async throws -> BuildContext {
        switch location {
        case .directory(let path): BuildContext(path, isLocal: true)
        case .standardInput: try await loadStandardInput()
        case .git(let source, let label): try await load(source, label: label)
        case .http(let source, let label): try await load(source, label: label)
        case .archive(let path): try await load(archive: path)
        case .object(let object):
            try await load(
                try await remotes.file(object, label: "[internal] load build context from \(object)"),
                named: FilePath(object.key).lastComponent?.string ?? "Dockerfile")
        }
    }

    private func loadStandardInput() async throws -> BuildContext {
        try await remotes.progress.step("[internal] load remote build context") { _ in
            try await offload { [store] in
                let input = try StandardInput.stream()
                let start = try ContextArchive.start(of: input)
                guard !start.isEmpty else {
                    throw ContextsError(
                        .badContext, "the standard input is empty", hint: "Pipe a Dockerfile or a tar archive into it.")
                }
                let whole = PrefixedStream(start[...], input)
                if ContextArchive.isArchive(start) { return try Self.unpacked(whole, in: store) }
                let text = try Self.text(whole)
                let empty = try store.temporaryDirectory()
                return BuildContext(
                    empty.path, definition: DockerfileSource(name: "Dockerfile", bytes: text), held: empty)
            }
        }
    }

    private static func unpacked(_ source: any ByteStream, in store: StoreRoot) throws -> BuildContext {
        let archive = try ContextArchive(unpacking: source, in: store)
        return BuildContext(archive.directory.path, time: archive.newest, held: archive)
    }

    private static func text(_ source: any ByteStream) throws -> [UInt8] {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try source.read(into: &buffer)
            if count == 0 { return text }
            text += buffer[..<count]
            guard text.count <= DefinitionFile.limit else {
                throw ContextsError(.badContext, "the Dockerfile is larger than 64 MiB")
            }
        }
    }

    private func load(_ source: HTTPSource, label: String) async throws -> BuildContext {
        try await load(try await remotes.current(source, label: label), named: source.fileName)
    }

    /// An archive is unpacked anew for each build; that it is not fetched anew is the business of the store.
    private func load(_ file: RemoteFile, named name: String) async throws -> BuildContext {
        try await offload { [store] in
            guard let content = try store.content.open(file.digest) else {
                throw ContextsError(.corrupt, "the store has lost the build context", hint: "Build again.")
            }
            let stream = DescriptorStream(content)
            let start = try ContextArchive.start(of: stream)
            let whole = PrefixedStream(start[...], stream)
            if ContextArchive.isArchive(start) {
                let context = try Self.unpacked(whole, in: store)
                return BuildContext(
                    context.directory, time: context.time ?? file.modified, held: context.held)
            }
            let text = try Self.text(whole)
            let directory = try store.temporaryDirectory()
            try FileSystem.write(text, to: directory.path.appending(name))
            return BuildContext(
                directory.path, definition: DockerfileSource(name: name, bytes: text),
                time: file.modified, held: directory)
        }
    }

    private func load(archive path: FilePath) async throws -> BuildContext {
        try await remotes.progress.step("[internal] load build context from \(path)") { _ in
            try await offload { [store] in
                let stream: DescriptorStream
                do { stream = DescriptorStream(try OwnedDescriptor.open(path)) } catch let error as LinuxError {
                    throw ContextsError(
                        .contextNotFound, "the archive with the build context '\(path)' cannot be read",
                        hint: "Name a file with a tar archive.", cause: error)
                }
                let start = try ContextArchive.start(of: stream)
                guard ContextArchive.isArchive(start) else {
                    throw ContextsError(
                        .badContext, "'\(path)' is no tar archive", hint: "Name a file with a tar archive.")
                }
                return try Self.unpacked(PrefixedStream(start[...], stream), in: store)
            }
        }
    }

    /// The files of a commit are a layer of the store, which is unpacked once.
    private func load(_ source: GitSource, label: String) async throws -> BuildContext {
        let commit = try await remotes.commit(of: source)
        var hasher = KeyHasher("git-context/1")
        hasher.add(commit.hash)
        hasher.add(source.subdirectory)
        hasher.add(source.includesSubmodules)
        hasher.add(source.keepsGitDirectory ? source.publicRemote : nil)
        hasher.add(source.keepsGitDirectory ? source.ref : nil)
        let key = hasher.finish()
        let record = try await offload { [store] in try store.cache.record(for: key) }
        let known = record?.stack
        if known != nil { remotes.progress.begin(label).finish(.cached) }
        let state: LayerStack
        if let known {
            state = known
        } else {
            state = try await remotes.progress.step(label) { step in
                try await remotes.layer(of: source, now: .now, step: step)
            }
            try await offload { [store] in
                try store.cache.save(
                    CacheRecord(
                        key: key, kind: "git", description: label, stack: state, createdAt: .now))
            }
        }
        guard let files = try await snapshots.all(of: state).last?.directory else {
            throw ContextsError(.corrupt, "the layer of a Git repository has no directory")
        }
        return BuildContext(files.appending(PathBytes(GitSource.folder).lastComponent.text))
    }
}

extension RemoteSources {
    /// The files of a commit as a layer on nothing. Files have the time `now`, unless that of the commit is asked for.
    package func layer(of source: GitSource, now: Timestamp, step: StepReporter) async throws -> LayerStack {
        let commit = try await commit(of: source)
        let repository = try repository(source)
        let committed = try await repository.checkOut(commit, step: step)
        let time = source.times == .commit ? FileTime(seconds: committed) : now.fileTime
        let diffID = try await offload { [store] in
            try withExtendedLifetime(repository) {
                let tree = try CheckoutTree(repository.files, source, time: time, store: store)
                let all = CopyOperation(sources: [.path("/", input: 1)], destination: GitSource.folder)
                var draft = LayerDraft(on: LayerTree())
                let planner = try CopyPlanner(all, owner: nil, now: time)
                for match in try SourceMatcher(tree: tree, keepsParents: false).matches("/") {
                    try planner.copy(match, from: tree, copy: 0, into: &draft)
                }
                return try LayerStorage(store: store).write(draft)
            }
        }
        return LayerStack().adding(diffID, created: now)
    }
}
