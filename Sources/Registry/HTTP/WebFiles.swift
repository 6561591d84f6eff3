import Diagnostics

/// Reads files of any server: with redirects, and again when it fails for a reason that may pass.
package struct WebFiles: Sendable {
    private let transport: any HTTPTransport
    private let retry: RetryPolicy
    private let userAgent: String

    /// Creates a reader. The caller shuts the transport down.
    package init(transport: any HTTPTransport, retry: RetryPolicy = RetryPolicy(), userAgent: String = "lamina") {
        self.transport = transport
        self.retry = retry
        self.userAgent = userAgent
    }

    /// Asks for a file and gives the answer, which says that it is there or that it has not changed, to `receive`.
    ///
    /// An `Authorization` in `fields` goes before the login of the address, and to no other server.
    /// `receive` may be called again when the connection broke while it read. `allowsDowngrade` tells whether the way
    /// may lead from HTTPS to plain HTTP: only where what arrives is proven otherwise.
    ///
    /// - Throws: `RegistryError`: `invalid response status 404` for a refusal, and what the network does; what
    ///   `receive` throws passes unchanged.
    package func get<Value: Sendable>(
        _ address: WebAddress, _ fields: HTTPFields = [:], allowsDowngrade: Bool = false,
        receive: (HTTPResponse) async throws -> Value
    ) async throws -> Value {
        do {
            return try await retry.run { _ in
                let request = request(for: address, fields)
                let (response, url) = try await followed(request, allowsDowngrade: allowsDowngrade)
                guard (200..<400).contains(response.status) else {
                    throw await Refusal(response, to: HTTPRequest(.get, url)).error
                }
                return try await receive(response)
            }
        } catch let error as RegistryError {
            guard let refusal = error.cause as? Refusal else { throw error }
            throw RegistryError(
                error.code, "invalid response status \(refusal.status)",
                hint: "\(refusal.url.authority) was asked for \(refusal.url).", cause: refusal)
        }
    }

    private func request(for address: WebAddress, _ fields: HTTPFields) -> HTTPRequest {
        var request = HTTPRequest(.get, address.url, fields)
        request.fields["User-Agent"] = userAgent
        if fields["Authorization"] == nil { request.fields["Authorization"] = address.authorization }
        return request
    }

    private static let redirects: Set<Int> = [301, 302, 303, 307, 308]

    /// Follows at most ten redirects. Credentials stay with the server they are for.
    private func followed(
        _ original: HTTPRequest, allowsDowngrade: Bool
    ) async throws -> (response: HTTPResponse, url: HTTPURL) {
        var request = original
        for _ in 0...10 {
            let response = try await transport.send(request, body: nil)
            guard Self.redirects.contains(response.status), let location = response.fields["location"] else {
                return (response, request.url)
            }
            // Read, so that the connection can be used again.
            _ = try? await response.body.collect(limit: 65536)
            let next = try request.url.resolving(location)
            if request.url.scheme == .https, next.scheme == .http, !allowsDowngrade {
                throw RegistryError(
                    .unsafeRedirect, "\(request.url.authority) points from HTTPS to plain HTTP at \(next.authority)",
                    hint: "Name the place it comes from; ADD also takes --checksum as proof.")
            }
            if !request.url.hasSameOrigin(as: next) { request.fields["Authorization"] = nil }
            request.url = next
        }
        throw RegistryError(.unsafeRedirect, "\(original.url.authority) redirects more than 10 times")
    }
}

extension HTTPResponse {
    /// The time of `Last-Modified` in seconds since the epoch; `nil` when there is none or it cannot be read.
    package var lastModified: Int64? { fields["last-modified"].flatMap(RetryPolicy.time) }

    /// An error that lets the request be repeated: the body ended early.
    package static func truncated(_ count: Int64, of length: Int64) -> any Error {
        RegistryError(.connectionLost, "the answer ended after \(count) of \(length) bytes")
    }
}
