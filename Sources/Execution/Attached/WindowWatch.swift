import Dispatch
import Glibc
package import Linux
package import Sandbox

extension TerminalSize {
    /// The size of the terminal of this process.
    package static var ofOurs: TerminalSize? { TerminalSize(of: STDOUT_FILENO) ?? TerminalSize(of: STDIN_FILENO) }
}

/// Gives a command's terminal the size of our window, now and whenever that changes.
package final class WindowWatch {
    private let source: any DispatchSourceSignal

    package init(for input: SandboxInput) {
        source = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
        source.setEventHandler { Self.fit(input) }
        source.resume()
        Self.fit(input)
    }

    deinit { source.cancel() }

    private static func fit(_ input: SandboxInput) {
        guard let size = TerminalSize.ofOurs else { return }
        input.resize(columns: size.columns, rows: size.rows)
    }
}
