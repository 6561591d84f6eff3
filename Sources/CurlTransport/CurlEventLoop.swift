import CCurl
import Dispatch
import Registry
import Synchronization

/// The thread that moves the bytes of all exchanges, by libcurl's multi interface.
///
/// It sleeps in `curl_multi_poll` until a socket is ready, a time-out is due or a task has submitted a command.
final class CurlEventLoop: Sendable {
    enum Command: Sendable {
        case start(CurlTransfer)
        /// There is room for what arrives, or there are bytes to send.
        case resume(CurlTransfer)
        case cancel(CurlTransfer)
    }

    /// The multi handle, for the one function that may be called from any thread.
    ///
    /// Unchecked: the handle is used only to wake its thread, under the lock of `state`, from which the thread takes
    /// it before it frees it.
    @safe private struct Alarm: @unchecked Sendable {
        let multi: UnsafeMutableRawPointer

        func ring() { _ = unsafe ccurl_multi_wakeup(multi) }
    }

    private struct State {
        var commands: [Command] = []
        var isStopped = false
        var alarm: Alarm?
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
        var hasEnded = false
    }

    let timeouts: NetworkTransport.Timeouts
    let options: CurlOptions
    private let state = Mutex(State())

    init(timeouts: NetworkTransport.Timeouts, options: CurlOptions) {
        self.timeouts = timeouts
        self.options = options
    }

    /// Starts the thread. A queue of its own gets one at once, however many others block.
    func start() {
        DispatchQueue(label: "network").async { self.run() }
    }

    /// Gives the thread something to do. After the end of the loop an exchange is cancelled at once.
    func submit(_ command: Command) {
        let isAccepted = state.withLock { state in
            guard !state.isStopped else { return false }
            state.commands.append(command)
            state.alarm?.ring()
            return true
        }
        if !isAccepted, case .start(let transfer) = command { transfer.finish(.failure(CancellationError())) }
    }

    /// Makes the thread end, which closes all connections.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.alarm?.ring()
        }
    }

    /// Waits until all connections are closed.
    func end() async {
        stop()
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.stopWaiters.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    private func run() {
        // It fails for want of memory only.
        guard let multi = unsafe ccurl_multi_init() else { fatalError("libcurl cannot be initialized") }
        var connections = unsafe CurlConnections(multi, timeouts: timeouts, options: options)
        let alarm = unsafe Alarm(multi: multi)
        state.withLock { $0.alarm = alarm }
        while let commands = nextCommands() {
            for command in commands {
                switch command {
                case .start(let transfer): connections.start(transfer)
                case .resume(let transfer): connections.resume(transfer)
                case .cancel(let transfer): connections.remove(transfer)
                }
            }
            connections.perform()
            connections.wait()
        }
        connections.removeAll()
        let waiters = state.withLock { state in
            state.alarm = nil
            state.hasEnded = true
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        _ = unsafe ccurl_multi_cleanup(multi)
        for waiter in waiters { waiter.resume() }
    }

    /// The commands submitted since; `nil` at the end.
    private func nextCommands() -> [Command]? {
        state.withLock { state in
            defer { state.commands = [] }
            guard !state.isStopped else {
                for case .start(let transfer) in state.commands { transfer.finish(.failure(CancellationError())) }
                return nil
            }
            return state.commands
        }
    }
}
