import AsyncHTTPClient
import Diagnostics
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// What the network's many errors mean to the user.
///
/// Errors of this module (those of a body that could not be produced) and cancellation pass unchanged.
func networkFailure(_ error: any Error, with server: HTTPURL, idle: Duration) -> any Error {
    let name = server.authority
    if Task.isCancelled { return CancellationError() }
    switch error {
    case is RegistryError, is CancellationError: return error
    case let error as HTTPClientError: return clientFailure(error, with: server, idle: idle)
    case let error as NIOConnectionError: return connectionFailure(error, with: server)
    case let error as IOError where connectionErrors.contains(error.errnoCode):
        return unreachable(server, error.errnoCode == ECONNREFUSED, error)
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: return tlsFailure(error, with: server)
    case is HTTPParserError:
        return RegistryError(.malformedResponse, "\(name) did not answer in HTTP", cause: error)
    default:
        return RegistryError(.connectionLost, "the connection to \(name) broke: \(error)", cause: error)
    }
}

private func clientFailure(_ error: HTTPClientError, with server: HTTPURL, idle: Duration) -> any Error {
    let name = server.authority
    switch error {
    case .cancelled: return CancellationError()
    case .connectTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout:
        return RegistryError(
            .unreachable, "\(name) did not answer", hint: "Check the name, the network and the proxy settings.",
            cause: error)
    case .tlsHandshakeTimeout: return tlsFailure(error, with: server)
    case .readTimeout, .writeTimeout:
        return RegistryError(
            .connectionLost, "\(name) was silent for \(idle.components.seconds) seconds", cause: error)
    case .remoteConnectionClosed:
        return RegistryError(.connectionLost, "\(name) closed the connection early", cause: error)
    case .invalidProxyResponse, .proxyAuthenticationRequired, .httpProxyHandshakeTimeout:
        return RegistryError(
            .unreachable, "the proxy did not connect to \(name): \(error.shortDescription)",
            hint: "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.", cause: error)
    default:
        return RegistryError(
            .connectionLost, "the exchange with \(name) failed: \(error.shortDescription)", cause: error)
    }
}

private func connectionFailure(_ error: NIOConnectionError, with server: HTTPURL) -> RegistryError {
    if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
        return RegistryError(
            .unreachable, "the host name '\(server.host)' does not resolve", hint: "Check the name of the registry.",
            cause: error)
    }
    let isRefused = error.connectionErrors.contains { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
    return unreachable(server, isRefused, error)
}

/// The numbers of errors that come before there is a connection.
private let connectionErrors = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL]

private func unreachable(_ server: HTTPURL, _ isRefused: Bool, _ error: any Error) -> RegistryError {
    let name = server.authority
    return RegistryError(
        .unreachable, isRefused ? "\(name) refused the connection" : "no connection to \(name): \(error)",
        hint: "Check the name and the port, and that the registry runs.", cause: error)
}

private func tlsFailure(_ error: any Error, with server: HTTPURL) -> RegistryError {
    let name = server.authority
    let text = "\(error)"
    if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
        return RegistryError(
            .plainHTTP, "\(name) speaks plain HTTP, not HTTPS",
            hint: "If that is meant to be, name it among the insecure registries.", cause: error)
    }
    if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
        return RegistryError(
            .tls, "the certificate of \(name) is not trusted",
            hint: "Install its authority's certificate, or name a file of authorities in SSL_CERT_FILE.", cause: error)
    }
    return RegistryError(.tls, "no TLS session with \(name): \(text.printable(limit: 300))", cause: error)
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
