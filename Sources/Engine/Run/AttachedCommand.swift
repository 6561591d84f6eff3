import Diagnostics
import Glibc
import Linux
import Sandbox

/// A command in a sandbox whose standard streams are those of this process.
struct AttachedCommand {
    var spec: SandboxSpec
    var isInteractive: Bool
    let link: CommandLink

    /// Runs the command to its end, on the calling thread.
    ///
    /// A terminal is raw meanwhile and has the size of ours. Throws `SandboxError` when it could not be started.
    func run() throws -> Sandbox.ExitStatus {
        var process = try SandboxProcess(try SandboxPlan(spec))
        // Until all that the command wrote was shown.
        let raw = spec.streams == .terminal && isInteractive ? RawTerminal(STDIN_FILENO) : nil
        let pump = try connect(process.takeInput(), process.signaller)
        try withExtendedLifetime(pump) {
            try process.forwardOutput { stream, bytes in
                let number = stream == .standardError ? STDERR_FILENO : STDOUT_FILENO
                guard Self.write(bytes, to: number) else { throw ReaderGone() }
            }
        }
        let status = try process.wait()
        _ = consume raw
        return status
    }

    /// Nobody but the pump keeps the input, so that it ends when ours does.
    private func connect(_ input: SandboxInput?, _ signaller: SandboxSignaller) throws -> InputPump? {
        let isTerminal = spec.streams == .terminal
        if isTerminal, let size = TerminalSize(of: STDOUT_FILENO) ?? TerminalSize(of: STDIN_FILENO) {
            input?.resize(columns: size.columns, rows: size.rows)
        }
        link.began(signaller, terminal: isTerminal ? input : nil)
        return try isInteractive ? input.map { try InputPump(from: STDIN_FILENO, to: $0) } : nil
    }

    /// Nobody reads our output any more: the command ends as it would if it wrote there itself.
    struct ReaderGone: Error {}

    private static func write(_ bytes: Span<UInt8>, to number: CInt) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = unsafe Glibc.write(number, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
                if count > 0 {
                    done += count
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                    _ = unsafe poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
