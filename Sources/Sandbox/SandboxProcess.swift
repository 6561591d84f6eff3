import CLinux
import Diagnostics
import Glibc
import Linux
import SystemPackage

/// Ends a sandbox from any thread. After the sandbox has ended it does nothing.
package struct SandboxSignaller: Sendable {
    /// Shared with the process, so that the number is not reused while a signal may still be sent to it.
    let process: SharedDescriptor
    /// SIGKILL for the first process of a PID namespace, with which all of it ends; a supervisor has a signal of its own.
    let killSignal: CInt

    /// Kills the command and everything it started.
    ///
    /// The corresponding system call is `pidfd_send_signal(2)`.
    package func kill() {
        send(killSignal)
        // A command that may signal its supervisor may also have stopped it.
        if killSignal != SIGKILL { send(SIGCONT) }
    }

    /// Sends a signal to the first process of the sandbox. With an init or a supervisor that is passed on to the command;
    /// a command without either gets only signals that it handles, and SIGKILL and SIGSTOP.
    package func send(_ signal: CInt) { _ = linux_pidfd_signal(process.number, signal) }
}

/// A running sandbox. When its command ends, so does all it started: the command, or its init, is process 1 of its own
/// PID namespace, or else it has a supervisor.
///
/// The kernel kills it when the thread that started it ends, which is what happens when this program is killed. So start
/// it, forward its output and wait for it on one thread, that is in one call of `offload`.
package struct SandboxProcess: ~Copyable {
    package let signaller: SandboxSignaller
    private var input: SandboxInput?
    /// The first process of the sandbox, as this process counts. Another one gets the number only after ``finish()``.
    package let pid: Int32
    private let output: ProcessOutput
    private let stubs: MountStubs
    private let made: [MadeMountPoint]
    private let supervision: Supervision?
    /// The root directory of a command in a chroot.
    private let changedRoot: FilePath?
    private let server: OverlayServer?
    private var isReaped = false

    /// Starts the command; returns when it runs.
    ///
    /// Throws `SandboxError`: `.commandNotFound` and `.commandNotExecutable` for the command, `.setup` for anything else.
    package init(_ plan: SandboxPlan) throws {
        let stubs = try MountStubs(plan)
        let streams = try StandardStreams(plan.spec.streams, changedRoot: plan.spec.changedRoot)
        let server = try plan.servedRoot.map { try OverlayServer($0) }
        let spawned = try plan.spawn(streams, inherited: server?.descriptor ?? -1)
        let signaller = SandboxSignaller(
            process: SharedDescriptor(OwnedDescriptor(spawned.process)),
            killSignal: spawned.supervision == nil ? SIGKILL : LINUX_SUPERVISE_END)
        let connected: (output: ProcessOutput, input: SandboxInput?)
        do { connected = try streams.connected() } catch {
            signaller.kill()
            _ = try? Self.reap(spawned.pid)
            throw error
        }
        self.stubs = stubs
        self.signaller = signaller
        pid = spawned.pid
        made = spawned.made
        supervision = spawned.supervision
        changedRoot = plan.spec.changedRoot
        self.server = server
        (output, input) = connected
    }

    /// Gives away the command's input, where it has one: a pipe ends when the object is gone.
    package mutating func takeInput() -> SandboxInput? {
        defer { input = nil }
        return input
    }

    deinit {
        guard !isReaped else { return }
        signaller.kill()
        _ = try? Self.reap(pid)
        endSurvivors()
    }

    /// Ends what a killed supervisor has left.
    private func endSurvivors() {
        guard let supervision, !supervision.isComplete, let root = changedRoot else { return }
        _ = ChrootProcesses.end(around: root, below: root.removingLastComponent(), areDescendants: true)
    }

    /// Calls `sink` with the output of the command and its descendants, until it has ended and all was read.
    ///
    /// Throws what `sink` throws, and `LinuxError`.
    package func forwardOutput(to sink: (OutputStream, Span<UInt8>) throws -> Void) throws {
        try output.forward(until: signaller.process.descriptor, to: sink)
    }

    /// Waits until the first process has ended, and leaves its number to it until ``finish()``.
    package func waitForEnd() throws {
        var ended = pollfd(fd: signaller.process.number, events: Int16(POLLIN), revents: 0)
        try check("wait for", "process \(pid)") { unsafe poll(&ended, 1, -1) }
    }

    /// Waits until the command has ended, and takes back the mount points that were made for it.
    ///
    /// Output that was not forwarded is lost, and a command that wrote more than fits into a pipe waits for a reader: so
    /// call ``forwardOutput(to:)`` first.
    package consuming func wait() throws -> ExitStatus { try finish().status }

    /// The same as ``wait()``, and says what the command has used.
    package consuming func finish() throws -> (status: ExitStatus, usage: StepUsage) {
        var ended = try Self.reap(pid)
        isReaped = true
        endSurvivors()
        // A supervisor that was killed reports nothing; the command is killed with it.
        if let known = supervision?.waitStatus { ended.status = ExitStatus(waitStatus: known) }
        // Before the directory behind it is read or changed.
        try server?.end()
        try stubs.remove(made)
        return ended
    }

    private static func reap(_ pid: pid_t) throws -> (status: ExitStatus, usage: StepUsage) {
        var status: Int32 = 0
        var usage = rusage()
        try check("wait for", "process \(pid)") { unsafe wait4(pid, &status, 0, &usage) }
        return (ExitStatus(waitStatus: status), StepUsage(usage))
    }
}

extension SandboxPlan {
    fileprivate func spawn(_ streams: StandardStreams, inherited: CInt) throws -> Spawned {
        let group = try spec.controlGroups.birthplace.map { SharedDescriptor(try .open($0, options: .directory)) }
        do {
            return try withExtendedLifetime(group) {
                try StepEncoding(self).spawn(
                    namespaces: namespaces, standardStreams: streams.standardStreams,
                    terminalSocket: streams.terminalSocket, inherited: inherited, controlGroup: group?.number ?? -1,
                    userNamespace: spec.emulators ?? -1,
                    processNamespace: joined.map { "/proc/\($0)/ns/pid" },
                    hasInit: spec.hasInit, isSupervised: spec.confinement == .chroot)
            }
        } catch let failure as SpawnFailure {
            throw explain(failure)
        }
    }

    /// The step in an error message: with the file or file system rather than the slot that holds it.
    private static func plainDescription(of step: SandboxStep, in steps: [SandboxStep]) -> String {
        guard case .attach(let slot, let target) = step.operation else { return step.description }
        for operation in steps.map(\.operation) {
            switch operation {
            // A tree of layers is prepared where only the child sees it.
            case .openTree(slot, let root, let path):
                return "mount \(root == nil ? "\(path)" : "\(path) of the source") on \(target)"
            case .openFileSystem(slot, let type) where type != "overlay": return "mount \(type) on \(target)"
            default: continue
            }
        }
        return "mount the layers on \(target)"
    }

    /// The failure of a step in terms of what was asked for.
    func explain(_ failure: SpawnFailure) -> SandboxError { Self.explain(failure, of: steps) }

    /// The same for steps that belong to no plan; `isOnHost` says that the command is one of the host.
    static func explain(_ failure: SpawnFailure, of steps: [SandboxStep], isOnHost: Bool = false) -> SandboxError {
        let place = isOnHost ? "on this machine" : "in the image"
        let errno = failure.errno
        guard let index = failure.step, steps.indices.contains(index) else {
            let hint = errno == .notPermitted ? "Run as root, or see what 'lamina doctor' suggests." : nil
            return SandboxError(.setup, "cannot create the sandbox's namespaces: \(errno)", hint: hint, cause: errno)
        }
        guard case .execute(let command) = steps[index].operation else {
            let step = plainDescription(of: steps[index], in: steps)
            return SandboxError(.setup, "cannot \(step): \(errno)", cause: errno)
        }
        if failure.isInterpreterMissing {
            return SandboxError(
                .commandNotFound, "the interpreter of '\(command)' was not found \(place)",
                hint: "Install the interpreter or loader that the file names.", cause: errno)
        }
        switch errno {
        case .tooManySymbolicLinkLevels:
            return SandboxError(
                .commandNotExecutable, "'\(command)' cannot be executed: its symbolic links lead in a circle",
                cause: errno)
        case .noSuchFileOrDirectory, .notDirectory:
            return SandboxError(.commandNotFound, "'\(command)' was not found \(place)", cause: errno)
        case .permissionDenied, .isDirectory:
            return SandboxError(
                .commandNotExecutable, "'\(command)' may not be executed",
                hint: "Make it executable, for instance with 'chmod +x'.", cause: errno)
        case .execFormatError:
            return SandboxError(
                .commandNotExecutable, "'\(command)' cannot be executed: exec format error",
                hint: "It is a program for another processor, or a script without a first line that names its "
                    + "interpreter; QEMU with binfmt_misc on this machine runs what other processors do.",
                cause: errno)
        default:
            return SandboxError(.commandNotExecutable, "'\(command)' cannot be executed: \(errno)", cause: errno)
        }
    }
}
