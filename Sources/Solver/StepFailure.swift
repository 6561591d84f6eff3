package import Diagnostics

/// The facts of a failure that events, displays and records keep, without the type of the error.
package struct StepFailure: Hashable, Sendable {
    /// E.g. `run.exit`; `nil` for an error without a code.
    package let code: String?
    /// The failure in the user's terms.
    package let message: String
    /// One imperative sentence, only when there is something to do.
    package let hint: String?
    /// The lines of the Dockerfile that it came from.
    package let location: SourceRange?

    package init(_ message: String, code: String? = nil, hint: String? = nil, at location: SourceRange? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
    }

    package init(_ error: any Error) {
        let failure = error as? any AnyFailure
        self.init(describe(error), code: failure?.codeName, hint: failure?.hint, at: failure?.location)
    }
}
