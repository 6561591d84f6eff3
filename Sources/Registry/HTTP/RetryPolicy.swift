import Diagnostics
import OCI

/// The number of attempts for a request, and the pauses between them.
package struct RetryPolicy: Sendable {
    /// The number of times that a request is sent at most.
    package let attempts: Int
    /// The first pause; each later one is twice as long.
    package let delay: Duration
    /// The longest pause of its own choice.
    package let longestDelay: Duration
    /// The longest pause that a server may ask for; a request that is to wait longer is not sent again.
    package let longestWish: Duration
    /// Waits; replaced in tests.
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(
        attempts: Int = 4, delay: Duration = .milliseconds(300), longestDelay: Duration = .seconds(30),
        longestWish: Duration = .seconds(120),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.attempts = attempts
        self.delay = delay
        self.longestDelay = longestDelay
        self.longestWish = longestWish
        self.sleep = sleep
    }

    /// The same with fewer attempts.
    func limited(to attempts: Int) -> RetryPolicy {
        RetryPolicy(
            attempts: min(self.attempts, attempts), delay: delay, longestDelay: longestDelay, longestWish: longestWish,
            sleep: sleep)
    }

    /// Runs `body`, again after a pause while it fails for a reason that may pass. It gets the number of the attempt,
    /// counted from 1.
    func run<Value>(_ body: (Int) async throws -> Value) async throws -> Value {
        var attempt = 1
        while true {
            try Task.checkCancellation()
            do {
                return try await body(attempt)
            } catch {
                guard attempt < limit(after: error), isTransient(error) else { throw error }
                try await rest(after: attempt, error)
                attempt += 1
            }
        }
    }

    /// The number of attempts at most, the last one having ended with this error. After a time-out there is one more, as
    /// the user waits, too.
    func limit(after error: any Error) -> Int {
        (error as? RegistryError)?.cause is NetworkTimeout ? min(attempts, 2) : attempts
    }

    /// Pauses after a failed attempt (counted from 1), and says so.
    func rest(after attempt: Int, _ error: any Error) async throws {
        let pause = pause(after: attempt, error)
        if let error = error as? RegistryError {
            let seconds = pause.components.seconds
            let time = seconds < 2 ? "" : " in \(seconds) seconds"
            NetworkNotice.report("\(error.message); trying again\(time)")
        }
        try await sleep(pause)
    }

    /// The pause after a failed attempt (counted from 1), or as long as the `Retry-After` of an answer says.
    func pause(after attempt: Int, _ error: any Error) -> Duration {
        let refusal = (error as? RegistryError)?.cause as? Refusal
        if let wish = refusal?.retryAfter { return min(wish, longestWish) }
        return min(delay * (1 << min(attempt - 1, 16)), longestDelay)
    }

    /// `Retry-After` in seconds, or as a date, which is compared with the server's own clock.
    ///
    /// Source: RFC 9110, section 10.2.3.
    static func retryAfter(_ fields: HTTPFields) -> Duration? {
        guard let text = fields["retry-after"] else { return nil }
        if let seconds = Int64(text) { return .seconds(min(max(seconds, 0), 86400)) }
        guard let then = time(text), let now = fields["date"].flatMap(time) else { return nil }
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
    func isTransient(_ error: any Error) -> Bool {
        guard let error = error as? RegistryError else { return false }
        if let refusal = error.cause as? Refusal {
            if let wish = refusal.retryAfter, wish > longestWish { return false }
            return [408, 429, 500, 502, 503, 504].contains(refusal.status)
        }
        return error.code == .connectionLost || error.code == .unreachable
    }
}
