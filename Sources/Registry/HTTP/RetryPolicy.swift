import Diagnostics
import OCI

/// How often and how patiently a request is repeated.
package struct RetryPolicy: Sendable {
    /// How often a request is sent at most.
    package let attempts: Int
    /// The first pause; each later one is twice as long.
    package let delay: Duration
    /// The longest pause, also where the server asks for more.
    package let longestDelay: Duration
    /// Waits; replaced in tests.
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(
        attempts: Int = 4, delay: Duration = .milliseconds(300), longestDelay: Duration = .seconds(30),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.attempts = attempts
        self.delay = delay
        self.longestDelay = longestDelay
        self.sleep = sleep
    }

    /// The pause after a failed attempt (counted from 1); the `Retry-After` of an answer is heeded.
    func pause(after attempt: Int, response: HTTPResponse? = nil) -> Duration {
        if let wish = response.flatMap(Self.retryAfter) { return min(max(wish, .zero), longestDelay) }
        return min(delay * (1 << min(attempt - 1, 16)), longestDelay)
    }

    /// `Retry-After` in seconds, or as a date, which is compared with the server's own clock.
    ///
    /// Source: RFC 9110, section 10.2.3.
    private static func retryAfter(_ response: HTTPResponse) -> Duration? {
        guard let text = response.fields["retry-after"] else { return nil }
        if let seconds = Int64(text) { return .seconds(min(max(seconds, 0), 86400)) }
        guard let then = time(text), let now = response.fields["date"].flatMap(time) else { return nil }
        return .seconds(min(max(then - now, 0), 86400))
    }

    /// Seconds since the epoch of an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`; `nil` when it is anything else.
    static func time(_ text: String) -> Int64? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[1].utf8.count == 2, parts[3].utf8.count == 4,
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        return Timestamp(parsing: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")?.seconds
    }

    /// Whether a later attempt may fare better.
    static func isTransient(_ status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }

    static func isTransient(_ error: any Error) -> Bool {
        guard let error = error as? RegistryError else { return false }
        return error.code == .connectionLost || error.code == .unreachable
    }
}
