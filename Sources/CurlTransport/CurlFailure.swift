import CCurl
import Diagnostics
import Glibc
import Registry

/// How an exchange failed, as libcurl tells it.
struct CurlFailure: Error, CustomStringConvertible {
    let code: CURLcode
    /// The message of libcurl; may be empty.
    let text: String
    /// The `errno` of the system call that failed, 0 if none did.
    let systemError: Int
    /// The status of a proxy that was asked for a tunnel, 0 if none was.
    let proxyStatus: Int
    /// Whether the request had a connection.
    let isConnected: Bool

    var description: String {
        text.isEmpty ? unsafe String(cString: ccurl_easy_strerror(code)) : text.printable(limit: 300)
    }

    /// The failure in the user's terms. `body` is why the body of the request could not be produced; errors of this
    /// module and cancellation pass unchanged.
    func error(with peer: NetworkPeer, body: (any Error)?) -> any Error {
        let name = peer.name
        if let body {
            if body is RegistryError || body is CancellationError { return body }
            return RegistryError(.connectionLost, "the connection to \(name) broke: \(body)", cause: body)
        }
        if proxyStatus != 0, proxyStatus / 100 != 2 {
            let reason = proxyStatus == 407 ? "it wants a login" : "it answered \(proxyStatus)"
            return RegistryError(
                .unreachable, "the proxy did not connect to \(name): \(reason)", hint: NetworkPeer.proxyHint,
                cause: self)
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return peer.unresolved(self)
        case CURLE_COULDNT_CONNECT: return unreachable(peer)
        case CURLE_PROXY:
            return RegistryError(
                .unreachable, "the proxy did not connect to \(name): \(self)", hint: NetworkPeer.proxyHint, cause: self)
        case CURLE_OPERATION_TIMEDOUT: return isConnected ? peer.silence : peer.unanswered(self)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            return untrusted(peer)
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: return closedEarly(peer)
        case CURLE_RECV_ERROR where text.contains("unexpected eof"): return closedEarly(peer)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return RegistryError(.malformedResponse, "\(name) did not answer in HTTP", cause: self)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            if wantsClientCertificate { return unidentified(peer) }
            return RegistryError(.connectionLost, "the connection to \(name) broke: \(self)", cause: self)
        default:
            return RegistryError(.connectionLost, "the exchange with \(name) failed: \(self)", cause: self)
        }
    }

    private func closedEarly(_ peer: NetworkPeer) -> RegistryError {
        RegistryError(.connectionLost, "\(peer.name) closed the connection early", cause: self)
    }

    private func unreachable(_ peer: NetworkPeer) -> RegistryError {
        let name = peer.connectionName
        let isRefused = systemError == Int(ECONNREFUSED)
        return RegistryError(
            .unreachable, isRefused ? "\(name) refused the connection" : "no connection to \(name): \(self)",
            hint: peer.proxy == nil
                ? "Check the name and the port, and that the registry runs." : NetworkPeer.proxyHint,
            cause: self)
    }

    private func untrusted(_ peer: NetworkPeer) -> RegistryError {
        let name = peer.name
        let words = text.lowercased()
        if words.contains("wrong version number") || words.contains("http request") {
            return RegistryError(
                .plainHTTP, "\(name) speaks plain HTTP, not HTTPS",
                hint: peer.registry.map { "If that is meant to be, allow it with --insecure-registry \($0)." }
                    ?? "If that is meant to be, write the URL with http.", cause: self)
        }
        if code == CURLE_SSL_CACERT_BADFILE {
            return RegistryError(
                .tls, "the authorities' certificates cannot be read: \(self)",
                hint: peer.registry == nil
                    ? "Correct SSL_CERT_FILE or SSL_CERT_DIR."
                    : "Correct SSL_CERT_FILE, SSL_CERT_DIR or the .crt files of the registry.", cause: self)
        }
        if code == CURLE_SSL_CERTPROBLEM {
            return RegistryError(
                .tls, "the client certificate for \(name) cannot be used: \(self)",
                hint: "The .cert and .key files must hold a certificate and its key in PEM.", cause: self)
        }
        if wantsClientCertificate { return unidentified(peer) }
        guard code == CURLE_PEER_FAILED_VERIFICATION else {
            return RegistryError(.tls, "no TLS session with \(name): \(self)", cause: self)
        }
        if words.contains("does not match") || words.contains("no alternative certificate") {
            return RegistryError(
                .tls, "the certificate of \(name) is for another name",
                hint: "Use the name in the certificate, or ask the administrator for one with this name.", cause: self)
        }
        if words.contains("expired") {
            return RegistryError(
                .tls, "the certificate of \(name) has expired",
                hint: "Ask the administrator of the server to renew it, and check this machine's clock.", cause: self)
        }
        return RegistryError(
            .tls, "the certificate of \(name) is not trusted",
            hint: peer.registry.map {
                "Put its authority's certificate into /etc/docker/certs.d/\($0)/ca.crt, or name its directory with "
                    + "--cert-dir."
            } ?? "Install its authority's certificate, or name a file of authorities in SSL_CERT_FILE.", cause: self)
    }

    /// Whether the server ended the session as it got no client certificate, or one that it does not trust.
    ///
    /// In TLS 1.3 that is told after the session stands, in the place of an answer.
    private var wantsClientCertificate: Bool {
        let words = text.lowercased()
        guard words.contains("alert") else { return false }
        return ["certificate required", "bad certificate", "unknown ca", "handshake failure"]
            .contains { words.contains($0) }
    }

    private func unidentified(_ peer: NetworkPeer) -> RegistryError {
        RegistryError(
            .tls, "\(peer.name) accepts no session without a client certificate that it trusts: \(self)",
            hint: peer.registry.map {
                "Put client.cert and client.key into /etc/docker/certs.d/\($0), or name their directory with --cert-dir."
            }, cause: self)
    }
}
