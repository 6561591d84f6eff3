package import Diagnostics
import Logins

/// Errors between this program and a registry, by what the user can do about them.
package enum RegistryCode: String, FailureCode {
    case notFound = "registry.not-found"
    case unauthorised = "registry.unauthorised"
    case denied = "registry.denied"
    case rateLimited = "registry.rate-limited"
    case tooLarge = "registry.too-large"
    /// The registry refused the request for another reason of its own (400, 409, 412, …).
    case rejected = "registry.rejected"
    /// The registry failed (5xx).
    case serverFailed = "registry.server-failed"
    case digestMismatch = "registry.digest-mismatch"
    case noPlatform = "registry.no-platform"
    case unsupportedManifest = "registry.unsupported-manifest"
    /// The answer breaks the protocol.
    case malformedResponse = "registry.malformed-response"
    /// No server listens, or the name does not resolve.
    case unreachable = "registry.unreachable"
    /// The connection broke or stalled.
    case connectionLost = "registry.connection-lost"
    case tls = "registry.tls"
    /// TLS was tried with a server that speaks plain HTTP.
    case plainHTTP = "registry.plain-http"
    case unsafeRedirect = "registry.unsafe-redirect"
    /// The registry names a token server that may not get its login.
    case unsafeRealm = "registry.unsafe-realm"
    /// The user's URL is malformed.
    case malformedURL = "registry.malformed-url"
    /// A configuration file or option about registries is wrong.
    case configuration = "registry.configuration"
    /// The machine's configuration forbids the registry.
    case blocked = "registry.blocked"
    /// The network is not to be used.
    case offline = "registry.offline"
    /// A blob to be pushed could not be read whole.
    case source = "registry.source"
}

package typealias RegistryError = Failure<RegistryCode>

/// Runs `body`; a failure in it is told as the failure of `operation`, e.g. `cannot pull debian:12`.
func describing<Value>(_ operation: @autoclosure () -> String, _ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as RegistryError {
        throw RegistryError(
            error.code, "\(operation()): \(error.message)", hint: error.hint, at: error.location, cause: error.cause)
    } catch let error as LoginsError {
        throw LoginsError(
            error.code, "\(operation()): \(error.message)", hint: error.hint, at: error.location, cause: error.cause)
    }
}
