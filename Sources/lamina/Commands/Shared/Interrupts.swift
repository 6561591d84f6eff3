import Dispatch
import Glibc
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into cancellation, by the rule of ``EndingSignals``.
final class Interrupts: Sendable {
    private struct State {
        var signals = EndingSignals()
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    init() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let isIgnored = unsafe unsafeBitCast(Glibc.signal(number, SIG_IGN), to: Int.self) == Self.ignored
            // nohup(1) has SIGHUP ignored.
            if number == SIGHUP, isIgnored { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                // The handler keeps its source alive: there is one for the life of the process.
                withExtendedLifetime(source) { self?.receive(number) }
            }
            source.resume()
        }
    }

    /// `SIG_IGN` as a number.
    private static let ignored = 1

    /// The signal that has cancelled the work.
    var signal: CInt? { state.withLock { $0.signals.first } }

    /// Sets what the first signal does; it is done at once if the signal has come already.
    func onFirst(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.action = action
            return state.signals.first != nil
        }
        if isLate { action() }
    }

    private func receive(_ number: CInt) {
        let (effect, action) = state.withLock { state in (state.signals.receive(number), state.action) }
        switch effect {
        case .cancel: action?()
        // The kernel kills the commands in sandboxes with the threads that wait for them.
        case .exit(let status): Glibc._exit(status)
        case .nothing: break
        }
    }
}
