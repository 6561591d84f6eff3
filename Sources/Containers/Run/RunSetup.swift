import Diagnostics
import Execution
import Graph
import Images
import Linux
import OCI
import Requests
import Sandbox
import Solver
import Store
import SystemPackage
import Trees

/// The files and settings of a command that do not depend on how its root directory is made.
struct RunSetup: Sendable {
    let request: RunRequest
    let config: ImageConfig
    let images: ImageTransfer
    let isolation: StepIsolation
    let hostCapabilities: HostCapabilities
    let stack: LayerStack
    let trees: WorkingTreePool
    /// The directories of the layers, bottom first; empty where files are copied.
    let lowers: [FilePath]
    let user: ResolvedUser
    let hostname: String

    private var store: StoreRoot { images.store }

    /// Finds out how the command can be isolated, and unpacks the layers of its image.
    init(
        _ request: RunRequest, _ config: ImageConfig, images: ImageTransfer, hostname: String,
        progress: ProgressReporter
    ) async throws {
        let isolation = StepIsolation(request.isolation, store: images.store)
        hostCapabilities = try await offload {
            _ = try isolation.mode()
            return try isolation.hostCapabilities()
        }
        trees = WorkingTreePool(store: images.store, layers: LayerTreeCache(images.store.layers))
        let snapshots = isolation.unpacker(of: images, trees: trees.layers, progress: LayerProgress(progress))
        stack = LayerStack(ofImage: config.diffIDs)
        lowers = try await snapshots.lowers(
            of: stack, copiesFiles: offload { [stack] in try isolation.copiesFiles(ofLayers: stack.count) })
        user = try await Self.user(request.user ?? config.config.user, in: snapshots.accounts(of: stack))
        try hostCapabilities.requireNumber(for: user)
        self.request = request
        self.config = config
        self.images = images
        self.isolation = isolation
        self.hostname = hostname
    }

    static func user(_ spec: String, in accounts: UserDatabase) throws -> ResolvedUser {
        do { return try accounts.resolve(spec) } catch {
            throw ContainersError(.badCommand, error.message, cause: error)
        }
    }

    /// The sandbox of the command with a root directory. `ports` are those that lead to it.
    func sandbox(_ root: SandboxTree, ports: [ForwardedPort] = []) throws -> PreparedSandbox {
        let files = try SandboxFiles(
            in: store, network: request.network, environment: images.registry.environment, hostname: hostname)
        let network = try StepNetwork(ports.isEmpty ? request.network.mode : .private, files, ports: ports)
        let volumes = try request.volumes.volumes.map { try mount($0) }
        var spec = SandboxSpec(arguments: try request.command(config.config), root: root, scratch: files.scratch)
        spec.hostCapabilities = hostCapabilities
        spec.hostname = hostname
        spec.user = SandboxUser(uid: user.uid, gid: user.gid, groups: user.groups)
        spec.environment = request.variables(config.config, home: user.home, hostname: hostname)
        spec.workingDirectory = try request.directory(config.config)
        spec.network = network.network
        spec.resolvConf = network.resolvConf
        spec.hosts = network.hosts
        spec.mounts = volumes.map(\.0) + request.volumes.temporaryMounts
        spec.isRootReadOnly = request.isRootReadOnly
        spec.hasInit = true
        spec.streams = request.hasTerminal ? .terminal : request.isInteractive ? .interactive : .captured
        var run = RunOperation(arguments: spec.arguments, environment: [])
        if request.isPrivileged { run.security = .insecure }
        try request.sandbox.apply(to: &spec, for: run)
        let foreign = try isolation.support(for: config.platform)
        try foreign.apply(to: &spec, for: config.platform)
        return PreparedSandbox(spec: spec, foreign: foreign, held: [files, network] + volumes.compactMap(\.held))
    }

    /// A volume with a name is made when it is first used, with the files that the image has in its place.
    private func mount(_ volume: HostVolume) throws -> (SandboxMount, held: TemporaryDirectory?) {
        guard let name = volume.name else { return try volume.mount(in: store) }
        let made = try VolumeStore(store).open(name, labels: volume.isAnonymous ? Volume.anonymousLabels : [:]) {
            path in
            let tree = LayerFileTree(tree: try trees.layers.tree(of: stack), directories: lowers)
            guard !lowers.isEmpty, let node = try tree.node(at: tree.resolve(PathBytes(volume.target.string))),
                node.isDirectory
            else { return }
            var copy = try TreeCopy(of: tree, into: path)
            copy.makesDevices = false
            try copy.fill(from: node)
        }
        let mount = SandboxMount(
            target: volume.target, source: .bind(made.mountpoint), isReadOnly: volume.access == .readOnly)
        return (mount, nil)
    }
}

/// The specification of a sandbox, and what must stay until its command has ended.
struct PreparedSandbox: Sendable {
    var spec: SandboxSpec
    let foreign: ForeignSupport
    let held: [any AnyObject & Sendable]
}
