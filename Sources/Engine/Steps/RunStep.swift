import Contexts
import Diagnostics
import Execution
import Glibc
import GoCompat
import Graph
import Images
import Linux
import OCI
import Records
import Requests
import Sandbox
import Solver
import SystemPackage
import Trees

/// RUN: the command changes an overlay on the unpacked layers, and what it changed is the new layer.
struct RunStep: Step {
    let operation: RunOperation
    let vertex: VertexID
    /// The platform of the stage.
    let platform: Platform?
    let files: InputFiles
    let contexts: ContextTreeCache
    let storage: LayerStorage
    let now: Timestamp
    let keys: CacheKeyTracker
    let ingredients: KeyIngredientLog
    let commands: CommandEnvironment

    let kind = RecordedStep.Kind.run

    func run(inputs: [StepResult], step: StepReporter) async throws -> StepResult {
        let isolation = commands.isolation
        let hostCapabilities = try await offload {
            _ = try isolation.mode()
            return try isolation.hostCapabilities()
        }
        let state = inputs[0].state
        let lowers = try await files.snapshots.lowers(
            of: state, copiesFiles: offload { try isolation.copiesFiles(ofLayers: state.count) })
        let user = try await resolveUser(operation.user, in: state, operation)
        let run = Self.adding(commands.steps.volumes.mounts, to: operation)
        try hostCapabilities.requireNumber(for: user)
        try hostCapabilities.requireNumbers(forOwnersOf: run.mounts)
        let mounts = try await StepMounts(commands: commands, files: files, store: storage.store).prepare(
            run, inputs: inputs)
        let foreign = try await offload { try isolation.support(for: platform) }
        let stopper = SandboxCanceller()
        let diffID = try await withTaskCancellationHandler {
            try await offload { [self] in
                let tree = try StepFileSystem(
                    of: state, lowers: lowers, isolation: isolation, trees: commands.workingTrees)
                var spec = SandboxSpec(arguments: run.arguments, root: tree.root, scratch: commands.files.scratch)
                spec.hostCapabilities = hostCapabilities
                spec.environment = Self.environment(run, secrets: mounts.variables, home: user.home)
                spec.user = SandboxUser(uid: user.uid, gid: user.gid, groups: user.groups)
                spec.workingDirectory = FilePath(run.workingDirectory)
                let network = try StepNetwork(run.network, commands.files)
                spec.network = network.network
                spec.resolvConf = network.resolvConf
                spec.hosts = network.hosts
                spec.hostname = commands.files.hostname
                // The store's own synchronisation makes the result durable; that of the command would only wait.
                spec.isVolatile = true
                if commands.steps.passesInput { spec.streams = .interactive }
                spec.mounts = run.scripts.map(Self.mount) + mounts.mounts
                try commands.request.apply(to: &spec, for: run)
                if let platform { try foreign.apply(to: &spec, for: platform) }
                if run.mounts.contains(where: \.isSecret) { spec.forbidCores() }
                let limited = try LimitedRun(commands.request, joining: &spec, isolation)
                let entered = try tree.entered(by: &spec, mounts, isolation, storage.store) { step.warn($0) }
                try withExtendedLifetime((mounts, network)) {
                    do {
                        try Self.explaining(hostCapabilities) {
                            try foreign.explaining {
                                try runToEnd(spec, run, limited, stopper: stopper, step: step)
                            }
                        }
                    } catch let error as EngineError {
                        try openShell(in: spec, entered, run, after: error, stopper: stopper, step: step)
                        throw error
                    }
                }
                try entered.requireUnchangedMounts()
                return try entered.commit(on: state, storage, commands.workingTrees)
            }
        } onCancel: {
            stopper.stop()
        }
        let kept = try await offload { [self] in try withoutIgnored(diffID, on: state) }
        return .files(state.adding(kept, created: now))
    }

    /// The layer without what the user wants to have left out.
    private func withoutIgnored(_ layer: DiffID, on state: LayerStack) throws -> DiffID {
        let paths = commands.steps.ignoredPaths
        return paths.isEmpty
            ? layer : try storage.removing(paths, fromTopOf: state.adding(.init(diffID: layer, created: nil)))
    }

    private func resolveUser(
        _ spec: String, in state: LayerStack, _ run: RunOperation
    ) async throws -> ResolvedUser {
        do { return try await files.snapshots.accounts(of: state).resolve(spec) } catch let error as UserError {
            throw EngineError(
                .runFailed, "process \(Self.text(run)) did not complete successfully: \(error.message)")
        }
    }

    /// Adds to the failure of a command what may be the reason for it.
    private static func explaining<Value>(
        _ hostCapabilities: HostCapabilities, _ body: () throws -> Value
    ) throws -> Value {
        do { return try body() } catch let error as EngineError where error.code == .runFailed {
            guard hostCapabilities.identities.isSingle, error.hint == nil else { throw error }
            throw EngineError(
                error.code, error.message, hint: hostCapabilities.identities.hint, at: error.location,
                cause: error.cause)
        }
    }

    /// The command in quotes, on one line.
    private static func text(_ run: RunOperation) -> String {
        GoFormat.quoted(run.arguments.joined(separator: " "))
    }

    private static func environment(
        _ run: RunOperation, secrets: [(name: String, value: String)], home: String
    ) -> [String] {
        var environment = run.environment.filter { variable in
            !secrets.contains { variable.hasPrefix("\($0.name)=") }
        }
        environment += secrets.map { "\($0.name)=\($0.value)" }
        func has(_ name: String) -> Bool { environment.contains { $0.hasPrefix("\(name)=") } }
        if !has("PATH") { environment.append("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") }
        for variable in run.transientEnvironment where !has(String(variable.prefix { $0 != "=" })) {
            environment.append(variable)
        }
        if !has("HOME") { environment.append("HOME=\(home)") }
        return environment
    }

    /// A script of the Dockerfile, visible to this command only.
    private static func mount(_ script: InlineFile) -> SandboxMount {
        SandboxMount(
            target: FilePath("/dev/pipes/\(script.name)"),
            source: .file(content: script.content, permissions: 0o755, owner: 0, group: 0),
            isReadOnly: true)
    }

    /// The command with the mounts that the user gives to all; after its key was made, as they are no part of it.
    private static func adding(_ mounts: [RunMount], to run: RunOperation) -> RunOperation {
        var run = run
        for mount in mounts {
            run.mounts.append(mount)
            guard case .ssh(let ssh) = mount, !run.environment.contains(where: { $0.hasPrefix("SSH_AUTH_SOCK=") })
            else { continue }
            run.environment.append("SSH_AUTH_SOCK=\(ssh.target)")
        }
        return run
    }

    private func openShell(
        in spec: SandboxSpec, _ files: borrowing StepFileSystem, _ run: RunOperation, after error: EngineError,
        stopper: SandboxCanceller, step: StepReporter
    ) throws {
        guard let shell = commands.failureShell, !stopper.isStopped else { return }
        guard spec.confinement == .namespaces else {
            return step.warn("a shell takes a terminal, which a command in a changed root cannot have")
        }
        // What progress shows of it should be there before the shell is.
        step.finish(error)
        try shell.open(in: spec, files, shell: run.arguments.first ?? "", after: error, stopper: stopper)
    }

    private func runToEnd(
        _ spec: SandboxSpec, _ run: RunOperation, _ limited: borrowing LimitedRun, stopper: SandboxCanceller,
        step: StepReporter
    ) throws {
        var process = try SandboxProcess(try SandboxPlan(spec))
        let limit = commands.steps.timeLimit
        stopper.began(process.signaller, limit: limit?.duration)
        // Only the pump keeps the input, so that it ends when ours does.
        let pump = try process.takeInput().map { try InputPump(from: STDIN_FILENO, to: $0) }
        try withExtendedLifetime(pump) {
            try process.forwardOutput { stream, bytes in
                step.output(stream == .standardError ? .standardError : .standardOutput, Array(copying: bytes))
            }
        }
        var (status, usage) = try process.finish()
        limited.complete(&usage)
        stopper.ended()
        ingredients.note(
            cpu: .microseconds(usage.userTime + usage.systemTime), peakMemory: usage.peakMemory,
            isCounted: limited.isCounted, of: step.id)
        if stopper.isStopped { throw CancellationError() }
        if let limit, stopper.isTimedOut {
            throw EngineError(
                .timedOut, "process \(Self.text(run)) did not complete: it ran longer than --timeout \(limit.text)")
        }
        guard !status.isSuccess else { return }
        throw EngineError(
            usage.outOfMemoryKills > 0 ? .outOfMemory : .runFailed,
            "process \(Self.text(run)) did not complete successfully: "
                + "\(limited.explanation(of: usage))exit code: \(status.shellCode)")
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
