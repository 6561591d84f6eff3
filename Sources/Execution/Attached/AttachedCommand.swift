import Diagnostics
import Glibc
import Linux
package import Sandbox
import SystemPackage

/// A command in a sandbox whose standard streams are those of this process.
package struct AttachedCommand {
    package var spec: SandboxSpec
    package var isInteractive: Bool
    /// Called when the command runs.
    package let began: (SandboxSignaller) -> Void

    package init(spec: SandboxSpec, isInteractive: Bool, began: @escaping (SandboxSignaller) -> Void) {
        self.spec = spec
        self.isInteractive = isInteractive
        self.began = began
    }

    /// Runs the command to its end, on the calling thread.
    ///
    /// With a terminal, ours is raw meanwhile and the command's has its size. Throws `SandboxError` when it could not be
    /// started, and ``ReaderGone``.
    package func run() throws -> (status: Sandbox.ExitStatus, usage: StepUsage) {
        var spec = spec
        if spec.streams == .terminal { spec.terminalSize = .ofOurs }
        var process = try SandboxProcess(try SandboxPlan(spec))
        // Until all that the command wrote was shown.
        let raw = spec.streams == .terminal && isInteractive ? RawTerminal(STDIN_FILENO) : nil
        began(process.signaller)
        let connection = try connect(process.takeInput())
        try withExtendedLifetime(connection) {
            try process.forwardOutput { stream, bytes in
                guard try Self.show(bytes, stream) else { throw ReaderGone() }
            }
        }
        let ending = try process.finish()
        _ = consume raw
        return ending
    }

    /// Only the pump keeps the input of a pipe, so that it ends when ours does.
    private func connect(_ input: SandboxInput?) throws -> (InputPump?, WindowWatch?) {
        let watch = spec.streams == .terminal ? input.map { WindowWatch(for: $0) } : nil
        return (try isInteractive ? input.map { try InputPump(from: STDIN_FILENO, to: $0) } : nil, watch)
    }

    /// The reader of our output is gone: the command ends as it would if it wrote there itself.
    package struct ReaderGone: Error {}

    /// Writes output of a command to the same stream of this process; `false` when its reader is gone.
    ///
    /// Throws `LinuxError` when it cannot be written for another reason, such as a full disk.
    package static func show(_ bytes: Span<UInt8>, _ stream: OutputStream) throws -> Bool {
        let isError = stream == .standardError
        let failure = write(bytes, to: isError ? STDERR_FILENO : STDOUT_FILENO)
        guard let failure, failure != .brokenPipe else { return failure == nil }
        throw LinuxError(failure, "write", isError ? "the standard error" : "the standard output")
    }

    private static func write(_ bytes: Span<UInt8>, to number: CInt) -> Errno? {
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
                    return Errno(rawValue: errno)
                }
            }
            return nil
        }
    }
}
