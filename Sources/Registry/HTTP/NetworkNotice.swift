/// Sentences about what an exchange with a server waits for, given to the listener of the task.
package enum NetworkNotice {
    /// The receiver. An object, because a function in its place crashes optimized programs of Swift 6.3.
    private final class Listener: Sendable {
        let report: @Sendable (String) -> Void

        init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }
    }

    @TaskLocal private static var listener: Listener?

    /// Gives `report` a sentence without an end whenever something within `body` waits, from any task.
    package static func heard<Value: Sendable>(
        by report: @escaping @Sendable (String) -> Void, _ body: () async throws -> Value
    ) async throws -> Value {
        try await $listener.withValue(Listener(report)) { try await body() }
    }

    package static func report(_ text: String) { listener?.report(text) }

    /// How long a server may take without a word being said about it.
    private static let patience = Duration.seconds(3)

    /// Reports when a while has passed, unless that is cancelled.
    package static func whenSlow(_ text: String) -> Task<Void, any Error>? {
        guard let listener else { return nil }
        return Task {
            try await Task.sleep(for: patience)
            listener.report(text)
        }
    }
}
