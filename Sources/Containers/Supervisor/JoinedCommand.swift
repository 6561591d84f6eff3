import Diagnostics
import Execution
import Glibc
import Linux
import Sandbox
import SystemPackage

/// A command in the sandbox of a container that runs, whose streams are descriptors of another process.
struct JoinedCommand {
    /// The specification of the container's own sandbox.
    let container: SandboxSpec
    /// The first process of the container, which the caller keeps from being reaped.
    let process: Int32
    let request: ExecRequest
    /// The size of a terminal at the start.
    var size: TerminalSize?

    /// Throws ``ContainersError`` `.badCommand`.
    func plan() throws -> SandboxPlan {
        var spec = container
        spec.arguments = request.arguments
        let root = try Directory(opening: FilePath("/proc/\(process)/root"))
        if let user = request.user {
            let accounts = UserDatabase(
                passwd: Self.content("etc/passwd", root), group: Self.content("etc/group", root))
            let resolved = try RunSetup.user(user, in: accounts)
            try spec.hostCapabilities.requireNumber(for: resolved)
            spec.user = SandboxUser(uid: resolved.uid, gid: resolved.gid, groups: resolved.groups)
            spec.environment.removeAll { $0.hasPrefix("HOME=") }
            spec.environment.append("HOME=\(resolved.home)")
        }
        for variable in request.environment {
            let name = variable.prefix { $0 != "=" }
            spec.environment.removeAll { $0.hasPrefix("\(name)=") }
            spec.environment.append(variable)
        }
        if request.hasTerminal, !spec.environment.contains(where: { $0.hasPrefix("TERM=") }) {
            spec.environment.append("TERM=xterm")
        }
        if let directory = request.workingDirectory {
            guard directory.hasPrefix("/") else {
                throw ContainersError(
                    .badCommand, "the working directory '\(directory)' is invalid, it needs to be an absolute path")
            }
            spec.workingDirectory = FilePath(directory)
        }
        if request.isPrivileged { spec.security = .insecure }
        spec.streams = request.hasTerminal ? .terminal : request.isInteractive ? .interactive : .captured
        spec.terminalSize = size
        return try SandboxPlan(spec, joining: process)
    }

    private static func content(_ path: PathBytes, _ root: borrowing Directory) -> [UInt8]? {
        try? root.open(path, resolving: .inRoot).readAll(limit: 10 << 20)
    }

    /// Runs the command to its end, on the calling thread.
    ///
    /// `streams` are the input, the output and the errors of whoever asked for it; without them the command has none.
    /// `began` gets the means to end the command, and the input of a terminal, when it runs.
    func run(_ streams: [SharedDescriptor], began: (SandboxSignaller, SandboxInput?) -> Void) throws -> ExitStatus {
        var process = try SandboxProcess(try plan())
        let input = try connect(process.takeInput(), streams)
        began(process.signaller, input.terminal)
        try withExtendedLifetime((input, streams)) {
            try process.forwardOutput { stream, bytes in
                guard streams.count == 3 else { return }
                let target = streams[stream == .standardError ? 2 : 1]
                _ = target.writeAll(Self.array(bytes)[...])
            }
        }
        return try process.wait()
    }

    /// Only the pump keeps the input of a pipe, so that it ends when the other one does.
    private func connect(
        _ input: SandboxInput?, _ streams: [SharedDescriptor]
    ) throws -> (pump: InputPump?, terminal: SandboxInput?) {
        let isRead = streams.count == 3 && request.isInteractive
        return (
            try isRead ? input.map { try InputPump(from: streams[0].number, to: $0) } : nil,
            input.flatMap { $0.isTerminal ? $0 : nil }
        )
    }

    private static func array(_ bytes: Span<UInt8>) -> [UInt8] {
        var array: [UInt8] = []
        array.reserveCapacity(bytes.count)
        for index in bytes.indices { array.append(bytes[index]) }
        return array
    }
}
