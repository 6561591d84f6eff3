/// Tells whoever wants to hear it what an exchange with a server waits for.
package enum NetworkNotice {
    /// Gets a sentence without an end, from any task; `nil` where nobody listens.
    @TaskLocal package static var report: (@Sendable (String) -> Void)?

    /// How long a server may take without a word being said about it.
    private static let patience = Duration.seconds(3)

    /// Reports when a while has passed, unless that is cancelled.
    static func whenSlow(_ text: String) -> Task<Void, any Error>? {
        guard let report else { return nil }
        return Task {
            try await Task.sleep(for: patience)
            report(text)
        }
    }
}

/// The cause of a failure that took long to find out: a server that did not answer in time.
struct NetworkTimeout: Error, CustomStringConvertible {
    let cause: any Error

    var description: String { "\(cause)" }
}
