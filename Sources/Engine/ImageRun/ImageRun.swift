import Diagnostics
package import Execution
import Glibc
import Graph
package import Images
import Linux
import OCI
import Registry
package import Requests
import Sandbox
import Solver
import Store
import SystemPackage
import Transports
import Trees

/// Runs a command in an image, in the sandbox that RUN has, on a copy of its files that is thrown away.
package struct ImageRun: Sendable {
    private let request: RunRequest
    private let images: ImageTransfer

    package init(_ request: RunRequest, images: ImageTransfer) {
        self.request = request
        self.images = images
    }

    private var store: StoreRoot { images.store }

    /// Runs the command with the standard streams of this process, and gives its exit code as a shell counts.
    ///
    /// `report` gets what there is to say before it starts. Throws `SandboxError` when the command cannot be started and
    /// ``EngineError`` for everything else.
    package func run(_ link: CommandLink, report: @escaping @Sendable (String) -> Void) async throws -> CInt {
        let isolation = StepIsolation(request.isolation, store: store)
        let hostCapabilities = try await offload {
            _ = try isolation.mode()
            return try isolation.hostCapabilities()
        }
        // Until the end: what is mounted must not be pruned.
        let lease = try store.lease()
        let image = try await find(report)
        let config = try await offload { [images] in try images.config(of: image) }
        let progress = ProgressReporter { event in
            if case .started(_, let label, _) = event { report(label) }
        }
        let trees = WorkingTreePool(store: store, layers: LayerTreeCache(store.layers))
        let snapshots = SnapshotUnpacker(
            store: store, trees: trees.layers, fetcher: images.fetcher, progress: LayerProgress(progress),
            form: isolation.form)
        let state = LayerStack(ofImage: config.diffIDs)
        let lowers = try await snapshots.lowers(
            of: config.diffIDs, copiesFiles: offload { try isolation.copiesFiles(ofLayers: config.diffIDs.count) })
        let user = try await Self.user(request.user ?? config.config.user, in: snapshots.accounts(of: state))
        try hostCapabilities.requireNumber(for: user)
        try Task.checkCancellation()
        let status = try await offload {
            let root = try StepFileSystem(of: state, lowers: lowers, isolation: isolation, trees: trees)
            let hostname = request.hostname ?? Self.newHostname()
            let files = try SandboxFiles(
                in: store, network: request.network, environment: images.registry.environment, hostname: hostname)
            let network = try StepNetwork(request.network.mode, files)
            let volumes = try request.volumes.volumes.map { try $0.mount(in: store) }
            var spec = SandboxSpec(
                arguments: try arguments(config.config), root: root.root, scratch: files.scratch)
            spec.hostCapabilities = hostCapabilities
            spec.hostname = hostname
            spec.user = SandboxUser(uid: user.uid, gid: user.gid, groups: user.groups)
            spec.environment = environment(config.config, home: user.home, hostname: hostname)
            spec.workingDirectory = try workingDirectory(config.config)
            spec.network = network.network
            spec.resolvConf = network.resolvConf
            spec.hosts = network.hosts
            spec.mounts = volumes.map(\.0) + request.volumes.temporaryMounts
            spec.isRootReadOnly = request.isRootReadOnly
            spec.isVolatile = true
            spec.hasInit = true
            spec.streams = request.hasTerminal ? .terminal : request.isInteractive ? .interactive : .captured
            try request.sandbox.apply(to: &spec, for: RunOperation(arguments: spec.arguments, environment: []))
            let foreign = try isolation.support(for: config.platform)
            try foreign.apply(to: &spec, for: config.platform)
            let limited = try LimitedRun(request.sandbox, joining: &spec, isolation)
            let tree = try root.entered(by: &spec, PreparedMounts(), isolation, store, warn: report)
            let status = try withExtendedLifetime((files, network, volumes)) {
                try foreign.explaining { try run(spec, limited, link, report) }
            }
            // A command that failed may have done so because of it.
            if status == 0 { try tree.requireUnchangedMounts() }
            _ = consume tree
            return status
        }
        _ = consume lease
        return status
    }

    private func run(
        _ spec: SandboxSpec, _ limited: borrowing LimitedRun, _ link: CommandLink, _ report: (String) -> Void
    ) throws -> CInt {
        let command = AttachedCommand(spec: spec, isInteractive: request.isInteractive) { link.began($0) }
        do {
            var (status, usage) = try command.run()
            limited.complete(&usage)
            if !status.isSuccess, usage.outOfMemoryKills > 0 {
                report("lamina: the command ended with \(limited.explanation(of: usage))exit code \(status.shellCode)")
            }
            return status.shellCode
        } catch is AttachedCommand.ReaderGone {
            return 128 + SIGPIPE
        }
    }

    // MARK: The image

    /// The image of the store, else that of a registry, else what Lamina brings along.
    private func find(_ report: @escaping @Sendable (String) -> Void) async throws -> StoredImage {
        let platform = request.platform ?? .host
        let known = try await offload { [request, store] in try store.images.lookup(request.image) }
        let reference: ImageReference
        do { reference = try ImageReference(parsing: request.image) } catch {
            if let known { return try await checked(known) }
            throw EngineError(
                .imageNotFound, "No such image: \(request.image)", hint: "See 'lamina images'.", cause: error)
        }
        // What is named by its ID is no name that a registry knows.
        let named = try await offload { [store] in try store.images.root(named: reference) }
        if let known, named == nil { return try await checked(known) }
        let stored = try await offload { [images, request] () -> StoredImage? in
            if let image = try images.stored(reference, for: platform) { return image }
            // What is for other machines only runs as far as these are emulated.
            let isOther = try request.platform == nil && images.hasNothing(for: platform, named: reference)
            return isOther ? known : nil
        }
        if let stored, request.pull.accepts(reference) { return stored }
        if reference == EmbeddedBase.reference {
            try EmbeddedBase.requireSupport(for: platform)
            return try await offload { [images] in try EmbeddedBase(images: images).install() }
        }
        try request.pull.allow(reference)
        if known == nil { report("Unable to find image '\(reference.familiar)' locally") }
        do {
            return try await images.pull(reference, platform: platform) { event in
                if case .layerDone(let layer) = event { report("\(layer.digest): Pull complete") }
            }
        } catch let error as RegistryError {
            guard request.pull == .newer, let known else { throw error }
            return known
        }
    }

    /// The image that an ID names, on the platform that is asked for.
    private func checked(_ known: StoredImage) async throws -> StoredImage {
        guard request.platform != nil else { return known }
        return try await offload { [images, request] in
            try images.image(request.image, platform: request.platform)
        }
    }

    // MARK: The process

    private func arguments(_ config: RunConfig) throws -> [String] {
        let entrypoint = request.entrypoint ?? config.entrypoint ?? []
        // The image's own arguments belong to its own entry point.
        let defaults = request.entrypoint == nil ? config.command ?? [] : []
        let arguments = entrypoint + (request.arguments.isEmpty ? defaults : request.arguments)
        guard !arguments.isEmpty else {
            throw EngineError(
                .runFailed, "the image says no command to run, and none was given",
                hint: "Write one behind the image: lamina run \(request.image) COMMAND.")
        }
        return arguments
    }

    private func workingDirectory(_ config: RunConfig) throws -> FilePath {
        let text = request.workingDirectory ?? config.workingDirectory
        let path = FilePath(text.isEmpty ? "/" : text)
        guard path.isAbsolute else {
            // Docker refuses a relative -w; an image's own counts from the root.
            guard request.workingDirectory == nil else {
                throw EngineError(
                    .runFailed, "the working directory '\(text)' is invalid, it needs to be an absolute path")
            }
            return FilePath("/").pushing(path)
        }
        return path
    }

    private func environment(_ config: RunConfig, home: String, hostname: String) -> [String] {
        var names: [String] = []
        var values: [String: String] = [:]
        func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { names.append(name) }
        }
        set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        set("HOSTNAME", hostname)
        if request.hasTerminal { set("TERM", "xterm") }
        for variable in config.environment {
            let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            set(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        for (name, value) in request.environment { set(name, value) }
        if values["HOME"] == nil { set("HOME", home) }
        return names.map { "\($0)=\(values[$0] ?? "")" }
    }

    private static func user(_ spec: String, in accounts: UserDatabase) throws -> ResolvedUser {
        do { return try accounts.resolve(spec) } catch {
            throw EngineError(.runFailed, error.message, cause: error)
        }
    }

    /// Twelve hexadecimal digits, as Docker's are.
    private static func newHostname() -> String {
        let number = UInt64.random(in: 0..<(1 << 48))
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 12 - digits.count) + digits
    }
}
