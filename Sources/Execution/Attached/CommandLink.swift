import Glibc
package import Sandbox
import Synchronization

/// Passes signals of this process on to a command while it runs.
package final class CommandLink: Sendable {
    private struct State {
        var signaller: SandboxSignaller?
        /// How often the command was asked to end.
        var requests = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Sends a signal to the command; `false` when it does not run yet.
    ///
    /// The third SIGINT or SIGTERM is sent as SIGKILL.
    package func send(_ signal: CInt) -> Bool {
        let (signaller, isOrder) = state.withLock { state in
            if state.signaller != nil, signal == SIGINT || signal == SIGTERM { state.requests += 1 }
            return (state.signaller, state.requests > 2)
        }
        signaller?.send(isOrder ? SIGKILL : signal)
        return signaller != nil
    }

    package func began(_ signaller: SandboxSignaller) { state.withLock { $0.signaller = signaller } }
}
