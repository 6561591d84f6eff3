import Console
import Diagnostics
import OCI

/// Renders errors for people, in the form of Docker's and BuildKit's; nothing else prints errors.
struct ErrorRenderer: Sendable {
    /// Whether codes and causes are shown.
    let isDebug: Bool
    /// The lines of a source file by its name; `nil` without an excerpt.
    let source: @Sendable (String) -> [String]?

    init(isDebug: Bool = false, source: @escaping @Sendable (String) -> [String]? = { _ in nil }) {
        self.isDebug = isDebug
        self.source = source
    }

    /// Prints an error on the standard error.
    func print(_ error: any Error, isBuild: Bool = false) {
        for line in lines(for: error, isBuild: isBuild) { tell(line) }
    }

    /// The excerpt if there is one, the message and the hint; `isBuild` says that a build failed, not the command.
    func lines(for error: any Error, isBuild: Bool) -> [String] {
        let failure = error as? any AnyFailure
        var lines: [String] = []
        if let location = failure?.location, let text = source(location.file) {
            lines += SourceExcerpt(location, of: text).render().map(TerminalText.neutralised)
        }
        var message = TerminalText.lines(Self.message(of: error))
        if isDebug, let failure { message[message.count - 1] += " [\(failure.codeName)]" }
        message[0] = (isBuild ? "ERROR: failed to build: failed to solve: " : "lamina: ") + message[0]
        lines += message
        if let hint = failure?.hint { lines.append("hint: \(TerminalText.line(hint))") }
        if isDebug { lines += causes(of: error).map { "caused by: \(TerminalText.line($0))" } }
        return lines
    }

    /// The error as JSON: `{"error":{"code":...,"message":...,...}}`.
    func json(for error: any Error) -> JSON {
        let failure = error as? any AnyFailure
        let causes = causes(of: error)
        return .object(
            (
                "error",
                .object(
                    ("code", failure.map { .string($0.codeName) }),
                    ("message", .string(Self.message(of: error))),
                    ("hint", failure?.hint.map { .string($0) }),
                    ("file", failure?.location.map { .string($0.file) }),
                    ("line", failure?.location.map { .integer($0.lines.lowerBound) }),
                    ("causes", causes.isEmpty ? nil : .array(causes.map { .string($0) })))
            ))
    }

    private static func message(of error: any Error) -> String {
        if let failure = error as? any AnyFailure { return failure.message }
        return error is CancellationError ? "context canceled" : String(describing: error)
    }

    private func causes(of error: any Error) -> [String] {
        var causes: [String] = []
        var next = (error as? any AnyFailure)?.cause
        while let cause = next, causes.count < 16 {
            let code = (cause as? any AnyFailure).map { " [\($0.codeName)]" } ?? ""
            causes.append(Self.message(of: cause) + code)
            next = (cause as? any AnyFailure)?.cause
        }
        return causes
    }
}
