import Dispatch
import Engine
import Glibc
import Synchronization

/// Passes the signals that this process gets on to the command it runs; before the command runs, those that end a
/// process cancel the work.
final class SignalForwarder: Sendable {
    private struct State {
        var canceled: CInt?
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
    var canceled: CInt? { state.withLock { $0.canceled } }

    func onCancel(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.cancel = action
            return state.canceled != nil
        }
        if isLate { action() }
    }

    private func receive(_ number: CInt) {
        guard !link.send(number), [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(number) else { return }
        let (isFirst, action) = state.withLock { state in
            defer { state.canceled = state.canceled ?? number }
            return (state.canceled == nil, state.cancel)
        }
        guard isFirst else { Glibc._exit(128 + number) }
        action?()
    }
}
