import Diagnostics
import Graph
import Layers
import Linux
import OCI
import Sandbox
import Solver
import Store
import Synchronization
import SystemPackage

/// What the commands of a build have in common.
struct SandboxSettings: Sendable {
    /// Files of the host that are `/etc/resolv.conf` and `/etc/hosts` inside.
    let resolvConf: FilePath
    let hosts: FilePath
    /// An empty directory; see ``SandboxSpec/scratch``.
    let scratch: FilePath
    let isolation: StepIsolation
    let request: SandboxRequest
}

extension BuildRunner {
    /// RUN: the command changes an overlay on the unpacked layers, and what it changed is the new layer.
    func execute(_ run: RunOperation, inputs: [StepResult], step: StepReporter) async throws -> FileSystemState {
        let isolation = try await offload { [sandbox] in try sandbox.isolation.rung() }
        let state = inputs[0].state
        let lowers = try await snapshots.all(of: state.diffIDs).map(\.directory)
        let user = try await resolveUser(run.user, in: state, run)
        let mounts = try await mounts(of: run, inputs: inputs)
        let stopper = SandboxStopper()
        let diffID = try await withTaskCancellationHandler {
            try await offload { [self] in
                let files = try StepFileSystem(lowers: lowers, isolation: isolation, store: store)
                var spec = SandboxSpec(arguments: run.arguments, root: files.tree, scratch: sandbox.scratch)
                spec.environment = Self.environment(run, secrets: mounts.variables, home: user.home)
                spec.user = SandboxUser(uid: user.uid, gid: user.gid, groups: user.groups)
                spec.workingDirectory = FilePath(run.workingDirectory)
                spec.network = run.network == .none ? .none : .host
                spec.resolvConf = sandbox.resolvConf
                spec.hosts = sandbox.hosts
                // The store's own synchronisation makes the result durable; that of the command would only wait.
                spec.isVolatile = true
                spec.mounts = run.scripts.map(Self.mount) + mounts.mounts
                try sandbox.request.apply(to: &spec, for: run)
                let limited = try LimitedRun(sandbox.request)
                try withExtendedLifetime(mounts) {
                    try Self.runToEnd(spec, run, limited, stopper: stopper, step: step, journal: journal)
                }
                return try files.commit(on: state, storage)
            }
        } onCancel: {
            stopper.stop()
        }
        return state.adding(diffID, created: now)
    }

    private func resolveUser(
        _ spec: String, in state: FileSystemState, _ run: RunOperation
    ) async throws -> ResolvedUser {
        do { return try await accounts(of: state).resolve(spec) } catch let error as UserError {
            throw EngineError(
                .runFailed, "process \"\(Self.text(run))\" did not complete successfully: \(error.message)")
        }
    }

    private static func text(_ run: RunOperation) -> String { run.arguments.joined(separator: " ") }

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

    private static func runToEnd(
        _ spec: SandboxSpec, _ run: RunOperation, _ limited: borrowing LimitedRun, stopper: SandboxStopper,
        step: StepReporter, journal: KeyJournal
    ) throws {
        var spec = spec
        limited.join(&spec)
        let process = try SandboxProcess(try SandboxPlan(spec))
        stopper.began(process.signaller)
        try process.forwardOutput { stream, bytes in
            step.output(stream == .standardError ? .standardError : .standardOutput, Array(copying: bytes))
        }
        var (status, usage) = try process.finish()
        limited.complete(&usage)
        journal.note(usage, of: step.id)
        if stopper.isStopped { throw CancellationError() }
        guard !status.isSuccess else { return }
        throw EngineError(
            usage.outOfMemoryKills > 0 ? .outOfMemory : .runFailed,
            "process \"\(text(run))\" did not complete successfully: "
                + "\(limited.explanation(of: usage))exit code: \(status.shellCode)")
    }
}

/// Ends a running command when its build is cancelled, whichever comes first: the cancellation or the start.
final class SandboxStopper: Sendable {
    private struct State {
        var signaller: SandboxSignaller?
        var isStopped = false
    }

    private let state = Mutex(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }

    func began(_ signaller: SandboxSignaller) {
        let isStopped = state.withLock { state in
            state.signaller = signaller
            return state.isStopped
        }
        if isStopped { signaller.kill() }
    }

    func stop() {
        let signaller = state.withLock { state in
            state.isStopped = true
            return state.signaller
        }
        signaller?.kill()
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
