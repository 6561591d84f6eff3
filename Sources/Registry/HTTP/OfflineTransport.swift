import Diagnostics

/// A transport that sends nothing: every request fails with a sentence.
package struct OfflineTransport: HTTPTransport {
    package init() {}

    package func send(_ request: HTTPRequest, body: HTTPBody?) async throws -> HTTPResponse {
        throw RegistryError(
            .offline, "\(request.url.authority) is not asked because of --offline",
            hint: "Pull or load what is missing before, or leave --offline out.")
    }
}
