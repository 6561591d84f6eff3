import CCurl
import Diagnostics
import Registry

/// The exchanges under way and the connections that later ones use again. Lives on the event thread.
@safe
struct CurlConnections: ~Copyable {
    private let multi: UnsafeMutableRawPointer
    private let timeouts: NetworkTransport.Timeouts
    private let options: CurlOptions
    private var exchanges: [ObjectIdentifier: CurlExchange] = [:]

    /// Connections kept for later requests.
    private static let idleConnections = 32

    /// The multi handle stays the caller's.
    init(_ multi: UnsafeMutableRawPointer, timeouts: NetworkTransport.Timeouts, options: CurlOptions) {
        unsafe self.multi = multi
        self.timeouts = timeouts
        self.options = options
        _ = unsafe ccurl_multi_set_number(multi, CURLMOPT_MAXCONNECTS, Self.idleConnections)
        // Each exchange has a connection to itself, also in HTTP/2. libcurl stops reading a shared connection when
        // one exchange is paused: a blob that is copied within a registry would wait for itself.
        _ = unsafe ccurl_multi_set_number(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    mutating func start(_ transfer: CurlTransfer) {
        guard let exchange = CurlExchange(transfer, timeouts: timeouts, options: options) else {
            let error = RegistryError(.malformedURL, "the request to \(transfer.peer.name) cannot be made")
            transfer.finish(.failure(error))
            return
        }
        exchanges[ObjectIdentifier(transfer)] = exchange
        _ = unsafe ccurl_multi_add_handle(multi, exchange.easy)
    }

    func resume(_ transfer: CurlTransfer) {
        exchanges[ObjectIdentifier(transfer)]?.resume()
    }

    /// Takes an exchange out; a connection in the midst of an answer is closed.
    mutating func remove(_ transfer: CurlTransfer) {
        guard let exchange = exchanges.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
        _ = unsafe ccurl_multi_remove_handle(multi, exchange.easy)
        exchange.close()
    }

    mutating func removeAll() {
        for exchange in exchanges.values {
            exchange.transfer.finish(.failure(CancellationError()))
            remove(exchange.transfer)
        }
    }

    /// Moves what can be moved without waiting, and ends what has ended, or is silent or slow for too long.
    mutating func perform() {
        var running: CInt = 0
        _ = unsafe ccurl_multi_perform(multi, &running)
        for exchange in exchanges.values { exchange.flush() }
        var count: CInt = 0
        while let message = unsafe ccurl_multi_info_read(multi, &count) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let easy = unsafe message.pointee.easy_handle
            let result = unsafe ccurl_result(message)
            guard let exchange = exchanges.values.first(where: { unsafe $0.easy == easy }) else { continue }
            exchange.transfer.finish(exchange.outcome(result))
            remove(exchange.transfer)
        }
        let now = ContinuousClock.now
        for exchange in exchanges.values {
            guard let failure = exchange.lateness(at: now) else { continue }
            exchange.transfer.finish(.failure(failure))
            remove(exchange.transfer)
        }
    }

    /// Sleeps until there is something to do.
    func wait() {
        let now = ContinuousClock.now
        let rests = exchanges.values.compactMap { $0.deadline }.map { now.duration(to: $0) }
        let rest = min(max(rests.min() ?? .seconds(600), .zero), .seconds(600))
        let milliseconds = rest.components.seconds * 1000 + rest.components.attoseconds / 1_000_000_000_000_000 + 1
        var count: CInt = 0
        _ = unsafe ccurl_multi_poll(multi, nil, 0, CInt(milliseconds), &count)
    }
}
