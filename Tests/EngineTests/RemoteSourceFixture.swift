import Diagnostics
import Frontend
import Images
import Layers
import Linux
import OCI
import Registry
import Requests
import Solver
import Store
import Synchronization
import SystemPackage
import Trees

@testable import Engine

/// A store, an empty build context and a server, all gone at the end.
struct RemoteSourceFixture {
    let root: FilePath
    let server: RemoteSourceServer

    var store: FilePath { root.appending("store") }

    static func with<Value>(_ body: (RemoteSourceFixture) async throws -> Value) async throws -> Value {
        let scratch = try Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let root = scratch.path
        for directory in ["context", "www", "www/git"] {
            try Directory(opening: root).makeDirectory(PathBytes(directory), permissions: 0o755)
        }
        return try await RemoteSourceServer.with(root.appending("www")) { server in
            try await body(RemoteSourceFixture(root: root, server: server))
        }
    }

    /// The result of a build: its files by path, and the outcome of each step by its label.
    struct Result {
        let files: [String: LayerEntry]
        let contents: [String: [UInt8]]
        let steps: [String: StepOutcome]

        func text(_ path: String) -> String? { contents[path].map { String(decoding: $0, as: UTF8.self) } }

        /// How the step ended whose label has this in it.
        func outcome(_ part: String) -> StepOutcome? { steps.first { $0.key.contains(part) }?.value }
    }

    /// Builds these lines, on `FROM scratch` if they start from nothing themselves.
    func build(
        _ lines: String, environment: [String: String] = ProcessVariables.network, secrets: [String: String] = [:],
        agents: [AgentSocket] = []
    ) async throws -> Result {
        let lines = lines.replacing("$URL", with: server.url)
        let text = lines.contains("FROM") ? "\(lines)\n" : "FROM scratch\n\(lines)\n"
        let dockerfile = root.appending("context/Dockerfile")
        try writeFile(Array(text.utf8), dockerfile)
        var request = BuildRequest(context: root.appending("context"))
        request.agents = agents
        request.secrets = secrets.map { BuildSecret(id: $0, source: .value($1)) }
        return try await run(request, environment: environment)
    }

    /// Builds what a request says, for its files alone.
    func run(
        _ request: BuildRequest, environment: [String: String] = ProcessVariables.network
    ) async throws -> Result {
        let archive = root.appending("out.tar")
        var request = request
        request.outputs = [.tar(archive)]
        let labels = Mutex<[StepID: String]>([:])
        let steps = Mutex<[String: StepOutcome]>([:])
        let progress = ProgressReporter { event in
            switch event {
            case .started(let step, let label, _): labels.withLock { $0[step] = label }
            case .finished(let step, let outcome):
                let label = labels.withLock { $0[step] ?? "" }
                steps.withLock { $0[label] = outcome }
            default: break
            }
        }
        let store = try StoreRoot(at: store)
        var options = RegistryClient.Options()
        options.retry = RetryPolicy(sleep: { _ in try Task.checkCancellation() })
        let registry = RegistryAccess(environment: environment, options: options)
        let images = ImageTransfer(store: store, registry: registry)
        do {
            _ = try await Build(request, store: store, images: images, progress: progress).run()
            try await registry.shutdown()
        } catch {
            try await registry.shutdown()
            throw error
        }
        let (files, contents) = try Self.read(archive)
        return Result(files: files, contents: contents, steps: steps.withLock { $0 })
    }

    private static func read(_ archive: FilePath) throws -> ([String: LayerEntry], [String: [UInt8]]) {
        var reader = try LayerReader(DescriptorStream(try OwnedDescriptor.open(archive)), readsMarks: false)
        var files: [String: LayerEntry] = [:]
        var contents: [String: [UInt8]] = [:]
        while let entry = try reader.next() {
            files[entry.path.text] = entry
            guard entry.kind == .regular, entry.size <= 1 << 20 else { continue }
            var bytes: [UInt8] = []
            try reader.readContent { span in for index in span.indices { bytes.append(span[index]) } }
            contents[entry.path.text] = bytes
        }
        return (files, contents)
    }

    /// The error of a build that must fail.
    func failure(
        _ lines: String, environment: [String: String] = ProcessVariables.network, secrets: [String: String] = [:],
        agents: [AgentSocket] = []
    ) async throws -> any AnyFailure {
        do {
            _ = try await build(lines, environment: environment, secrets: secrets, agents: agents)
        } catch let error as any AnyFailure {
            return error
        }
        throw BuildDidNotFail()
    }

    struct BuildDidNotFail: Error {}
}

/// The environment of builds in tests: no proxy, and `git` is found.
enum ProcessVariables {
    static let network = ["PATH": RemoteSourceServer.searchPath]
}
