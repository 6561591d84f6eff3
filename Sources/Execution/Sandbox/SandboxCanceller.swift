package import Sandbox
import Synchronization

/// Ends a running command when its build is cancelled, whichever comes first, the cancellation or the start; and when it
/// has run for too long.
package final class SandboxCanceller: Sendable {
    private struct State {
        var signaller: SandboxSignaller?
        var isStopped = false
        var isTimedOut = false
        var timer: Task<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether the build is cancelled.
    package var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Whether the last command has run for too long.
    package var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    /// A command runs, for at most so long. To be called again for another command that follows.
    package func began(_ signaller: SandboxSignaller, limit: Duration? = nil) {
        let timer = limit.map { limit in
            Task {
                do { try await Task.sleep(for: limit) } catch { return }
                timeOut()
            }
        }
        let isStopped = state.withLock { state in
            state.signaller = signaller
            state.timer = timer
            return state.isStopped
        }
        if isStopped { signaller.kill() }
    }

    /// The command has ended by itself, or was killed.
    package func ended() {
        state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
            state.signaller = nil
        }
    }

    package func stop() {
        let signaller = state.withLock { state in
            state.isStopped = true
            return state.signaller
        }
        signaller?.kill()
    }

    private func timeOut() {
        let signaller = state.withLock { state in
            state.isTimedOut = state.signaller != nil
            return state.signaller
        }
        signaller?.kill()
    }
}
