import Dispatch
import Engine
import Execution
import Glibc
import Synchronization

/// Forwards the signals that this process gets to the command that it runs.
///
/// Before the command runs, those that end a process cancel the work, by the rule of ``EndingSignals``.
final class SignalForwarder: Sendable {
    private struct State {
        var signals = EndingSignals()
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let link: CommandLink

    init(_ link: CommandLink) {
        self.link = link
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                // The handler keeps its source alive: there is one for the life of the process.
                withExtendedLifetime(source) { self?.receive(number) }
            }
            source.resume()
        }
    }

    /// The signal that has cancelled the work before the command ran.
    var canceled: CInt? { state.withLock { $0.signals.first } }

    /// Sets what cancels the work; it is done at once if the signal has come already.
    func onCancel(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.cancel = action
            return state.signals.first != nil
        }
        if isLate { action() }
    }

    private func receive(_ number: CInt) {
        guard !link.send(number) else { return }
        let (effect, action) = state.withLock { state in (state.signals.receive(number), state.cancel) }
        switch effect {
        case .cancel: action?()
        case .exit(let status): Glibc._exit(status)
        case .nothing: break
        }
    }
}
