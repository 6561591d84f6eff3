import AsyncHTTPClient
import Diagnostics
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// With whom an exchange is, for the words of its failure.
struct NetworkPeer: Sendable {
    let url: HTTPURL
    let proxy: ProxySettings.Proxy?
    /// How long the peer may be silent.
    let idle: Duration

    /// What the other side means to the user.
    var name: String { url.authority }

    /// Host and port that a connection is made to.
    var connectionName: String { proxy.map { "the proxy \($0.host):\($0.port)" } ?? name }
}

/// What the network's many errors mean to the user.
///
/// Errors of this module (those of a body that could not be produced) and cancellation pass unchanged.
func networkFailure(_ error: any Error, with peer: NetworkPeer) -> any Error {
    let name = peer.name
    if Task.isCancelled { return CancellationError() }
    switch error {
    case is RegistryError, is CancellationError: return error
    case let error as HTTPClientError: return clientFailure(error, with: peer)
    case let error as NIOConnectionError: return connectionFailure(error, with: peer)
    case let error as IOError where connectionErrors.contains(error.errnoCode):
        return unreachable(peer, error.errnoCode == ECONNREFUSED, error)
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: return tlsFailure(error, with: peer)
    case let error as HTTPParserError where error == .invalidEOFState:
        return RegistryError(.connectionLost, "\(name) closed the connection early", cause: error)
    case is HTTPParserError:
        return RegistryError(.malformedResponse, "\(name) did not answer in HTTP", cause: error)
    default:
        return RegistryError(.connectionLost, "the connection to \(name) broke: \(error)", cause: error)
    }
}

private func clientFailure(_ error: HTTPClientError, with peer: NetworkPeer) -> any Error {
    let name = peer.name
    switch error {
    case .cancelled: return CancellationError()
    case .connectTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout:
        return RegistryError(
            .unreachable, "\(name) did not answer", hint: "Check the name, the network and the proxy settings.",
            cause: NetworkTimeout(cause: error))
    case .tlsHandshakeTimeout: return tlsFailure(error, with: peer)
    case .readTimeout, .writeTimeout:
        return RegistryError(
            .connectionLost, "\(name) was silent for \(peer.idle.components.seconds) seconds",
            hint: "Try again later; if it stays so, whoever runs it can say why.", cause: NetworkTimeout(cause: error))
    case .remoteConnectionClosed:
        return RegistryError(.connectionLost, "\(name) closed the connection early", cause: error)
    case .invalidProxyResponse, .proxyAuthenticationRequired, .httpProxyHandshakeTimeout:
        return RegistryError(
            .unreachable, "the proxy did not connect to \(name): \(error.shortDescription)",
            hint: proxyHint, cause: error)
    default:
        return RegistryError(
            .connectionLost, "the exchange with \(name) failed: \(error.shortDescription)", cause: error)
    }
}

private func connectionFailure(_ error: NIOConnectionError, with peer: NetworkPeer) -> RegistryError {
    if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
        return RegistryError(
            .unreachable, "the host name '\(peer.proxy?.host ?? peer.url.host)' does not resolve",
            hint: peer.proxy == nil ? "Check the name of the registry." : proxyHint, cause: error)
    }
    let isRefused = error.connectionErrors.contains { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
    return unreachable(peer, isRefused, error)
}

/// The numbers of errors that come before there is a connection.
private let connectionErrors = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL]

private let proxyHint = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."

private func unreachable(_ peer: NetworkPeer, _ isRefused: Bool, _ error: any Error) -> RegistryError {
    let name = peer.connectionName
    return RegistryError(
        .unreachable, isRefused ? "\(name) refused the connection" : "no connection to \(name): \(error)",
        hint: peer.proxy == nil ? "Check the name and the port, and that the registry runs." : proxyHint, cause: error)
}

private func tlsFailure(_ error: any Error, with peer: NetworkPeer) -> RegistryError {
    let name = peer.name
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
