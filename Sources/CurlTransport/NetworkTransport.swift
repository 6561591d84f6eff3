import Diagnostics
package import Registry
import Synchronization

/// The transport over the network, by libcurl: HTTP/1.1, and HTTP/2 where a server offers it over TLS, with connections
/// that are used again.
///
/// Its thread starts with the first request.
package final class NetworkTransport: HTTPTransport {
    package struct Timeouts: Sendable {
        /// Until a connection stands, its TLS session included.
        package var connect: Duration
        /// How long a connection may be silent while bytes are expected.
        package var idle: Duration
        /// The time in which a body must bring at least ``leastBytes``.
        package var window: Duration
        package var leastBytes: Int

        package init(
            connect: Duration = .seconds(10), idle: Duration = .seconds(30), window: Duration = .seconds(60),
            leastBytes: Int = 60 << 10
        ) {
            self.connect = connect
            self.idle = idle
            self.window = window
            self.leastBytes = leastBytes
        }
    }

    private let timeouts: Timeouts
    private let proxies: ProxySettings
    private let options: CurlOptions
    private let loop = Mutex<CurlEventLoop?>(nil)

    /// The environment is read for proxies, and for `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    package init(environment: [String: String], timeouts: Timeouts = Timeouts()) {
        self.timeouts = timeouts
        proxies = ProxySettings(environment: environment)
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        options = CurlOptions(
            authorityFile: variable("SSL_CERT_FILE"), authorityDirectory: variable("SSL_CERT_DIR"))
    }

    deinit { loop.withLock { $0 }?.stop() }

    /// Closes all connections, when nothing is under way any more.
    package func shutdown() async throws {
        let loop = loop.withLock { loop in
            defer { loop = nil }
            return loop
        }
        await loop?.end()
    }

    package func send(_ request: HTTPRequest, body: HTTPBody?) async throws -> HTTPResponse {
        let peer = NetworkPeer(
            url: request.url, proxy: proxies.proxy(for: request.url), idle: timeouts.idle,
            registry: request.trust.registry)
        let notice = NetworkNotice.whenSlow("waiting for \(peer.connectionName)")
        defer { notice?.cancel() }
        let transfer = CurlTransfer(request, body: body, peer: peer, loop: try runningLoop())
        let answer = Answer(transfer)
        let head = try await transfer.start()
        return HTTPResponse(
            status: head.status, fields: head.fields,
            body: ByteStream { { try await answer.transfer.nextPiece() } })
    }

    private func runningLoop() throws -> CurlEventLoop {
        try loop.withLock { loop in
            if let loop { return loop }
            try CurlLibrary.state.get()
            let new = CurlEventLoop(timeouts: timeouts, options: options)
            new.start()
            loop = new
            return new
        }
    }
}

/// Ends an exchange when the last reader of its answer has gone.
private final class Answer: Sendable {
    let transfer: CurlTransfer

    init(_ transfer: CurlTransfer) { self.transfer = transfer }

    deinit { transfer.cancel() }
}
