import Sandbox
import Synchronization

/// Ends a running command when its build is cancelled, whichever comes first, the cancellation or the start; and when it
/// has run for too long.
final class SandboxCanceller: Sendable {
    private struct State {
        var signaller: SandboxSignaller?
        var isStopped = false
        var isTimedOut = false
        var timer: Task<Void, Never>?
    }

    private let state = Mutex(State())

    /// Whether the build is cancelled.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Whether the last command has run for too long.
    var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    /// A command runs, for at most so long. To be called again for another command that follows.
    func began(_ signaller: SandboxSignaller, limit: Duration? = nil) {
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
    func ended() {
        state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
            state.signaller = nil
        }
    }

    func stop() {
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
