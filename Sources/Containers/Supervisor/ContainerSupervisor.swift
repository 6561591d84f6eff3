import Diagnostics
package import Execution
import Glibc
package import Images
import Linux
import OCI
import Requests
import Sandbox
import Store
import Synchronization
import SystemPackage

/// Runs the command of a container: keeps its log, notes its end, and does for other processes what they ask for.
///
/// The container runs as long as this process: when that is killed, the kernel ends the command and all it started.
package struct ContainerSupervisor: Sendable {
    /// The streams of this process that the command has.
    package struct Attachment: Hashable, Sendable {
        /// Whether the command's output is shown, besides being logged.
        package var showsOutput: Bool
        package var readsInput: Bool

        package init(showsOutput: Bool, readsInput: Bool) {
            self.showsOutput = showsOutput
            self.readsInput = readsInput
        }

        package static let none = Attachment(showsOutput: false, readsInput: false)
    }

    private let container: Container
    private let images: ImageTransfer

    package init(_ container: Container, images: ImageTransfer) {
        self.container = container
        self.images = images
    }

    /// Starts the command and runs it to its end; gives its exit code as a shell counts.
    ///
    /// `began` is called when it runs. Throws ``ContainersError`` `.isRunning`, `SandboxError` when the command cannot be
    /// started, and what else keeps it from that, which the container's state then says.
    package func run(
        _ link: CommandLink, _ attachment: Attachment, began: @escaping @Sendable () -> Void = {},
        report: @escaping @Sendable (String) -> Void
    ) async throws -> CInt {
        // Until the command runs. Later on, the collector leaves what the container has noted.
        let lease = HeldLease(try images.store.lease())
        let alive = try await offload { try takeTurn() }
        let outcome: Result<CInt, any Error>
        do {
            outcome = .success(
                try await supervise(
                    link, attachment,
                    began: {
                        lease.drop()
                        began()
                    }, report))
        } catch {
            outcome = .failure(error)
        }
        try await offload { try end(outcome, alive) }
        return try outcome.get()
    }

    /// Locks the container for as long as it runs.
    private func takeTurn() throws -> HeldLock {
        // Whoever works on its files comes first.
        let turn = try FileLock(container.directory.appending("turn"), .exclusive)
        guard !(try container.reloaded().isRunning) else { throw Self.running(container) }
        // Those who only look whether it is locked have it for a moment.
        let alive = try FileLock(container.alive, .exclusive)
        _ = consume turn
        return HeldLock(alive)
    }

    static func running(_ container: Container) -> ContainersError {
        ContainersError(.isRunning, "container \(container.record.name) is already running")
    }

    private func supervise(
        _ link: CommandLink, _ attachment: Attachment, began: @escaping @Sendable () -> Void,
        _ report: @escaping @Sendable (String) -> Void
    ) async throws -> CInt {
        let record = container.record
        let files = try await ContainerFiles(container, images: images, hostname: Self.hostname(of: record))
        let setup = files.setup
        return try await offload {
            let ports = try FreePorts.choose(record.request.ports)
            try files.overlay.prepareForAnotherCommand()
            var prepared = try setup.sandbox(files.overlay.tree, ports: ports.forwarded)
            let limited = try LimitedRun(setup.request.sandbox, joining: &prepared.spec, setup.isolation)
            if attachment.showsOutput, prepared.spec.streams == .terminal { prepared.spec.terminalSize = .ofOurs }
            let spec = prepared.spec
            var (status, usage) = try withExtendedLifetime(prepared.held) {
                try prepared.foreign.explaining {
                    try run(spec, ports, link, attachment, began: began)
                }
            }
            limited.complete(&usage)
            var state = try container.reloaded().state
            state.isOutOfMemory = !status.isSuccess && usage.outOfMemoryKills > 0
            try container.write(state)
            if state.isOutOfMemory {
                report("lamina: the command ended with \(limited.explanation(of: usage))exit code \(status.shellCode)")
            }
            return status.shellCode
        }
    }

    private static func hostname(of record: ContainerRecord) -> String {
        record.request.hostname ?? String(record.id.prefix(12))
    }

    private func run(
        _ spec: SandboxSpec, _ ports: FreePorts, _ link: CommandLink, _ attachment: Attachment, began: () -> Void
    ) throws -> (status: Sandbox.ExitStatus, usage: StepUsage) {
        var process = try SandboxProcess(try SandboxPlan(spec))
        let raw = attachment.readsInput && spec.streams == .terminal ? RawTerminal(STDIN_FILENO) : nil
        var state = ContainerState()
        state.status = .running
        state.process = process.pid
        state.started = .now
        state.ports = ports.mappings
        try container.write(state)
        let server = try ControlServer(container, spec, process: process.pid, process.signaller)
        link.began(process.signaller)
        began()
        let connection = try Connection(process.takeInput(), attachment)
        var log = try ContainerLogWriter(container.log)
        let signaller = process.signaller
        let ending = Result {
            try withExtendedLifetime(connection) {
                try process.forwardOutput { stream, bytes in
                    log.append(stream, bytes)
                    guard attachment.showsOutput else { return }
                    // The reader of our output is gone: the command ends as it would if it wrote there itself.
                    if try !AttachedCommand.show(bytes, stream) { signaller.kill() }
                }
            }
        }
        log.finish()
        if case .failure = ending { signaller.kill() }
        // A command may close its outputs and go on.
        try process.waitForEnd()
        // Other commands in the sandbox have ended, too, before its number can be another one's.
        server.stop()
        let finished = try process.finish()
        server.tell(finished.status.shellCode)
        _ = consume raw
        try ending.get()
        return finished
    }

    /// The input of a command: only the pump keeps that of a pipe, so that it ends when ours does. Where nobody writes to it
    /// it is held to the end: a command with an open input must not find its end.
    private struct Connection {
        private let pump: InputPump?
        private let held: SandboxInput?
        private let window: WindowWatch?

        init(_ input: SandboxInput?, _ attachment: Attachment) throws {
            let isShown = attachment.showsOutput && input?.isTerminal == true
            window = isShown ? input.map { WindowWatch(for: $0) } : nil
            pump = attachment.readsInput ? try input.map { try InputPump(from: STDIN_FILENO, to: $0) } : nil
            held = attachment.readsInput ? nil : input
        }
    }

    /// Notes how the command ended; removes the container if it is to remove itself.
    private func end(_ outcome: Result<CInt, any Error>, _ alive: HeldLock) throws {
        defer { withExtendedLifetime(alive) {} }
        if container.record.removesItself {
            try ContainerStore(images.store).discard(container)
            VolumeStore(images.store).removeAnonymous(of: container.record)
            return
        }
        var state = try Container.recordedState(in: container.directory) ?? ContainerState()
        state.finished = .now
        switch outcome {
        case .success(let code):
            state.status = .exited
            state.exitCode = code
        case .failure(let error):
            let failure = ControlFailure(error)
            state.status = state.status == .running ? .exited : .created
            state.exitCode = failure.code
            state.error = failure.message
        }
        state.process = nil
        try container.write(state)
    }
}

/// A lock that several closures hold.
final class HeldLock: Sendable {
    private let lock: FileLock

    init(_ lock: consuming FileLock) { self.lock = lock }
}

/// A lease that ends before the work it was taken for does.
final class HeldLease: Sendable {
    private let lease: Mutex<StoreLease?>

    init(_ lease: consuming StoreLease) { self.lease = Mutex(lease) }

    func drop() { lease.withLock { $0 = nil } }
}
