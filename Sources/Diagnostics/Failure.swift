/// The codes one module can fail with. The raw value is stable and user-visible, e.g. `digest.malformed`.
package protocol FailureCode: RawRepresentable<String>, Hashable, Sendable {}

/// Any failure, whatever its module: what the command line needs to explain it.
package protocol AnyFailure: Error, Sendable {
    var codeName: String { get }
    var message: String { get }
    var hint: String? { get }
    var location: SourceRange? { get }
    var cause: (any Error)? { get }

    /// The same failure, located at `location` unless it already has a location.
    func located(at location: SourceRange?) -> Self
}

/// An error with a code to match on, a message to read and, where there is one, a way out.
///
/// A module declares its codes and an alias, and nothing else:
/// ```swift
/// package enum StoreCode: String, FailureCode { case notFound = "store.not-found" }
/// package typealias StoreError = Failure<StoreCode>
/// ```
package struct Failure<Code: FailureCode>: AnyFailure {
    package let code: Code
    /// The failure in the user's terms, without a full stop.
    package let message: String
    /// One imperative sentence, only when there is something to do.
    package let hint: String?
    package let location: SourceRange?
    package let cause: (any Error)?

    package init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        at location: SourceRange? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
        self.cause = cause
    }

    package var codeName: String { code.rawValue }

    package func located(at location: SourceRange?) -> Failure {
        guard self.location == nil else { return self }
        return Failure(code, message, hint: hint, at: location, cause: cause)
    }
}

extension Failure: CustomStringConvertible {
    package var description: String { "\(message) [\(codeName)]" }
}
