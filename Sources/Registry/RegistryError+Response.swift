import Diagnostics
import OCI

/// An answer with a status that was not expected, and the reasons that the server gives.
struct Refusal: Error {
    let status: Int
    /// The `errors` of the body. Source: OCI distribution-spec, "Error Codes".
    let errors: [ServerError]
    let requestID: String?
    /// The pause that the server asks for in `Retry-After`.
    let retryAfter: Duration?
    let method: HTTPRequest.Method
    let url: HTTPURL

    struct ServerError: Sendable, Hashable {
        let code: String
        let message: String
    }

    /// Reads the errors in the body: at most 64 KiB of it, as it may be anything.
    init(_ response: HTTPResponse, to request: HTTPRequest) async {
        status = response.status
        method = request.method
        url = request.url
        retryAfter = RetryPolicy.retryAfter(response.fields)
        requestID =
            ["x-request-id", "x-amz-request-id", "x-correlation-id"].lazy
            .compactMap { response.fields[$0]?.printable(limit: 100) }.first
        let bytes = (try? await response.body.collect(limit: 65536)) ?? nil
        errors = Self.errors(in: bytes ?? [], type: response.fields["content-type"] ?? "")
    }

    private static func errors(in bytes: [UInt8], type: String) -> [ServerError] {
        guard let json = try? JSON(parsing: bytes) else {
            let text = String(decoding: bytes, as: UTF8.self)
            let isPage = type.contains("html") || text.drop(while: \.isWhitespace).hasPrefix("<")
            let message = isPage ? "" : text.printable(limit: 500)
            return message.isEmpty ? [] : [ServerError(code: "", message: message)]
        }
        let entries = json["errors"]?.array ?? [json]
        return entries.prefix(10).compactMap { entry in
            let code = (entry["code"]?.string ?? entry["error"]?.string ?? "").printable(limit: 100)
            var message = entry["message"]?.string ?? entry["error_description"]?.string ?? ""
            if let detail = entry["detail"], detail != .null, detail.string != "", detail.object?.isEmpty != true {
                message += " (\(detail.string ?? detail.text()))"
            }
            message = message.printable(limit: 1000)
            return code.isEmpty && message.isEmpty ? nil : ServerError(code: code, message: message)
        }
    }

    /// Whether the registry refuses a manifest for its media type.
    ///
    /// Registries of the time before OCI answer with one of these codes, as they look for the tag or the name in the
    /// document.
    var isAboutTheMediaType: Bool {
        status == 415 || [400, 404, 405, 422].contains(status) && (has("MANIFEST_INVALID") || has("TAG_INVALID"))
    }

    /// Whether a server, or a proxy before it, may refuse a request because it asks for a part of a blob.
    var isAboutTheRange: Bool { [400, 416, 501].contains(status) }

    /// Status, and the server's own words in short.
    var summary: String { "\(status)\(errors.first.map { " \($0.code)" } ?? "")".printable(limit: 100) }

    func has(_ code: String) -> Bool { errors.contains { $0.code == code } }

    private var said: String {
        errors.map { $0.code.isEmpty || $0.message.isEmpty ? $0.code + $0.message : "\($0.code): \($0.message)" }
            .joined(separator: "; ")
    }

    private static let reasons = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        409: "Conflict", 412: "Precondition Failed", 413: "Content Too Large", 416: "Range Not Satisfiable",
        429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout",
    ]

    /// The refusal as an error, without the name of the operation.
    var error: RegistryError {
        let reason = Self.reasons[status].map { " \($0)" } ?? ""
        let detail = said.isEmpty ? "" : " (\(said))"
        let identifier = requestID.map { "; request id \($0)" } ?? ""
        return RegistryError(
            code, "\(url.authority) answered \(status)\(reason)\(detail)\(identifier)", hint: hint, cause: self)
    }

    private var code: RegistryCode {
        switch status {
        case 401: .unauthorised
        case 403: .denied
        case 404: .notFound
        case 413: .tooLarge
        case 429: .rateLimited
        case 500...: .serverFailed
        case 400..<500: .rejected
        default: .malformedResponse
        }
    }

    /// A time in the largest unit that keeps it exact enough, e.g. `6 hours`.
    private static func words(_ time: Duration) -> String {
        let seconds = time.components.seconds
        if seconds < 120 { return "\(seconds) seconds" }
        return seconds < 7200 ? "\((seconds + 59) / 60) minutes" : "\((seconds + 3599) / 3600) hours"
    }

    private var hint: String? {
        let isWrite = method != .get && method != .head
        switch status {
        case 401: return "Log in to \(url.authority) by 'lamina login \(url.authority)', as a user who may do this."
        case 403 where said.lowercased().contains("quota") || said.contains("exceed"):
            return "The project's storage quota is used up: free some of it or have it raised."
        case 403 where said.contains("read only"):
            return "The registry takes no changes at the moment: try again later, or ask its administrator."
        case 403 where said.contains("proxy project"):
            return "The project only caches another registry: push to another project."
        case 403: return "Log in to \(url.authority) by 'lamina login \(url.authority)', as a user who may do this."
        case 404 where isWrite: return "Create the project or repository first, if this registry wants that."
        case 404: return "Check the name and the tag; a private repository may also look like this without a login."
        case 412: return "A policy of the registry forbids this; ask its administrator."
        case 413: return "A proxy before the registry limits the size of requests; have the limit raised."
        case 429:
            let time = retryAfter.map { "for \(Self.words($0))" } ?? "a while"
            return "Wait \(time), or log in to \(url.authority): registries allow more to those they know."
        default: return nil
        }
    }
}
