import CurlTransport
import Diagnostics
import Glibc
import Synchronization
import Testing

@testable import Registry

/// The transport beside a server that misbehaves on purpose.
@Suite(.timeLimit(.minutes(10))) struct TransportBehaviourTests {
    private static let short = NetworkTransport.Timeouts(idle: .seconds(1))

    private func get(_ server: SocketServer, _ target: String = "/") -> HTTPRequest {
        HTTPRequest(.get, HTTPURL(scheme: .http, host: "127.0.0.1", port: server.port, target: target))
    }

    private static func serveOK(_ connection: SocketServer.Connection) {
        while !connection.readRequest().isEmpty {
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
    }

    @Test(arguments: [true, false]) func aSilentServerIsGivenUp(inBody: Bool) async throws {
        try await SocketServer.with { connection in
            _ = connection.readRequest()
            if inBody { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome") }
            _ = connection.read()
        } _: { server in
            try await withTransport(Self.short) { transport in
                let error = try await registryError {
                    let response = try await transport.send(get(server), body: nil)
                    var arrived: [UInt8] = []
                    do {
                        for try await piece in response.body { arrived += piece }
                    } catch {
                        #expect(arrived == Array("some".utf8))
                        throw error
                    }
                }
                #expect(error?.code == .connectionLost)
                #expect(error?.message == "127.0.0.1:\(server.port) was silent for 1 seconds")
                #expect(error?.cause is NetworkTimeout)
            }
        }
    }

    @Test("A server that sends a byte now and then is given up")
    func aDrippingServerIsGivenUp() async throws {
        let timeouts = NetworkTransport.Timeouts(idle: .seconds(20), window: .seconds(1), leastBytes: 1000)
        try await SocketServer.with { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
            while connection.write("x") { usleep(100_000) }
        } _: { server in
            try await withTransport(timeouts) { transport in
                let error = try await registryError {
                    let response = try await transport.send(get(server), body: nil)
                    for try await _ in response.body {}
                }
                #expect(error?.code == .connectionLost)
                #expect(error?.message.hasSuffix(" bytes in 1 seconds") == true)
                #expect(error?.cause is NetworkTimeout)
            }
        }
    }

    @Test("A server that sends enough is not given up, however long it takes")
    func aSteadyServerIsNotGivenUp() async throws {
        let timeouts = NetworkTransport.Timeouts(idle: .seconds(20), window: .milliseconds(500), leastBytes: 1000)
        try await SocketServer.with { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n")
            for _ in 0..<20 {
                connection.write([UInt8](repeating: 7, count: 1000))
                usleep(100_000)
            }
        } _: { server in
            try await withTransport(timeouts) { transport in
                let response = try await transport.send(get(server), body: nil)
                #expect(try await response.body.collect(limit: 30000)?.count == 20000)
            }
        }
    }

    @Test func aSlowReaderHoldsTheServerBackAndLosesNothing() async throws {
        let written = Atomic(0)
        let total = 64 << 20
        try await SocketServer.with { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 7, count: 1 << 20)
            while written.load(ordering: .relaxed) < total, connection.write(piece) {
                written.add(piece.count, ordering: .relaxed)
            }
        } _: { server in
            try await withTransport(Self.short) { transport in
                let response = try await transport.send(get(server), body: nil)
                // Longer than the server may be silent: it is this side that does not read.
                try await Task.sleep(for: .milliseconds(1500))
                #expect(written.load(ordering: .relaxed) < total / 2)
                var count = 0
                for try await piece in response.body { count += piece.count }
                #expect(count == total)
            }
        }
    }

    @Test func aSlowProducerIsNoSilence() async throws {
        try await SocketServer.with { connection in
            var text = connection.readRequest()
            while !text.hasSuffix("third") {
                let bytes = connection.read()
                guard !bytes.isEmpty else { return }
                text += String(decoding: bytes, as: UTF8.self)
            }
            let isWhole = text.hasSuffix("firstsecondthird") && text.contains("Content-Length: 16\r\n")
            connection.write("HTTP/1.1 \(isWhole ? 201 : 400) X\r\nContent-Length: 0\r\n\r\n")
        } _: { server in
            try await withTransport(Self.short) { transport in
                let stream = ByteStream {
                    var pieces = ["first", "second", "third"].makeIterator()
                    return {
                        try await Task.sleep(for: .milliseconds(600))
                        return pieces.next().map { Array($0.utf8) }
                    }
                }
                var request = get(server)
                request.method = .put
                let response = try await transport.send(request, body: HTTPBody(length: 16, stream: stream))
                #expect(response.status == 201)
            }
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        try await SocketServer.with(serve: Self.serveOK) { server in
            try await withTransport { transport in
                for _ in 0..<3 {
                    let response = try await transport.send(get(server), body: nil)
                    let bytes = try await response.body.collect(limit: 10)
                    #expect(bytes == Array("ok".utf8))
                }
                #expect(server.connectionCount == 1)
            }
        }
    }

    @Test func aRequestWhoseKeptConnectionWasClosedIsSentOverAnother() async throws {
        try await SocketServer.with { connection in
            var request = connection.readRequest()
            while !request.hasSuffix("body") {
                let bytes = connection.read()
                guard !bytes.isEmpty else { return }
                request += String(decoding: bytes, as: UTF8.self)
            }
            // The connection is closed without notice after one answer.
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        } _: { server in
            try await withTransport { transport in
                var request = get(server)
                request.method = .put
                for _ in 0..<2 {
                    let body = HTTPBody(length: 4, stream: ByteStream([Array("bo".utf8), Array("dy".utf8)]))
                    let response = try await transport.send(request, body: body)
                    #expect(response.status == 200)
                }
                #expect(server.connectionCount == 2)
            }
        }
    }

    @Test(arguments: [true, false]) func aCancelledOrForgottenExchangeClosesItsConnection(_ isCancelled: Bool)
        async throws
    {
        let (closed, continuation) = AsyncStream<Void>.makeStream()
        try await SocketServer.with { connection in
            _ = connection.readRequest()
            if !isCancelled { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome") }
            #expect(connection.read().isEmpty)
            continuation.finish()
        } _: { server in
            try await withTransport { transport in
                let request = get(server)
                if isCancelled {
                    let task = Task { try await transport.send(request, body: nil).status }
                    while server.connectionCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                } else {
                    let response = try await transport.send(request, body: nil)
                    #expect(response.status == 200)
                }
                for await _ in closed {}
            }
        }
    }

    @Test(arguments: [
        ("", "closed the connection early"), ("SSH-2.0-x\r\n", "did not answer in HTTP"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "closed the connection early"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "closed the connection early"),
    ])
    func brokenAnswersAreNamed(_ answer: String, _ words: String) async throws {
        try await SocketServer.with { connection in
            _ = connection.readRequest()
            connection.write(answer)
        } _: { server in
            try await withTransport { transport in
                let error = try await registryError {
                    _ = try await transport.send(get(server), body: nil).body.collect(limit: 100)
                }
                #expect(error?.message == "127.0.0.1:\(server.port) \(words)")
            }
        }
    }

    @Test func aProxyGetsTheWholeAddressAndItsLogin() async throws {
        try await SocketServer.with { connection in
            let request = connection.readRequest()
            #expect(request.hasPrefix("GET http://r.invalid/x HTTP/1.1\r\n"))
            #expect(request.contains("Proxy-Authorization: Basic dTpw\r\n"))
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        } _: { server in
            let status = try await through("http_proxy", "http://u:p@127.0.0.1:\(server.port)", "http://r.invalid/x")
            #expect((try? status.get()) == 200)
        }
    }

    @Test func aProxyThatRefusesATunnelIsNamed() async throws {
        try await SocketServer.with { connection in
            #expect(connection.readRequest().hasPrefix("CONNECT r.invalid:443 HTTP/1.1\r\n"))
            connection.write("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
        } _: { server in
            let status = try await through("HTTPS_PROXY", "127.0.0.1:\(server.port)", "https://r.invalid/")
            let error = #expect(throws: RegistryError.self) { try status.get() }
            #expect(error?.code == .unreachable)
            #expect(error?.message == "the proxy did not connect to r.invalid: it wants a login")
        }
    }

    @Test func aSOCKSProxyResolvesTheName() async throws {
        try await SocketServer.with { connection in
            #expect(connection.read().first == 5)
            connection.write([5, 0])
            // Version, CONNECT, reserved, a name, its length and the name, the port.
            #expect(connection.read() == [5, 1, 0, 3, 9] + Array("r.invalid".utf8) + [0, 80])
            connection.write([5, 0, 0, 1, 127, 0, 0, 1, 0, 80])
            #expect(connection.readRequest().hasPrefix("GET /x HTTP/1.1\r\nHost: r.invalid\r\n"))
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        } _: { server in
            let status = try await through("ALL_PROXY", "socks5h://127.0.0.1:\(server.port)", "http://r.invalid/x")
            #expect((try? status.get()) == 200)
        }
    }

    /// The status of the answer to a request with one variable in the environment.
    private func through(_ variable: String, _ proxy: String, _ url: String) async throws -> Result<Int, any Error> {
        let transport = NetworkTransport(environment: [variable: proxy])
        let request = HTTPRequest(.get, try HTTPURL(parsing: url))
        let status: Result<Int, any Error>
        do { status = .success(try await transport.send(request, body: nil).status) } catch { status = .failure(error) }
        try await transport.shutdown()
        return status
    }
}
