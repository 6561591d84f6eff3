import AsyncHTTPClient
import Diagnostics
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// The transport over the network: HTTP/1.1 with pooled connections.
///
/// Clients are made when the first request needs them, as a TLS context with the authorities of the system costs 19 ms.
package final class NetworkTransport: HTTPTransport {
    package struct Timeouts: Sendable {
        /// Until a connection stands, its TLS session included.
        package var connect: Duration
        /// How long a connection may be silent while bytes are expected.
        package var idle: Duration

        package init(connect: Duration = .seconds(10), idle: Duration = .seconds(30)) {
            self.connect = connect
            self.idle = idle
        }
    }

    private let timeouts: Timeouts
    private let proxies: ProxySettings
    /// A bundle of authorities instead of the system's.
    private let authorities: String?
    /// One client for each proxy, `nil` being none.
    private let clients = Mutex<[ProxySettings.Proxy?: HTTPClient]>([:])

    /// The environment is read for proxies and for `SSL_CERT_FILE`.
    package init(environment: [String: String], timeouts: Timeouts = Timeouts()) {
        self.timeouts = timeouts
        proxies = ProxySettings(environment: environment)
        authorities = environment["SSL_CERT_FILE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Closes all connections. Must be called once before the transport is let go of, when nothing is under way.
    package func shutdown() async throws {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try await client.shutdown() }
    }

    package func send(_ request: HTTPRequest, body: HTTPBody?) async throws -> HTTPResponse {
        var message = HTTPClientRequest(url: request.url.description)
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        message.headers = HTTPHeaders(request.fields.fields.map { ($0.name, $0.value) })
        message.body = body.map { .stream(Buffers(stream: $0.stream), length: .known($0.length)) }
        if !request.verifiesServer {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            message.tlsConfiguration = configuration
        }
        let proxy = proxies.proxy(for: request.url)
        let peer = NetworkPeer(url: request.url, proxy: proxy, idle: timeouts.idle)
        let notice = NetworkNotice.whenSlow("waiting for \(peer.connectionName)")
        defer { notice?.cancel() }
        let response: HTTPClientResponse
        do {
            response = try await client(through: proxy).execute(message, deadline: .distantFuture)
        } catch {
            throw networkFailure(error, with: peer)
        }
        let fields = response.headers.reduce(into: HTTPFields()) { $0.append($1.name, $1.value) }
        return HTTPResponse(
            status: Int(response.status.code), fields: fields, body: Self.stream(response.body, peer))
    }

    private static func stream(_ body: HTTPClientResponse.Body, _ peer: NetworkPeer) -> ByteStream {
        ByteStream {
            var iterator = body.makeAsyncIterator()
            return {
                do {
                    let piece = try await iterator.next(isolation: #isolation)
                    // To a cancelled task the body seems to end.
                    if piece == nil { try Task.checkCancellation() }
                    return piece.map { Array($0.readableBytesView) }
                } catch {
                    throw networkFailure(error, with: peer)
                }
            }
        }
    }

    private func client(through proxy: ProxySettings.Proxy?) -> HTTPClient {
        clients.withLock { clients in
            if let client = clients[proxy] { return client }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration(proxy))
            clients[proxy] = client
            return client
        }
    }

    private func configuration(_ proxy: ProxySettings.Proxy?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(timeouts.connect), read: TimeAmount(timeouts.idle),
                write: TimeAmount(timeouts.idle)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        // Whoever asks knows how often to try; a refused connection must be told at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        if let authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(authorities)
            configuration.tlsConfiguration = tls
        }
        configuration.proxy = proxy.map { proxy in
            let login = proxy.userInfo.map { HTTPClient.Authorization.basic(credentials: $0.base64Encoded) }
            return .server(host: proxy.host, port: proxy.port, authorization: login)
        }
        return configuration
    }
}

/// The pieces of a body as the client wants them.
private struct Buffers: AsyncSequence, Sendable {
    let stream: ByteStream

    struct AsyncIterator: AsyncIteratorProtocol {
        let base: ByteStream.AsyncIterator

        func next() async throws -> ByteBuffer? {
            try await base.next().map { ByteBuffer(bytes: $0) }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: stream.makeAsyncIterator()) }
}
