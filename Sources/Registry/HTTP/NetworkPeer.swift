import Diagnostics

/// The other side of an exchange, for the words of its failures.
package struct NetworkPeer: Sendable {
    package let url: HTTPURL
    package let proxy: ProxySettings.Proxy?
    /// How long the peer may be silent.
    package let idle: Duration
    /// The registry that the peer is, as the user names it.
    package var registry: String?

    package init(url: HTTPURL, proxy: ProxySettings.Proxy?, idle: Duration, registry: String? = nil) {
        self.url = url
        self.proxy = proxy
        self.idle = idle
        self.registry = registry
    }

    /// The name that the user knows.
    package var name: String { url.authority }

    /// Host and port that a connection is made to.
    package var connectionName: String { proxy.map { "the proxy \($0.host):\($0.port)" } ?? name }

    package static let proxyHint = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."

    /// The failure of an exchange in which no byte moved for ``idle``.
    package var silence: RegistryError {
        RegistryError(
            .connectionLost, "\(name) was silent for \(idle.components.seconds) seconds",
            hint: "Try again later; if it stays so, the administrator of the server can say why.",
            cause: NetworkTimeout())
    }

    /// The failure of an exchange whose body came too slowly to be waited for.
    package func slowness(_ count: Int, in window: Duration) -> RegistryError {
        RegistryError(
            .connectionLost, "\(name) sent only \(count) bytes in \(window.components.seconds) seconds",
            hint: "Try again later; if it stays so, the administrator of the server can say why.",
            cause: NetworkTimeout())
    }

    /// The failure to connect in time.
    package func unanswered(_ cause: any Error) -> RegistryError {
        RegistryError(
            .unreachable, "\(name) did not answer", hint: "Check the name, the network and the proxy settings.",
            cause: NetworkTimeout(cause: cause))
    }

    package func unresolved(_ cause: any Error) -> RegistryError {
        RegistryError(
            .unreachable, "the host name '\(proxy?.host ?? url.host)' does not resolve",
            hint: proxy == nil ? "Check the name of the registry." : Self.proxyHint, cause: cause)
    }
}

/// The cause of a failure that took long to find out: a server that did not answer in time.
struct NetworkTimeout: Error, CustomStringConvertible {
    var cause: (any Error)?

    var description: String { cause.map { "\($0)" } ?? "no byte moved in time" }
}
