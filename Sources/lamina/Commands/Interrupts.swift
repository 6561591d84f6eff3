import Dispatch
import Glibc
import Synchronization

/// Turns SIGINT and SIGTERM into cancellation: the first is a request, the second an order.
final class Interrupts: Sendable {
    private struct State {
        var count = 0
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                // The handler keeps its source alive: there is one for the life of the process.
                withExtendedLifetime(source) { self?.receive() }
            }
            source.resume()
        }
    }

    /// Whether the user has interrupted.
    var happened: Bool { state.withLock { $0.count > 0 } }

    /// What the first interrupt does.
    func onFirst(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.action = action
            return state.count > 0
        }
        if isLate { action() }
    }

    private func receive() {
        let (count, action) = state.withLock { state in
            state.count += 1
            return (state.count, state.action)
        }
        if count > 1 { Glibc._exit(130) }
        action?()
    }
}
