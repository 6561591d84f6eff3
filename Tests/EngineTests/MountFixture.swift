import Diagnostics
import Engine
import Glibc
import Images
import Layers
import Linux
import OCI
import Requests
import Solver
import Store
import Synchronization
import SystemPackage
import Trees

/// A context, and a store that outlives one build, for Dockerfiles whose commands have mounts.
final class MountFixture: Sendable {
    /// Holds everything; removed at the end.
    let path: FilePath
    /// The store may be opened again: every build does, as every process would.
    var root: FilePath { path.appending("store") }
    var context: FilePath { path.appending("context") }

    init(context lines: [String] = []) throws {
        // In memory where that is possible: a store syncs.
        let parent: FilePath = (try? Directory(opening: "/dev/shm")) != nil ? "/dev/shm" : "/tmp"
        let name = "lamina-mounts-\(ProcessIdentity.current)-\(UInt64.random(in: 0 ... .max))"
        path = parent.appending(name)
        try Directory(opening: parent).makeDirectory(PathBytes(name), permissions: 0o755)
        try FileLines.make(lines, in: context)
    }

    deinit {
        try? Directory(opening: path.removingLastComponent()).removeTree(PathBytes(path.lastComponent?.string ?? ""))
    }

    /// The result of a build.
    struct Outcome: Sendable {
        /// The output of the commands.
        var log = ""
        /// The labels of the steps that were done, and of those whose result was known.
        var ran: [String] = []
        var cached: [String] = []
        var error: (any AnyFailure)?
        /// The paths of the result's files.
        var paths: [String] = []
    }

    /// Builds a Dockerfile. What fails is in the outcome.
    func build(
        _ dockerfile: String, secrets: [BuildSecret] = [], agents: [AgentSocket] = [], name: String = "one"
    ) async throws -> Outcome {
        let file = path.appending("Dockerfile.\(name)")
        try write(dockerfile, to: file)
        var request = BuildRequest(context: context)
        request.dockerfile = file
        request.secrets = secrets
        request.agents = agents
        let archive = path.appending("result.\(name).tar")
        request.outputs = [.tar(archive)]
        let record = Recorder()
        let store = try StoreRoot(at: root)
        let images = ImageTransfer(store: store, registry: RegistryAccess(environment: [:]))
        do {
            let progress = ProgressReporter { record.receive($0) }
            _ = try await Build(request, store: store, images: images, progress: progress).run()
        } catch let error as any AnyFailure {
            var outcome = record.outcome
            outcome.error = error
            return outcome
        }
        var outcome = record.outcome
        var reader = try LayerReader(DescriptorStream(try OwnedDescriptor.open(archive)), readsMarks: false)
        while let entry = try reader.next() { outcome.paths.append(entry.path.text) }
        return outcome
    }

    /// Writes a file of the context, over what is there.
    func write(_ text: String, named name: String) throws { try write(text, to: context.appending(name)) }

    private func write(_ text: String, to path: FilePath) throws {
        let file = try OwnedDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o644))
        try file.write(Array(text.utf8).span)
    }

    /// Whether a text is anywhere in the files of the store, but for large ones.
    func storeHolds(_ text: String) throws -> Bool {
        try holds(Array(text.utf8), "store", in: Directory(opening: path))
    }

    private func holds(_ bytes: [UInt8], _ name: PathBytes, in directory: borrowing Directory) throws -> Bool {
        guard let status = try directory.statusIfExists(name) else { return false }
        switch status.type {
        case .directory:
            let child = try directory.directory(name, resolving: .noSymlinks)
            for name in try child.names() where try holds(bytes, name, in: child) { return true }
            return false
        case .regular:
            // What is larger is the base image's program.
            guard status.size < 1 << 20 else { return false }
            return try directory.open(name).readAll(limit: 1 << 20).firstRange(of: bytes) != nil
        default: return false
        }
    }
}

/// Keeps what a build reports.
private final class Recorder: Sendable {
    private struct State {
        var labels: [StepID: String] = [:]
        var outcome = MountFixture.Outcome()
        var log: [UInt8] = []
    }

    private let state = Mutex(State())

    func receive(_ event: BuildEvent) {
        state.withLock { state in
            switch event {
            case .started(let step, let label, _): state.labels[step] = label
            case .output(_, _, let bytes): state.log += bytes
            case .finished(let step, .cached): state.outcome.cached.append(state.labels[step] ?? "")
            case .finished(let step, .done): state.outcome.ran.append(state.labels[step] ?? "")
            case .finished, .status, .warning: break
            }
        }
    }

    var outcome: MountFixture.Outcome {
        state.withLock { state in
            var outcome = state.outcome
            outcome.log = String(decoding: state.log, as: UTF8.self)
            return outcome
        }
    }
}
