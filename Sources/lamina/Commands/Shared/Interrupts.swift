import Dispatch
import Glibc
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into cancellation: the first is a request, the second an order.
final class Interrupts: Sendable {
    private struct State {
        var first: CInt?
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    init() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let isIgnored = unsafe unsafeBitCast(Glibc.signal(number, SIG_IGN), to: Int.self) == Self.ignored
            // nohup asked for this.
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

    /// The first signal that has come.
    var signal: CInt? { state.withLock { $0.first } }

    /// What the first interrupt does.
    func onFirst(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.action = action
            return state.first != nil
        }
        if isLate { action() }
    }

    private func receive(_ number: CInt) {
        let (isFirst, action) = state.withLock { state in
            defer { state.first = state.first ?? number }
            return (state.first == nil, state.action)
        }
        // What runs in sandboxes dies with the threads that wait for it.
        guard isFirst else { Glibc._exit(ExitStatus.interrupted(by: number).code) }
        action?()
    }
}
